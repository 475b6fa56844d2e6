// The small question before something that cannot be taken back lightly: a button's confirm dialog.

import { freshId, h } from "./dom.js";
import { plain, textObject } from "./mrkdwn.js";

/** Asks; resolves true when confirmed. Focus returns to where it was. */
export function confirmed(confirm, names) {
  const title = freshId("confirm");
  return new Promise((answer) => {
    const end = (yes) => () => {
      dialog.close();
      dialog.remove();
      answer(yes);
    };
    const dialog = h("dialog", { class: "confirm", "aria-labelledby": title, role: "alertdialog", oncancel: end(false) },
      h("h2", { id: title }, plain(confirm.title)),
      h("div", { class: "confirm-text" }, textObject(confirm.text, names)),
      h("div", { class: "dialog-buttons" },
        h("button", { type: "button", class: "button", onclick: end(false) }, confirm.deny ? plain(confirm.deny) : "Cancel"),
        h("button", { type: "button", class: `button ${confirm.style === "danger" ? "danger solid" : "primary"}`, onclick: end(true) },
          confirm.confirm ? plain(confirm.confirm) : "Yes")));
    document.body.append(dialog);
    dialog.showModal();
  });
}
