// A small layer beside the control that opened it: above everything, dialogs included, and closed by
// Escape, a click elsewhere or Tab. It stays in the control's own wrapper so that focus traps hold.
// The document hears `popupclosed` afterwards, and draws what it did not draw under an open one.

import { h } from "./dom.js";

const MARGIN = 8;

/** Opens `content` beside `anchor`; returns a function that closes it (and gives focus back unless told not to). */
export function openPopup(anchor, content, { onclose = () => {}, width = 0 } = {}) {
  const layer = h("div", { class: "popup", popover: "manual" }, content);
  anchor.after(layer);
  layer.showPopover();
  place(layer, anchor, width);

  let closed = false;
  const close = (refocus = true) => {
    if (closed) return;
    closed = true;
    document.removeEventListener("pointerdown", outside, true);
    window.removeEventListener("resize", away);
    document.removeEventListener("scroll", scrolled, true);
    layer.remove();
    anchor.setAttribute("aria-expanded", "false");
    onclose();
    if (refocus) anchor.focus({ preventScroll: true });
    document.dispatchEvent(new Event("popupclosed"));
  };
  const away = () => close(false);
  const outside = (event) => !layer.contains(event.target) && !anchor.contains(event.target) && close(false);
  const scrolled = (event) => (anchor.isConnected ? !layer.contains(event.target) && place(layer, anchor, width) : close(false));
  layer.addEventListener("keydown", (event) => {
    if (event.key === "Tab") close();
    if (event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    close();
  });
  document.addEventListener("pointerdown", outside, true);
  window.addEventListener("resize", away);
  document.addEventListener("scroll", scrolled, true);
  anchor.setAttribute("aria-expanded", "true");
  return close;
}

/** Puts the layer below its anchor, or above where there is more room. */
function place(layer, anchor, width) {
  const box = anchor.getBoundingClientRect();
  const wide = Math.min(Math.max(width, box.width), window.innerWidth - 2 * MARGIN);
  layer.style.minWidth = `${wide}px`;
  const below = window.innerHeight - box.bottom - MARGIN;
  const above = box.top - MARGIN;
  const down = below >= Math.min(layer.scrollHeight, 280) || below >= above;
  layer.style.maxHeight = `${Math.min(340, Math.max(120, down ? below : above))}px`;
  layer.style.left = `${Math.max(MARGIN, Math.min(box.left, window.innerWidth - layer.offsetWidth - MARGIN))}px`;
  layer.style.top = down ? `${box.bottom + 4}px` : `${Math.max(MARGIN, box.top - layer.offsetHeight - 4)}px`;
}
