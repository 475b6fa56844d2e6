// Layers above the page: small popups beside the control that opened them, and the question before a button that asks
// for confirmation.

import { freshId, h } from "./dom.js";
import { plain, textObject } from "./text.js";

const MARGIN = 8;

/**
 * Opens `content` beside `anchor`; returns a function that closes it (and returns the focus unless told otherwise).
 * Escape, Tab and a click elsewhere close it, too. It is inserted after the control, so that focus traps of dialogs
 * include it. Afterwards the document receives `popupclosed`, and draws what it did not draw under an open popup.
 */
export function openPopup(anchor, content, { onclose = () => {}, width = 0 } = {}) {
  const layer = h("div", { class: "popup", popover: "manual" }, content);
  anchor.after(layer);
  layer.showPopover();
  place(layer, anchor, width);

  let closed = false;
  const close = (refocus = true) => {
    if (closed) return;
    closed = true;
    document.removeEventListener("pointerdown", onPointerDown, true);
    window.removeEventListener("resize", onResize);
    document.removeEventListener("scroll", onScroll, true);
    layer.remove();
    anchor.setAttribute("aria-expanded", "false");
    onclose();
    if (refocus) anchor.focus({ preventScroll: true });
    document.dispatchEvent(new Event("popupclosed"));
  };
  const onResize = () => close(false);
  const onPointerDown = (event) => !layer.contains(event.target) && !anchor.contains(event.target) && close(false);
  const onScroll = (event) => (anchor.isConnected ? !layer.contains(event.target) && place(layer, anchor, width) : close(false));
  layer.addEventListener("keydown", (event) => {
    if (event.key === "Tab") close();
    if (event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    close();
  });
  document.addEventListener("pointerdown", onPointerDown, true);
  window.addEventListener("resize", onResize);
  document.addEventListener("scroll", onScroll, true);
  anchor.setAttribute("aria-expanded", "true");
  return close;
}

/** Puts the layer below its anchor, or above where there is more space. */
function place(layer, anchor, width) {
  const box = anchor.getBoundingClientRect();
  layer.style.minWidth = `${Math.min(Math.max(width, box.width), window.innerWidth - 2 * MARGIN)}px`;
  const below = window.innerHeight - box.bottom - MARGIN;
  const above = box.top - MARGIN;
  const isBelow = below >= Math.min(layer.scrollHeight, 280) || below >= above;
  layer.style.maxHeight = `${Math.min(340, Math.max(120, isBelow ? below : above))}px`;
  layer.style.left = `${Math.max(MARGIN, Math.min(box.left, window.innerWidth - layer.offsetWidth - MARGIN))}px`;
  layer.style.top = isBelow ? `${box.bottom + 4}px` : `${Math.max(MARGIN, box.top - layer.offsetHeight - 4)}px`;
}

/**
 * A button that opens a menu of `items`, {label, description?, choose}; arrow keys move between them.
 * `props` are further properties of the button.
 */
export function menuButton(label, image, items, { width, props = {} }) {
  let close = null;
  const open = () => {
    const rows = items.map(({ label: words, description, choose }) =>
      h("button", { type: "button", role: "menuitem", class: "menu-row", tabindex: -1, onclick: () => { close(); choose(); } },
        h("span", { class: "menu-words" }, words, description && h("small", {}, description))));
    const onkeydown = (event) => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      rows[(rows.indexOf(document.activeElement) + step + rows.length) % rows.length].focus();
    };
    const menu = h("div", { class: "menu", role: "menu", "aria-label": label, onkeydown }, rows);
    close = openPopup(button, menu, { width, onclose: () => (close = null) });
    rows[0].focus();
  };
  const button = h("button", { type: "button", class: "button icon-only", "aria-label": label, "aria-haspopup": "menu",
    "aria-expanded": "false", onclick: () => (close ? close() : open()), ...props }, image);
  return h("span", { class: "picker-wrap" }, button);
}

/** Shows a button's confirm dialog; resolves to whether the user confirmed. The focus returns to where it was. */
export function confirmed(confirm, names) {
  const title = freshId("confirm");
  return new Promise((resolve) => {
    const end = (answer) => () => {
      dialog.close();
      dialog.remove();
      resolve(answer);
    };
    const style = confirm.style === "danger" ? "danger solid" : "primary";
    const dialog = h("dialog", { class: "confirm", "aria-labelledby": title, role: "alertdialog", oncancel: end(false) },
      h("h2", { id: title }, plain(confirm.title)),
      h("div", { class: "confirm-text" }, textObject(confirm.text, names)),
      h("div", { class: "dialog-buttons" },
        h("button", { type: "button", class: "button", onclick: end(false) }, confirm.deny ? plain(confirm.deny) : "Cancel"),
        h("button", { type: "button", class: `button ${style}`, onclick: end(true) }, confirm.confirm ? plain(confirm.confirm) : "Yes")));
    document.body.append(dialog);
    dialog.showModal();
  });
}
