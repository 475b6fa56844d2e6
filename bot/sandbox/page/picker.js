// One menu to choose from, for every kind of select: filter by typing, arrows to move, Enter to choose.
// Options are {id, text, description?, group?}; several may be chosen when `many` is set.

import { fill, freshId, h, icon } from "./dom.js";
import { withGlyphs } from "./glyphs.js";
import { openPopup } from "./popup.js";

const FILTER_FROM = 8;
const PAUSE_MS = 180;
// Where a finger points, a focused search field would raise the keyboard over the very options.
const touched = matchMedia("(pointer: coarse)");

/**
 * A select. `find(query)` gives (a promise of) options; `changed(options)` is told what is chosen now and
 * may answer false to refuse it. `face(chosen)` draws the closed control.
 */
export function picker({ label, placeholder = "Choose…", many = false, chosen = [], find, filter, changed, face, data, describedby, most }) {
  let picked = chosen;
  let close = null;
  const control = h("button", { type: "button", class: "picker", "aria-haspopup": "listbox", "aria-expanded": "false",
    "aria-describedby": describedby, data, onclick: () => (close ? close() : open()), onkeydown: opens });
  const root = h("span", { class: "picker-wrap" }, control);
  draw();
  return root;

  function draw() {
    const words = picked.map((option) => option.text).join(", ");
    control.setAttribute("aria-label", words ? `${label}: ${words}` : label);
    fill(control, face ? face(picked) : h("span", { class: words ? "" : "placeholder" }, withGlyphs(words || placeholder)), icon("down"));
  }

  function opens(event) {
    if (!["ArrowDown", "ArrowUp"].includes(event.key) || close) return;
    event.preventDefault();
    open();
  }

  function open() {
    const list = menu({ label, many, find, filter, isChosen: (option) => picked.some(({ id }) => id === option.id), choose });
    const before = picked;
    close = openPopup(control, list.node, { width: 260, onclose: () => {
      close = null;
      if (many && picked !== before) settle(before);
    } });
    list.start();
  }

  /** One choice closes the menu; of several, all are told together when it closes, as in Slack. */
  function choose(option) {
    const before = picked;
    const rest = picked.filter(({ id }) => id !== option.id);
    if (!many) picked = [option];
    else if (rest.length < picked.length) picked = rest;
    else if (!most || picked.length < most) picked = [...picked, option];
    draw();
    if (many) return;
    close?.();
    settle(before);
  }

  async function settle(before) {
    if ((await changed(picked)) === false) {
      picked = before;
      draw();
    }
  }
}

function menu({ label, many, find, filter, isChosen, choose }) {
  const listId = freshId("list");
  const list = h("div", { role: "listbox", id: listId, "aria-label": label, "aria-multiselectable": many || null, tabindex: -1 });
  const input = h("input", { type: "text", class: "filter", role: "combobox", "aria-label": `Search ${label}`, "aria-controls": listId,
    "aria-expanded": "true", "aria-autocomplete": "list", autocomplete: "off", spellcheck: "false", placeholder: "Search" });
  const node = h("div", { class: "menu", onkeydown: keys }, input, list);
  let options = [];
  let at = 0;
  let turn = 0;
  let timer = null;
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => load(input.value.trim()), filter === false ? PAUSE_MS : 0);
  });
  return { node, start };

  async function start() {
    await load("");
    input.hidden = filter !== false && options.length < FILTER_FROM;
    (input.hidden || (touched.matches && filter !== false) ? list : input).focus({ preventScroll: true });
    at = Math.max(0, options.findIndex(isChosen));
    point();
  }

  async function load(query) {
    turn += 1;
    const mine = turn;
    const found = await find(query);
    if (mine !== turn) return;
    options = found;
    at = 0;
    draw(query);
  }

  function draw(query = input.value) {
    let group = null;
    fill(list, options.map((option, index) => {
      const heading = option.group && option.group !== group ? h("div", { class: "menu-group", role: "presentation" }, option.group) : null;
      group = option.group;
      return [heading, row(option, index)];
    }));
    if (!options.length) list.append(h("div", { class: "menu-none" }, query || filter !== false ? "Nothing matches." : "Type to search."));
    point();
  }

  function row(option, index) {
    return h("div", { role: "option", id: `${listId}-${index}`, class: "menu-row", "aria-selected": String(isChosen(option)),
      onclick: () => pick(index), onpointermove: () => at !== index && ((at = index), point(false)) },
      h("span", { class: "menu-check" }, isChosen(option) && icon("check")),
      h("span", { class: "menu-words" }, withGlyphs(option.text), option.description && h("small", {}, option.description)));
  }

  function point(scroll = true) {
    const rows = list.querySelectorAll("[role=option]");
    rows.forEach((item, index) => item.classList.toggle("current", index === at));
    for (const holder of [input, list]) {
      if (rows[at]) holder.setAttribute("aria-activedescendant", rows[at].id);
      else holder.removeAttribute("aria-activedescendant");
    }
    if (scroll) rows[at]?.scrollIntoView({ block: "nearest" });
  }

  function pick(index) {
    if (!options[index]) return;
    choose(options[index]);
    if (many && list.isConnected) {
      const stay = at;
      draw();
      at = stay;
      point();
    }
  }

  function keys(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const edge = { Home: 0, End: options.length - 1 }[event.key];
    if (step) at = (at + step + options.length) % (options.length || 1);
    else if (edge !== undefined && input.hidden) at = edge;
    else if (event.key === "Enter" || (event.key === " " && input.hidden)) pick(at);
    else return;
    event.preventDefault();
    point();
  }
}
