// One menu for every kind of select: typing filters, arrow keys move, Enter chooses.
// Options are {id, text, description?, group?}; several can be chosen when `many` is set.

import { fill, freshId, h, icon } from "./dom.js";
import { withGlyphs } from "./emoji.js";
import { openPopup } from "./overlays.js";

const FILTER_FROM = 8;
const TYPING_PAUSE_MS = 180;
// On a touch screen, a focused search field would raise the keyboard over the options.
const touchScreen = matchMedia("(pointer: coarse)");

/**
 * A select. `find(query)` returns a promise of options; `isRemote` marks options that must be searched for.
 * `onChange(options)` receives the chosen options and may return false to refuse them. `drawChosen()` draws the closed control.
 */
export function picker({ label, placeholder = "Choose…", many = false, chosen = [], find, isRemote = false, onChange, drawChosen, data, describedby, max }) {
  let close = null;
  const control = h("button", { type: "button", class: "picker", "aria-haspopup": "listbox", "aria-expanded": "false",
    "aria-describedby": describedby, data, onclick: () => (close ? close() : open()), onkeydown: onKeyDown });
  const root = h("span", { class: "picker-wrap" }, control);
  draw();
  return root;

  function draw() {
    const text = chosen.map((option) => option.text).join(", ");
    control.setAttribute("aria-label", text ? `${label}: ${text}` : label);
    fill(control, drawChosen ? drawChosen() : h("span", { class: text ? "" : "placeholder" }, withGlyphs(text || placeholder)), icon("down"));
  }

  function onKeyDown(event) {
    if (!["ArrowDown", "ArrowUp"].includes(event.key) || close) return;
    event.preventDefault();
    open();
  }

  function open() {
    const list = menu({ label, many, find, isRemote, isChosen: (option) => chosen.some(({ id }) => id === option.id), choose });
    const before = chosen;
    close = openPopup(control, list.node, { width: 260, onclose: () => {
      close = null;
      if (many && chosen !== before) commit(before);
    } });
    list.start();
  }

  /** A single choice closes the menu; several are committed together when it closes, as in Slack. */
  function choose(option) {
    const before = chosen;
    const others = chosen.filter(({ id }) => id !== option.id);
    if (!many) chosen = [option];
    else if (others.length < chosen.length) chosen = others;
    else if (!max || chosen.length < max) chosen = [...chosen, option];
    draw();
    if (many) return;
    close?.();
    commit(before);
  }

  async function commit(before) {
    if ((await onChange(chosen)) === false) {
      chosen = before;
      draw();
    }
  }
}

function menu({ label, many, find, isRemote, isChosen, choose }) {
  const listId = freshId("list");
  const list = h("div", { role: "listbox", id: listId, "aria-label": label, "aria-multiselectable": many || null, tabindex: -1 });
  const input = h("input", { type: "text", class: "filter", role: "combobox", "aria-label": `Search ${label}`, "aria-controls": listId,
    "aria-expanded": "true", "aria-autocomplete": "list", autocomplete: "off", spellcheck: "false", placeholder: "Search" });
  const node = h("div", { class: "menu", onkeydown: onKeyDown }, input, list);
  let options = [];
  let current = 0;
  let latestQuery = 0;
  let timer = null;
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => load(input.value.trim()), isRemote ? TYPING_PAUSE_MS : 0);
  });
  return { node, start };

  async function start() {
    await load("");
    input.hidden = !isRemote && options.length < FILTER_FROM;
    (input.hidden || (touchScreen.matches && !isRemote) ? list : input).focus({ preventScroll: true });
    current = Math.max(0, options.findIndex(isChosen));
    highlight();
  }

  async function load(query) {
    latestQuery += 1;
    const thisQuery = latestQuery;
    const found = await find(query);
    if (thisQuery !== latestQuery) return;
    options = found;
    current = 0;
    draw(query);
  }

  function draw(query = input.value) {
    let group = null;
    fill(list, options.map((option, index) => {
      const heading = option.group && option.group !== group ? h("div", { class: "menu-group", role: "presentation" }, option.group) : null;
      group = option.group;
      return [heading, row(option, index)];
    }));
    if (!options.length) list.append(h("div", { class: "menu-none" }, query || !isRemote ? "No matches." : "Type to search."));
    highlight();
  }

  function row(option, index) {
    return h("div", { role: "option", id: `${listId}-${index}`, class: "menu-row", "aria-selected": String(isChosen(option)),
      onclick: () => pick(index), onpointermove: () => current !== index && ((current = index), highlight(false)) },
      h("span", { class: "menu-check" }, isChosen(option) && icon("check")),
      h("span", { class: "menu-words" }, withGlyphs(option.text), option.description && h("small", {}, option.description)));
  }

  function highlight(scroll = true) {
    const rows = list.querySelectorAll("[role=option]");
    rows.forEach((item, index) => item.classList.toggle("current", index === current));
    for (const owner of [input, list]) {
      if (rows[current]) owner.setAttribute("aria-activedescendant", rows[current].id);
      else owner.removeAttribute("aria-activedescendant");
    }
    if (scroll) rows[current]?.scrollIntoView({ block: "nearest" });
  }

  function pick(index) {
    if (!options[index]) return;
    choose(options[index]);
    if (many && list.isConnected) draw();
  }

  function onKeyDown(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const edge = { Home: 0, End: options.length - 1 }[event.key];
    if (step) current = (current + step + options.length) % (options.length || 1);
    else if (edge !== undefined && input.hidden) current = edge;
    else if (event.key === "Enter" || (event.key === " " && input.hidden)) pick(current);
    else return;
    event.preventDefault();
    highlight();
  }
}
