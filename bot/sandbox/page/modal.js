// A dialog of the app: the top view of the user's stack. Typed values survive an update of the view; Escape and Cancel close
// the top view, the X closes all of them.

import { errorText } from "./api.js";
import { renderBlocks, sameControl } from "./blocks.js";
import { fill, freshId, h, icon } from "./dom.js";
import { plain, plainNodes } from "./text.js";
import { formValues } from "./values.js";

/** The dialog; call `show(views)` after every change of the screen. */
export function modal(act) {
  const title = freshId("modal-title");
  const dialog = h("dialog", { class: "modal", "aria-labelledby": title, oncancel: onCancel, onclose: onClose });
  document.body.append(dialog);
  // view id -> values
  const typed = new Map();
  let top = null;
  let errors = {};
  let opener = null;
  return { show };

  function show(views) {
    const view = views.at(-1);
    for (const id of typed.keys()) if (!views.some((open) => open.id === id)) typed.delete(id);
    if (!view) return hide();
    const json = JSON.stringify([views.length, view.id, view.title, view.submit, view.close, view.blocks]);
    if (top?.json === json && dialog.open) return;
    const isSameView = top?.view.id === view.id;
    if (!isSameView) errors = {};
    top = { json, view, depth: views.length };
    if (!dialog.open) {
      opener = document.activeElement;
      draw();
      dialog.showModal();
      return focusFirst();
    }
    const focused = document.activeElement;
    draw();
    if (isSameView && dialog.contains(document.activeElement)) return;
    const control = isSameView && focused.dataset.key && sameControl(dialog, focused);
    if (control) control.focus();
    else focusFirst({ keepScroll: isSameView });
  }

  function hide() {
    top = null;
    errors = {};
    if (!dialog.open) return;
    dialog.close();
    act.refocus(opener);
  }

  function draw() {
    const { view, depth } = top;
    if (!typed.has(view.id)) typed.set(view.id, formValues());
    const surface = act.surface({ kind: "modal", view, values: typed.get(view.id), errors });
    const scrollTop = dialog.querySelector(".modal-body")?.scrollTop ?? 0;
    const iconButton = (name, label, all) =>
      h("button", { type: "button", class: "button icon-only", "aria-label": label, onclick: () => act.close(view, all) }, icon(name));
    const closeText = view.close ? plain(view.close) : view.submit ? "Cancel" : "Close";
    fill(dialog, h("form", { novalidate: true, onsubmit: onSubmit },
      h("header", { class: "modal-head" },
        depth > 1 && iconButton("back", "Back", false),
        h("h2", { id: title, tabindex: -1 }, plainNodes(view.title)),
        iconButton("close", "Close", true)),
      h("div", { class: "modal-body", tabindex: -1 }, renderBlocks(view.blocks, surface)),
      h("p", { class: "problem", role: "alert", hidden: true }),
      h("footer", { class: "dialog-buttons" },
        h("button", { type: "button", class: "button", onclick: () => act.close(view, false) }, closeText),
        view.submit && h("button", { type: "submit", class: "button primary" }, plain(view.submit)))));
    dialog.querySelector(".modal-body").scrollTop = scrollTop;
  }

  /** Focuses the first field, otherwise the title, never the X. */
  function focusFirst({ keepScroll = false } = {}) {
    const body = dialog.querySelector(".modal-body");
    if (!keepScroll) body.scrollTop = 0;
    (body.querySelector("[autofocus], .block.input :is(input, textarea, button)") ?? dialog.querySelector("h2")).focus();
  }

  async function onSubmit(event) {
    event.preventDefault();
    if (dialog.ariaBusy === "true") return;
    const { view } = top;
    dialog.ariaBusy = "true";
    errors = {};
    const response = await act.submit(view, typed.get(view.id).state(view.blocks));
    dialog.ariaBusy = null;
    if (response.errors) showErrors(response.errors);
    else if (response.error) showProblem(errorText(response));
  }

  function showErrors(found) {
    errors = found;
    draw();
    const first = dialog.querySelector(".wrong");
    (first?.querySelector("input, textarea, button") ?? dialog.querySelector("h2")).focus();
    if (!first) showProblem("The app reported an error for a field that is not in this dialog.");
  }

  function showProblem(text) {
    const line = dialog.querySelector("form > .problem");
    line.textContent = text;
    line.hidden = false;
  }

  function onCancel(event) {
    event.preventDefault();
    if (top) act.close(top.view, false);
  }

  // A browser may close a dialog even though its cancel event was handled; the stack of views is then still open.
  function onClose() {
    if (!top) return;
    const { view } = top;
    top = null;
    act.close(view, true);
  }
}
