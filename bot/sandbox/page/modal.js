// A dialog of the app: the top view of the person's stack. What was typed survives a change of the view;
// Escape and the close button put away the top view, the cross all of them.

import { missing, renderBlocks, sameControl } from "./blocks.js";
import { refusalText } from "./door.js";
import { fill, freshId, h, icon } from "./dom.js";
import { plain, plainNodes } from "./mrkdwn.js";
import { memory } from "./values.js";

/** The dialog; `show(views)` after every change of the screen. */
export function modal(act) {
  const title = freshId("modal-title");
  const dialog = h("dialog", { class: "modal", "aria-labelledby": title, oncancel: escape, onclose: gone });
  document.body.append(dialog);
  const typed = new Map();
  let top = null;
  let errors = {};
  let opener = null;
  return { show };

  function show(views) {
    const view = views.at(-1);
    for (const id of typed.keys()) if (!views.some((it) => it.id === id)) typed.delete(id);
    if (!view) return shut();
    const json = JSON.stringify([views.length, view.id, view.title, view.submit, view.close, view.blocks]);
    if (top?.json === json && dialog.open) return;
    if (top?.view.id !== view.id) errors = {};
    const sameView = top?.view.id === view.id;
    top = { json, view, depth: views.length };
    if (!dialog.open) {
      opener = document.activeElement;
      draw();
      dialog.showModal();
      return begin();
    }
    const active = document.activeElement;
    draw();
    if (!sameView || !dialog.contains(document.activeElement)) (sameView && active.dataset.key && sameControl(dialog, active)?.focus()) || begin(sameView);
  }

  function shut() {
    top = null;
    errors = {};
    if (!dialog.open) return;
    dialog.close();
    act.refocus(opener);
  }

  function draw() {
    const { view, depth } = top;
    if (!typed.has(view.id)) typed.set(view.id, memory());
    const surface = act.surface({ kind: "modal", view, memory: typed.get(view.id), errors });
    const scrolled = dialog.querySelector(".modal-body")?.scrollTop ?? 0;
    const submit = view.submit && h("button", { type: "submit", class: "button primary" }, plain(view.submit));
    fill(dialog, h("form", { novalidate: true, onsubmit: send },
      h("header", { class: "modal-head" },
        depth > 1 && h("button", { type: "button", class: "button icon-only", "aria-label": "Back", onclick: () => leave(false) }, icon("back")),
        h("h2", { id: title, tabindex: -1 }, plainNodes(view.title)),
        h("button", { type: "button", class: "button icon-only", "aria-label": "Close", onclick: () => leave(true) }, icon("close"))),
      h("div", { class: "modal-body", tabindex: -1 }, renderBlocks(view.blocks, surface)),
      h("p", { class: "problem", role: "alert", hidden: true }),
      h("footer", { class: "dialog-buttons" },
        h("button", { type: "button", class: "button", onclick: () => leave(false) }, closeWords(view)), submit)));
    dialog.querySelector(".modal-body").scrollTop = scrolled;
  }

  /** The focus goes to the first thing to fill in, else to the title, never to the cross. */
  function begin(again = false) {
    const body = dialog.querySelector(".modal-body");
    if (!again) body.scrollTop = 0;
    (body.querySelector("[autofocus], .block.input :is(input, textarea, button)") ?? dialog.querySelector("h2")).focus();
  }

  async function send(event) {
    event.preventDefault();
    const { view } = top;
    const values = typed.get(view.id);
    if (dialog.ariaBusy === "true") return;
    const lacking = missing(view.blocks, values);
    if (Object.keys(lacking).length) return refused(lacking);
    dialog.ariaBusy = "true";
    errors = {};
    const answer = await act.submit(view, values.state(view.blocks));
    dialog.ariaBusy = null;
    if (answer.errors) refused(answer.errors);
    else if (answer.error) problem(refusalText(answer));
  }

  function refused(found) {
    errors = found;
    draw();
    const first = dialog.querySelector(".wrong");
    (first?.querySelector("input, textarea, button") ?? dialog.querySelector("h2")).focus();
    if (!first) problem("The app named a field that is not in this dialog.");
  }

  function problem(words) {
    const line = dialog.querySelector("form > .problem");
    line.textContent = words;
    line.hidden = false;
  }

  function leave(all) {
    return act.close(top.view, all);
  }

  function escape(event) {
    event.preventDefault();
    if (top) leave(false);
  }

  // A browser may close a dialog although Escape was answered; the stack of views then still says what stands.
  function gone() {
    if (!top) return;
    const { view } = top;
    top = null;
    act.close(view, true);
  }
}

function closeWords(view) {
  if (view.close) return plain(view.close);
  return view.submit ? "Cancel" : "Close";
}
