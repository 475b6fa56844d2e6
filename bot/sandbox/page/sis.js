// What the student information system holds: find a contact and change its number there, to see what the
// next sync makes of an edit.

import { district, refusalText } from "./door.js";
import { fill, freshId, h } from "./dom.js";

const PAUSE_MS = 250;

/** The search in `root`; `told(text)` says what was done. */
export function sisSearch(root, { told }) {
  const id = freshId("sis");
  const box = h("input", { class: "field", type: "search", id, autocomplete: "off", placeholder: "Name of a contact or student", oninput: later });
  const results = h("ul", { class: "sis-rows" });
  const note = h("p", { class: "soft", role: "status" });
  fill(root, h("label", { class: "unseen", for: id }, "Search the SIS"), box, note, results);
  let timer = null;
  let turn = 0;

  function later() {
    clearTimeout(timer);
    timer = setTimeout(search, PAUSE_MS);
  }

  async function search() {
    turn += 1;
    const mine = turn;
    const q = box.value.trim();
    const { contacts } = q ? await district.sis(q) : { contacts: [] };
    if (mine !== turn) return;
    note.textContent = q && !contacts.length ? `The SIS knows nobody called “${q}”.` : "";
    fill(results, contacts.map((contact) => h("li", {}, row(contact))));
  }

  function row(contact) {
    const field = freshId("phone");
    const problem = h("p", { class: "field-error", id: `${field}-error`, hidden: true });
    const phone = h("input", { class: "field", id: field, type: "tel", value: contact.phone ?? "", autocomplete: "off", placeholder: "No number" });
    const save = h("button", { type: "submit", class: "button small", "aria-label": `Change the number of ${contact.name} in the SIS` }, "Change");
    return h("form", { novalidate: true, onsubmit: async (event) => {
      event.preventDefault();
      const answer = await district.change(contact.sourced_id, phone.value.trim());
      problem.hidden = !answer.error;
      if (answer.error) problem.textContent = refusalText(answer);
      else told(`The SIS now holds ${phone.value.trim() || "no number"} for ${contact.name}. The next sync will read it.`);
    } }, h("label", { for: field }, h("strong", {}, contact.name), " ", h("small", {}, contact.students)), h("div", { class: "inline" }, phone, save), problem);
  }
}
