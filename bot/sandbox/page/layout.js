// The three panes: side by side, on a phone one at a time, the district as a sheet. Also toasts, announcements for screen
// readers, and the notice that the sandbox is not responding.

import { fill, h, icon } from "./dom.js";

const TOAST_MS = 7000;
const STEPS = 3;

const byId = (id) => document.getElementById(id);

/** The panes of index.html. */
export function layout({ onDistrictOpened }) {
  const app = byId("app");
  const [sidebar, main, district] = ["sidebar", "conversation", "district"].map(byId);
  const phone = matchMedia("(max-width: 719px)");
  const sheet = matchMedia("(max-width: 1099px)");
  const backdrop = h("div", { class: "backdrop", hidden: true, onclick: closeDistrict });
  const stepCount = h("span", { class: "tally", hidden: true });
  const toggle = h("button", { type: "button", class: "button district-button", "aria-controls": "district", onclick: () => (isOpen ? closeDistrict() : openDistrict()) },
    icon("building"), h("span", { class: "district-words" }, "District"), stepCount);
  let isOpen = !sheet.matches;
  let announcing = null;
  app.append(backdrop);
  district.addEventListener("keydown", (event) => event.key === "Escape" && sheet.matches && closeDistrict());
  sheet.addEventListener("change", () => { isOpen = !sheet.matches; arrange(); });
  phone.addEventListener("change", arrange);
  arrange();
  return { sidebar, main, district, show, toast, announce, showOffline, closeDistrict, uncoverConversation, showStepCount,
    isPhone: () => phone.matches, districtButton: () => toggle };

  function arrange() {
    const isCovering = isOpen && sheet.matches;
    app.dataset.district = isOpen ? "open" : "closed";
    toggle.setAttribute("aria-expanded", String(isOpen));
    backdrop.hidden = !isCovering;
    district.inert = !isOpen;
    main.inert = isCovering || (phone.matches && app.dataset.pane !== "main");
    sidebar.inert = isCovering || (phone.matches && app.dataset.pane === "main");
  }

  function show(pane) {
    app.dataset.pane = pane;
    arrange();
    if (!phone.matches) return;
    if (pane === "main") main.querySelector(".back")?.focus();
    else (sidebar.querySelector("[aria-current]") ?? sidebar.querySelector("button"))?.focus();
  }

  function openDistrict() {
    isOpen = true;
    arrange();
    onDistrictOpened();
    district.querySelector("button").focus();
  }

  function closeDistrict() {
    isOpen = false;
    arrange();
    toggle.focus();
  }

  /** Closes the district where it covers the conversation. */
  function uncoverConversation() {
    if (isOpen && sheet.matches) closeDistrict();
  }

  function showStepCount(count) {
    stepCount.hidden = count === STEPS;
    stepCount.textContent = `${count}/${STEPS}`;
    stepCount.setAttribute("aria-label", `${count} of ${STEPS} first steps done`);
  }

  function toast(text, kind = "fine") {
    document.querySelector(".toast")?.remove();
    const note = h("div", { class: `toast ${kind}`, role: kind === "wrong" ? "alert" : "status" }, h("span", {}, text),
      h("button", { type: "button", class: "button icon-only", "aria-label": "Dismiss", onclick: () => note.remove() }, icon("close")));
    // A modal dialog makes the rest of the page inert, so a toast must be inside it to be seen and read aloud.
    (document.querySelector("dialog[open]") ?? document.body).append(note);
    setTimeout(() => note.remove(), TOAST_MS);
  }

  function announce(text) {
    clearTimeout(announcing);
    announcing = setTimeout(() => fill(byId("announcer"), h("p", {}, text)), 100);
  }

  function showOffline(isOffline) {
    byId("offline").hidden = !isOffline;
  }
}
