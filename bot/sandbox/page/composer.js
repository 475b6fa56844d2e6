// The message box. A slash at the start offers the app's commands; Enter sends, Shift+Enter starts a new line.

import { errorText } from "./api.js";
import { fill, freshId, h, icon } from "./dom.js";
import { menuButton } from "./overlays.js";

const SIMILAR_PREFIX = 4;

/** The composer in `root`. `act.send(text)` returns {ok} or {error}; `commands` are {command, usage_hint, description}. */
export function composer(root, { act, commands, shortcuts }) {
  const listId = freshId("commands");
  const offers = h("div", { class: "offers", role: "listbox", id: listId, "aria-label": "Commands", hidden: true });
  const hint = h("p", { class: "usage", hidden: true });
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  const box = h("textarea", { id: "composer", rows: 1, autocomplete: "off", spellcheck: "true", "aria-label": "Message",
    "aria-haspopup": "listbox", "aria-controls": listId, "aria-autocomplete": "list", oninput: update, onkeydown: onKeyDown });
  const sendButton = h("button", { type: "button", class: "button send icon-only", "aria-label": "Send", onclick: send }, icon("send"));
  const shortcutItems = shortcuts.map(({ name, description, callback_id }) => ({ label: name, description, choose: () => act.shortcut(callback_id) }));
  let offered = [];
  let current = 0;
  let lastSent = "";
  let sending = Promise.resolve();
  fill(root, offers, problem, h("div", { class: "composer" },
    shortcuts.length > 0 && menuButton("Shortcuts", icon("plus"), shortcutItems, { width: 240 }), box, sendButton), hint);
  update();
  return { focus: () => box.focus(), write, setLabel };

  function setLabel(text) {
    if (box.placeholder === text) return;
    box.placeholder = text;
    box.setAttribute("aria-label", text);
    problem.hidden = true;
  }

  function write(text) {
    box.value = text;
    box.focus();
    update();
  }

  function update() {
    box.style.height = "auto";
    box.style.height = `${Math.min(box.scrollHeight, 180)}px`;
    sendButton.disabled = !box.value.trim();
    problem.hidden = true;
    const typed = box.value;
    offered = /^\/\S*$/.test(typed) ? commands.filter(({ command }) => command.startsWith(typed) && command !== typed) : [];
    current = 0;
    drawOffers();
    const known = commands.find(({ command }) => typed === command || typed.startsWith(`${command} `));
    hint.hidden = !known;
    if (known) fill(hint, h("code", {}, `${known.command} ${known.usage_hint ?? ""}`), " ", known.description);
  }

  function drawOffers() {
    offers.hidden = offered.length === 0;
    fill(offers, offered.map((offer, index) => h("div", { role: "option", id: `${listId}-${index}`, class: `offer ${index === current ? "current" : ""}`,
      "aria-selected": String(index === current), onclick: () => accept(offer) },
      h("span", {}, h("strong", {}, offer.command), " ", h("code", {}, offer.usage_hint ?? "")), h("small", {}, offer.description))));
    if (offered.length) box.setAttribute("aria-activedescendant", `${listId}-${current}`);
    else box.removeAttribute("aria-activedescendant");
  }

  function accept(offer) {
    write(`${offer.command} `);
  }

  function onKeyDown(event) {
    if (event.isComposing) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (offered.length && step) {
      current = (current + step + offered.length) % offered.length;
      drawOffers();
    } else if (offered.length && ["Enter", "Tab"].includes(event.key)) accept(offered[current]);
    else if (offered.length && event.key === "Escape") {
      offered = [];
      drawOffers();
    } else if (event.key === "ArrowUp" && !box.value && lastSent) write(lastSent);
    else if (event.key === "Enter" && !event.shiftKey) send();
    else return;
    event.preventDefault();
  }

  /** Sends one message after the other, so that fast typing loses nothing. */
  function send() {
    const text = box.value.trim();
    if (!text) return;
    write("");
    sending = sending.then(() => deliver(text));
  }

  async function deliver(text) {
    root.setAttribute("aria-busy", "true");
    const response = await act.send(text);
    root.removeAttribute("aria-busy");
    lastSent = text;
    if (!response.error) return;
    if (!box.value) write(text);
    problem.textContent = [errorText(response), suggestion(text)].filter(Boolean).join(" ");
    problem.hidden = false;
  }

  /** The known command that begins like a mistyped one, for example "/clean up". */
  function suggestion(text) {
    const typed = text.split(/\s/)[0];
    const similar = commands.find(({ command }) => command !== typed && typed.startsWith(command.slice(0, SIMILAR_PREFIX)));
    return similar && `Did you mean ${similar.command}?`;
  }
}
