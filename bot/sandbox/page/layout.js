// The frame: three panes side by side, on a phone one at a time, the district as a sheet. Also what the
// page says on its own: toasts, the quiet voice for screen readers, and that the sandbox is gone.

import { fill, h, icon } from "./dom.js";

const TOAST_MS = 7000;
const STEPS = 3;

const byId = (id) => document.getElementById(id);

/** The panes of index.html and what they can do together. */
export function layout({ onDistrict }) {
  const app = byId("app");
  const [side, main, district] = ["sidebar", "conversation", "district"].map(byId);
  const phone = matchMedia("(max-width: 719px)");
  const sheet = matchMedia("(max-width: 1099px)");
  const backdrop = h("div", { class: "backdrop", hidden: true, onclick: () => closeDistrict() });
  const tally = h("span", { class: "tally", hidden: true });
  const toggle = h("button", { type: "button", class: "button district-button", "aria-controls": "district", onclick: () => (isOpen() ? closeDistrict() : openDistrict()) },
    icon("building"), h("span", { class: "district-words" }, "District"), tally);
  let open = !sheet.matches;
  let spoken = null;
  app.append(backdrop);
  district.addEventListener("keydown", (event) => event.key === "Escape" && sheet.matches && closeDistrict());
  sheet.addEventListener("change", () => { open = !sheet.matches; arrange(); });
  phone.addEventListener("change", arrange);
  arrange();
  return { sidebar: side, main, district, show, toast, announce, offline, closeDistrict, leaveSheet, stepsDone, isPhone: () => phone.matches, districtButton: () => toggle };

  function isOpen() {
    return open;
  }

  function arrange() {
    const covers = open && sheet.matches;
    app.dataset.district = open ? "open" : "closed";
    toggle.setAttribute("aria-expanded", String(open));
    backdrop.hidden = !covers;
    district.inert = !open;
    main.inert = covers || (phone.matches && app.dataset.pane !== "main");
    side.inert = covers || (phone.matches && app.dataset.pane === "main");
  }

  function show(pane) {
    app.dataset.pane = pane;
    arrange();
    if (phone.matches) (pane === "main" ? main.querySelector(".back") : side.querySelector("[aria-current]") ?? side.querySelector("button"))?.focus();
  }

  function openDistrict() {
    open = true;
    arrange();
    onDistrict();
    district.querySelector("button").focus();
  }

  function closeDistrict() {
    open = false;
    arrange();
    toggle.focus();
  }

  /** Where the district covers the conversation, uncovers it. */
  function leaveSheet() {
    if (open && sheet.matches) closeDistrict();
  }

  function stepsDone(count) {
    tally.hidden = count === STEPS;
    tally.textContent = `${count}/${STEPS}`;
    tally.setAttribute("aria-label", `${count} of ${STEPS} first steps done`);
  }

  function toast(words, kind = "fine") {
    document.querySelector(".toast")?.remove();
    const note = h("div", { class: `toast ${kind}`, role: kind === "wrong" ? "alert" : "status" }, h("span", {}, words),
      h("button", { type: "button", class: "button icon-only", "aria-label": "Dismiss", onclick: () => note.remove() }, icon("close")));
    // A modal dialog makes the rest of the page inert, so a toast has to stand inside it to be seen and heard.
    (document.querySelector("dialog[open]") ?? document.body).append(note);
    setTimeout(() => note.remove(), TOAST_MS);
  }

  function announce(words) {
    clearTimeout(spoken);
    spoken = setTimeout(() => fill(byId("voice"), h("p", {}, words)), 100);
  }

  function offline(gone) {
    byId("offline").hidden = !gone;
  }
}
