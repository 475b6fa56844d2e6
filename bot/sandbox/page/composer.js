// Where a person types. A slash at the start offers the app's commands; Enter sends, Shift+Enter breaks the line.

import { refusalText } from "./door.js";
import { fill, freshId, h, icon } from "./dom.js";
import { walk } from "./elements.js";
import { openPopup } from "./popup.js";

const ALIKE = 4;

/** The composer in `root`. `act.send(text)` answers {ok} or {error}; `commands` are {command, usage_hint, description}. */
export function composer(root, { act, commands, shortcuts }) {
  const listId = freshId("commands");
  const offers = h("div", { class: "offers", role: "listbox", id: listId, "aria-label": "Commands", hidden: true });
  const hint = h("p", { class: "usage", hidden: true });
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  const box = h("textarea", { id: "composer", rows: 1, autocomplete: "off", spellcheck: "true", "aria-label": "Message",
    "aria-haspopup": "listbox", "aria-controls": listId, "aria-autocomplete": "list", oninput: changed, onkeydown: keys });
  const sendButton = h("button", { type: "button", class: "button send icon-only", "aria-label": "Send", onclick: send }, icon("send"));
  let found = [];
  let at = 0;
  let last = "";
  let sending = Promise.resolve();
  fill(root, offers, problem, h("div", { class: "composer" }, shortcuts.length > 0 && shortcutButton(), box, sendButton), hint);
  changed();
  return { focus: () => box.focus(), write, setPlace };

  function setPlace(words) {
    if (box.placeholder === words) return;
    box.placeholder = words;
    box.setAttribute("aria-label", words);
    problem.hidden = true;
  }

  function write(text) {
    box.value = text;
    box.focus();
    changed();
  }

  function changed() {
    box.style.height = "auto";
    box.style.height = `${Math.min(box.scrollHeight, 180)}px`;
    sendButton.disabled = !box.value.trim();
    problem.hidden = true;
    const typed = box.value;
    found = /^\/\S*$/.test(typed) ? commands.filter(({ command }) => command.startsWith(typed) && command !== typed) : [];
    at = 0;
    drawOffers();
    const known = commands.find(({ command }) => typed === command || typed.startsWith(`${command} `));
    hint.hidden = !known;
    if (known) fill(hint, h("code", {}, `${known.command} ${known.usage_hint ?? ""}`), " ", known.description);
  }

  function drawOffers() {
    offers.hidden = found.length === 0;
    fill(offers, found.map((it, index) => h("div", { role: "option", id: `${listId}-${index}`, class: `offer ${index === at ? "current" : ""}`,
      "aria-selected": String(index === at), onclick: () => take(it) },
      h("span", {}, h("strong", {}, it.command), " ", h("code", {}, it.usage_hint ?? "")), h("small", {}, it.description))));
    if (found.length) box.setAttribute("aria-activedescendant", `${listId}-${at}`);
    else box.removeAttribute("aria-activedescendant");
  }

  function take(it) {
    write(`${it.command} `);
  }

  function keys(event) {
    if (event.isComposing) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (found.length && step) {
      at = (at + step + found.length) % found.length;
      drawOffers();
    } else if (found.length && ["Enter", "Tab"].includes(event.key)) take(found[at]);
    else if (found.length && event.key === "Escape") {
      found = [];
      drawOffers();
    } else if (event.key === "ArrowUp" && !box.value && last) write(last);
    else if (event.key === "Enter" && !event.shiftKey) send();
    else return;
    event.preventDefault();
  }

  /** One after the other: whoever types faster than the answers come loses nothing. */
  function send() {
    const text = box.value.trim();
    if (!text) return;
    write("");
    sending = sending.then(() => deliver(text));
  }

  async function deliver(text) {
    root.setAttribute("aria-busy", "true");
    const answer = await act.send(text);
    root.removeAttribute("aria-busy");
    last = text;
    if (!answer.error) return;
    if (!box.value) write(text);
    problem.textContent = [refusalText(answer), meant(text)].filter(Boolean).join(" ");
    problem.hidden = false;
  }

  /** The command that somebody who wrote "/clean up" had in mind; null when none begins alike. */
  function meant(text) {
    const typed = text.split(/\s/)[0];
    const alike = commands.find(({ command }) => command !== typed && typed.startsWith(command.slice(0, ALIKE)));
    return alike && `Did you mean ${alike.command}?`;
  }

  function shortcutButton() {
    let close = null;
    const button = h("button", { type: "button", class: "button icon-only", "aria-label": "Shortcuts", "aria-haspopup": "menu", "aria-expanded": "false",
      onclick: () => (close ? close() : open()) }, icon("plus"));
    const open = () => {
      const items = shortcuts.map((it) => h("button", { type: "button", role: "menuitem", class: "menu-row", tabindex: -1,
        onclick: () => { close(); act.shortcut(it.callback_id); } }, h("span", { class: "menu-words" }, it.name, it.description && h("small", {}, it.description))));
      close = openPopup(button, h("div", { class: "menu", role: "menu", "aria-label": "Shortcuts", onkeydown: (event) => walk(event, items) }, items),
        { width: 240, onclose: () => (close = null) });
      items[0].focus();
    };
    return h("span", { class: "picker-wrap" }, button);
  }
}
