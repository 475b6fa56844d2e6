// Three first steps for somebody who has never seen this, ticked off as they are done.

import { fill, h, icon } from "./dom.js";

export const FIRST_COMMAND = "/cleanup grade 5 blocked";

const STEPS = [
  { done: "listed", title: "Ask who cannot be texted", button: "Type it for me", act: (act) => act.typeForMe(FIRST_COMMAND),
    words: () => ["Type ", h("code", {}, FIRST_COMMAND), " and press Enter. Only you see the answer."] },
  { done: "fixed", title: "Fix a number", words: () => ["Press ", h("strong", {}, "Fix…"), " beside a student, then ", h("strong", {}, "Edit"), ": type another number and save."] },
  { done: "sent", title: "Send the next mass message", button: "Send it now", act: (act) => act.sendNow(),
    words: () => ["Then read in ", h("strong", {}, "#family-texts"), " whether your fix worked."] },
];

/** The steps in `root`; `show(steps)` with what is done: {listed, fixed, sent}. */
export function firstSteps(root, act) {
  let shown = "";
  return { show };

  function show(steps) {
    const json = JSON.stringify(steps);
    if (json === shown) return;
    shown = json;
    const next = STEPS.findIndex(({ done }) => !steps[done]);
    const count = STEPS.filter(({ done }) => steps[done]).length;
    fill(root,
      h("div", { class: "card-head" }, h("h3", {}, next < 0 ? "All three steps done" : "Three first steps"), h("span", { class: "tally" }, `${count} of ${STEPS.length}`)),
      next < 0 && h("p", { class: "soft" }, "Now act as somebody else and compare what they see, or change a number in the SIS and run the sync."),
      h("ol", { class: "steps" }, STEPS.map((it, index) => step(it, index, steps[it.done], index === next))));
  }

  function step(it, index, done, current) {
    return h("li", { class: `step ${done ? "done" : ""} ${current ? "current" : ""}`, "aria-current": current ? "step" : null },
      h("span", { class: "step-mark" }, done ? icon("check") : String(index + 1)),
      h("div", {}, h("strong", {}, it.title, done && h("span", { class: "unseen" }, " (done)")),
        !done && h("p", {}, it.words()),
        current && it.button && h("button", { type: "button", class: "button small", onclick: () => it.act(act) }, it.button)));
  }
}
