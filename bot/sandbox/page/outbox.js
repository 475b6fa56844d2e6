// Mail the app would have sent: it stays here, to be read.

import { shortMoment } from "./dates.js";
import { fill, h } from "./dom.js";
import { fileCard } from "./messages.js";

/** The mails in `root`; newest first. */
export function outbox(root) {
  let shown = "";
  return { show };

  function show(mails) {
    const json = JSON.stringify(mails);
    if (json === shown) return;
    shown = json;
    fill(root, mails.length ? mails.map(mail) : h("p", { class: "soft" }, "No mail yet. A list the app sends by e-mail arrives here."));
  }
}

function mail(it) {
  return h("details", { class: "mail" }, h("summary", {}, h("strong", {}, it.subject), h("small", {}, `To ${it.to} · ${shortMoment(it.at)}`)),
    h("div", { class: "mail-text" }, it.text), it.attachments.length > 0 && h("div", { class: "files" }, it.attachments.map(fileCard)));
}
