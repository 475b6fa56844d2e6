// The district today: what happens outside Slack. Long work answers at once and is watched until it is done.

import { ago, shortMoment } from "./dates.js";
import { district, refusalText } from "./door.js";
import { fill, freshId, h, icon } from "./dom.js";
import { outbox } from "./outbox.js";
import { sisSearch } from "./sis.js";
import { firstSteps } from "./steps.js";

const BUSY_MS = 500;
const IDLE_MS = 4000;
const TITLES = ["Early dismissal today", "Picture day is tomorrow", "Bus 12 is late", "Report cards are ready", "Snow day: schools are closed"];

/** The panel in `root`. `act.closeDistrict()` puts it away where it is a sheet. */
export function panel(root, act) {
  const parts = Object.fromEntries(["steps", "send", "sync", "sis", "outbox"].map((name) => [name, h("div", {})]));
  const bar = h("div", { class: "progress-room", role: "status" });
  const card = (title, name, open = true) => h("details", { class: "card", open }, h("summary", {}, h("h3", {}, title), icon("down")), parts[name]);
  fill(root,
    h("header", { class: "panel-head" }, h("div", {}, h("h2", {}, "The district today"), h("p", {}, "What happens outside Slack")),
      h("button", { type: "button", class: "button icon-only", "aria-label": "Close", onclick: act.closeDistrict }, icon("close"))),
    h("div", { class: "panel-body", tabindex: 0, role: "region", "aria-label": "Controls of the district" },
      h("section", { class: "card steps-card", "aria-label": "First steps" }, parts.steps), bar,
      card("Send a mass message", "send"), card("Nightly sync", "sync"), card("What the SIS holds", "sis", false), card("Outbox for e-mail", "outbox", false)));
  const steps = firstSteps(parts.steps, { typeForMe: act.typeForMe, sendNow: () => form.send() });
  const form = sendForm(parts.send, start);
  const mails = outbox(parts.outbox);
  const sync = syncCard(parts.sync, () => start(district.sync()));
  sisSearch(parts.sis, { told: act.announceVisibly });
  let busy = null;
  let timer = null;
  tick();
  return { tick };

  async function start(promise) {
    const answer = await promise;
    if (answer.error) act.announceVisibly(refusalText(answer), "wrong");
    await tick();
    return answer;
  }

  async function tick() {
    clearTimeout(timer);
    try {
      show(await district.today());
      mails.show((await district.outbox()).mails);
    } catch {
      // The conversation already says that the sandbox does not answer; the panel keeps what it last knew.
    }
    clearTimeout(timer);
    timer = setTimeout(tick, busy ? BUSY_MS : IDLE_MS);
  }

  function show(today) {
    if (today.error) return;
    steps.show(today.steps);
    act.stepsDone(Object.values(today.steps).filter(Boolean).length);
    progress(today.busy, today.problem);
    form.show(today);
    sync.show(today);
  }

  function progress(now, problem) {
    if (!now && busy && !problem) act.announce(`${busy.what}: done.`);
    busy = now;
    if (!now) return fill(bar, problem && h("p", { class: "problem" }, problem));
    const total = now.total || null;
    if (bar.dataset.what !== now.what || !bar.firstChild) fill(bar, h("div", { class: "busy" }, h("strong", {}), h("progress", { "aria-label": now.what }), h("p", { class: "soft" })));
    bar.dataset.what = now.what;
    const [title, meter, words] = bar.firstChild.children;
    title.textContent = now.what;
    if (total) Object.assign(meter, { max: total, value: now.done });
    else meter.removeAttribute("value");
    words.textContent = now.text || (total ? `${now.done} of ${total}` : "Working…");
  }
}

function sendForm(root, start) {
  const id = freshId("title");
  const title = h("input", { class: "field", id, maxlength: 120, autocomplete: "off", value: TITLES[0] });
  const button = h("button", { type: "submit", class: "button primary" }, "Send");
  const sent = h("ul", { class: "sent" });
  fill(root, h("form", { novalidate: true, onsubmit: (event) => { event.preventDefault(); send(); } },
    h("label", { class: "label", for: id }, "Title"), title, button), sent);
  let suggested = TITLES[0];
  return { send, show };

  async function send() {
    if (button.disabled) return;
    button.disabled = true;
    await start(district.send(title.value.trim() || suggested));
  }

  function show({ messages, busy }) {
    button.disabled = Boolean(busy);
    const next = TITLES.find((it) => !messages.some((message) => message.title === it)) ?? TITLES[0];
    if (title.value === suggested && document.activeElement !== title) title.value = next;
    suggested = next;
    const json = JSON.stringify(messages);
    if (sent.dataset.shown === json) return;
    sent.dataset.shown = json;
    fill(sent, [...messages].sort((one, other) => (one.sent_at < other.sent_at ? 1 : -1)).map(row));
  }
}

function row(it) {
  const total = it.delivered + it.failed + it.pending || 1;
  const part = (name) => h("span", { class: `part ${name}`, style: `flex-grow:${it[name] / total}` });
  const said = [`${it.delivered} delivered`, `${it.failed} not delivered`, it.pending > 0 && `${it.pending} on their way`].filter(Boolean).join(" · ");
  return h("li", {}, h("div", { class: "sent-head" }, h("strong", {}, it.title), h("small", {}, shortMoment(it.sent_at))),
    h("div", { class: "parts", "aria-hidden": "true" }, part("delivered"), part("failed"), part("pending")),
    h("small", {}, said, it.settled ? " · final" : ""));
}

function syncCard(root, run) {
  const words = h("p", { class: "soft" });
  const button = h("button", { type: "button", class: "button", onclick: () => { button.disabled = true; run(); } }, "Run the nightly sync now");
  fill(root, words, button);
  return { show };

  function show({ last_sync: last, busy }) {
    button.disabled = Boolean(busy);
    words.classList.toggle("problem", Boolean(last && !last.ok));
    words.textContent = last ? `${last.text} (${ago(typeof last.at === "number" ? last.at : Date.parse(last.at) / 1000)})` : "The SIS has not been read yet.";
  }
}
