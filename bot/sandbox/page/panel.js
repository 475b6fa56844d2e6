// The panel of the district: what happens outside Slack. Long tasks are answered at once, and polled until they are done.

import { district, errorText } from "./api.js";
import { ago, shortTime } from "./dates.js";
import { fill, freshId, h, icon } from "./dom.js";
import { fileCard } from "./messages.js";

const BUSY_MS = 500;
const IDLE_MS = 4000;
const TYPING_PAUSE_MS = 250;
const TITLES = ["Early dismissal today", "Picture day is tomorrow", "Bus 12 is late", "Report cards are ready", "Snow day: schools are closed"];
const FIRST_COMMAND = "/cleanup grade 5 blocked";

/** The panel in `root`. `act.closeDistrict()` closes it where it is a sheet. */
export function panel(root, act) {
  const parts = Object.fromEntries(["steps", "send", "report", "sync", "text", "sis", "outbox"].map((name) => [name, h("div", {})]));
  const progress = h("div", { class: "progress-area", role: "status" });
  const card = (title, name, open = true) =>
    h("details", { class: "card", open }, h("summary", {}, h("h3", {}, title), icon("down")), parts[name]);
  fill(root,
    h("header", { class: "panel-head" }, h("div", {}, h("h2", {}, "The district today"), h("p", {}, "What happens outside Slack")),
      h("button", { type: "button", class: "button icon-only", "aria-label": "Close", onclick: act.closeDistrict }, icon("close"))),
    h("div", { class: "panel-body", tabindex: 0, role: "region", "aria-label": "Controls of the district" },
      h("section", { class: "card steps-card", "aria-label": "First steps" }, parts.steps), progress,
      card("Send a mass message", "send"), card("Nightly sync", "sync"), card("Report of a messenger", "report", false), card("A family texts us", "text", false), card("Contacts in the SIS", "sis", false), card("Email outbox", "outbox", false),
      h("p", { class: "soft" }, "Maplewood is a made-up district. So are the eight weeks before today in the charts on the Home tab.")));
  const sendForm = sendCard(parts.send, start);
  const steps = stepsCard(parts.steps, { typeForMe: act.typeForMe, sendNow: () => sendForm.send() });
  const sync = syncCard(parts.sync, (run) => start(run()));
  reportCard(parts.report);
  const outbox = outboxCard(parts.outbox);
  textCard(parts.text, act);
  sisCard(parts.sis, act);
  let task = null;
  let timer = null;
  refresh();
  return { refresh };

  async function start(promise) {
    const response = await promise;
    if (response.error) act.toast(errorText(response), "wrong");
    await refresh();
  }

  async function refresh() {
    clearTimeout(timer);
    try {
      show(await district.today());
      outbox.show((await district.outbox()).mails);
    } catch {
      // The page already says that the sandbox is not responding; the panel keeps its last state.
    }
    clearTimeout(timer);
    timer = setTimeout(refresh, task ? BUSY_MS : IDLE_MS);
  }

  function show(today) {
    if (today.error) return;
    steps.show(today.steps);
    act.showStepCount(Object.values(today.steps).filter(Boolean).length);
    showProgress(today.task, today.problem);
    sendForm.show(today);
    sync.show(today);
  }

  function showProgress(running, problem) {
    if (!running && task && !problem) act.announce(`${task.what}: done.`);
    task = running;
    if (!task) return fill(progress, problem && h("p", { class: "problem" }, problem));
    if (progress.dataset.what !== task.what || !progress.firstChild) {
      fill(progress, h("div", { class: "busy" }, h("strong", {}), h("progress", { "aria-label": task.what }), h("p", { class: "soft" })));
    }
    progress.dataset.what = task.what;
    const [title, bar, text] = progress.firstChild.children;
    title.textContent = task.what;
    if (task.total) Object.assign(bar, { max: task.total, value: task.done });
    else bar.removeAttribute("value");
    text.textContent = task.text || (task.total ? `${task.done} of ${task.total}` : "Working…");
  }
}

const STEPS = [
  { id: "listed", title: "See who cannot be texted", button: "Type it for me", run: (act) => act.typeForMe(FIRST_COMMAND),
    text: () => ["Type ", h("code", {}, FIRST_COMMAND), " and press Enter. Only you see the answer."] },
  { id: "fixed", title: "Fix a number",
    text: () => ["Press ", h("strong", {}, "Fix"), " beside a student, type another number, and save."] },
  { id: "sent", title: "Send the next mass message", button: "Send it now", run: (act) => act.sendNow(),
    text: () => ["Then read in ", h("strong", {}, "#family-texts"), " how many contacts left the list."] },
];

/** First steps for a new user; `show(done)` with {listed, fixed, sent}. */
function stepsCard(root, act) {
  let shown = "";
  return { show };

  function show(done) {
    const json = JSON.stringify(done);
    if (json === shown) return;
    shown = json;
    const next = STEPS.findIndex(({ id }) => !done[id]);
    const count = STEPS.filter(({ id }) => done[id]).length;
    fill(root,
      h("div", { class: "card-head" }, h("h3", {}, next < 0 ? "All three steps done" : "Three first steps"),
        h("span", { class: "tally" }, `${count} of ${STEPS.length}`)),
      next < 0 && h("p", { class: "soft" }, "Now act as another person and compare what they see, or change a number in the SIS and run the sync."),
      h("ol", { class: "steps" }, STEPS.map((step, index) => row(step, index, done[step.id], index === next))));
  }

  function row(step, index, isDone, isCurrent) {
    return h("li", { class: `step ${isDone ? "done" : ""} ${isCurrent ? "current" : ""}`, "aria-current": isCurrent ? "step" : null },
      h("span", { class: "step-mark" }, isDone ? icon("check") : String(index + 1)),
      h("div", {}, h("strong", {}, step.title, isDone && h("span", { class: "visually-hidden" }, " (done)")),
        !isDone && h("p", {}, step.text()),
        isCurrent && step.button && h("button", { type: "button", class: "button small", onclick: () => step.run(act) }, step.button)));
  }
}

function sendCard(root, start) {
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

  function show({ messages, task }) {
    button.disabled = Boolean(task);
    const next = TITLES.find((suggestion) => !messages.some((message) => message.title === suggestion)) ?? TITLES[0];
    if (title.value === suggested && document.activeElement !== title) title.value = next;
    suggested = next;
    const json = JSON.stringify(messages);
    if (sent.dataset.shown === json) return;
    sent.dataset.shown = json;
    fill(sent, [...messages].sort((first, second) => (first.sent_at < second.sent_at ? 1 : -1)).map(massMessage));
  }
}

function massMessage(message) {
  const { title, sent_at, delivered, failed, pending } = message;
  const total = delivered + failed + pending || 1;
  const part = (name) => h("span", { class: `part ${name}`, style: `flex-grow:${message[name] / total}` });
  const counts = [`${delivered} delivered`, `${failed} not delivered`, pending > 0 && `${pending} pending`].filter(Boolean).join(" · ");
  return h("li", {}, h("div", { class: "sent-head" }, h("strong", {}, title), h("small", {}, shortTime(sent_at))),
    h("div", { class: "parts", "aria-hidden": "true" }, part("delivered"), part("failed"), part("pending")),
    h("small", {}, counts, message.final ? " · final" : ""));
}

function syncCard(root, run) {
  const summary = h("p", { class: "soft" });
  const button = (words, act) => {
    const onclick = () => {
      buttons.forEach((each) => { each.disabled = true; });
      run(act);
    };
    return h("button", { type: "button", class: "button", onclick }, words);
  };
  const buttons = [
    button("Run the nightly sync now", district.sync),
    button("Lose a school, and sync: held", district.hold),
    button("Start the SIS over, and sync", district.restore),
  ];
  fill(root, summary, h("div", { class: "inline wrap" }, buttons));
  return { show };

  function show({ last_sync: last, task }) {
    buttons.forEach((each) => { each.disabled = Boolean(task); });
    summary.classList.toggle("problem", Boolean(last && !last.ok));
    summary.textContent = last ? `${last.text} (${ago(Date.parse(last.at) / 1000)})` : "No sync has run yet.";
  }
}

/** The delivery report of a messenger that sends no results itself, as a file to import. */
function reportCard(root) {
  fill(root, h("p", { class: "soft" }, "Where the messenger sends no results, the office imports its report: type ", h("code", {}, "/cleanup import"), " and choose this file."),
    h("a", { class: "button", href: district.report, download: "delivery-report.csv" }, "Save the report"));
}

/** A text from a phone to the district's number: STOP, START, a code at the counter, or any other words. */
function textCard(root, act) {
  const [phoneId, wordsId] = [freshId("phone"), freshId("words")];
  const phone = h("input", { class: "field", id: phoneId, type: "tel", autocomplete: "off", placeholder: "(312) 555-0199" });
  const words = h("input", { class: "field", id: wordsId, autocomplete: "off", placeholder: "STOP, START, or the code of Verify now" });
  const problem = h("p", { class: "field-error", role: "status", hidden: true });
  const onsubmit = async (event) => {
    event.preventDefault();
    const response = await district.text(phone.value.trim(), words.value.trim());
    problem.hidden = !response.error;
    if (response.error) problem.textContent = errorText(response);
    else act.toast("The provider forwarded the text.");
  };
  fill(root, h("form", { novalidate: true, onsubmit },
    h("label", { for: phoneId }, "From the number"), phone, h("label", { for: wordsId }, "Words"), words, problem,
    h("button", { type: "submit", class: "button" }, "Text us")));
}

/** A search in the SIS, and a field to change each contact's number there. */
function sisCard(root, act) {
  const id = freshId("sis");
  const box = h("input", { class: "field", type: "search", id, autocomplete: "off", placeholder: "Name of a contact or student", oninput: onInput });
  const results = h("ul", { class: "sis-rows" });
  const note = h("p", { class: "soft", role: "status" });
  fill(root, h("label", { class: "visually-hidden", for: id }, "Search the SIS"), box, note, results);
  let timer = null;
  let latestQuery = 0;

  function onInput() {
    clearTimeout(timer);
    timer = setTimeout(search, TYPING_PAUSE_MS);
  }

  async function search() {
    latestQuery += 1;
    const thisQuery = latestQuery;
    const text = box.value.trim();
    const { contacts } = text ? await district.findContacts(text) : { contacts: [] };
    if (thisQuery !== latestQuery) return;
    note.textContent = text && !contacts.length ? `No contact or student in the SIS matches “${text}”.` : "";
    fill(results, contacts.map((contact) => h("li", {}, row(contact))));
  }

  function row(contact) {
    const field = freshId("phone");
    const problem = h("p", { class: "field-error", id: `${field}-error`, hidden: true });
    const phone = h("input", { class: "field", id: field, type: "tel", value: contact.phone ?? "", autocomplete: "off", placeholder: "No number" });
    const save = h("button", { type: "submit", class: "button small", "aria-label": `Change the number of ${contact.name} in the SIS` }, "Change");
    const onsubmit = async (event) => {
      event.preventDefault();
      const number = phone.value.trim();
      const response = await district.changePhone(contact.sourced_id, number);
      problem.hidden = !response.error;
      if (response.error) problem.textContent = errorText(response);
      else act.toast(`The SIS now has ${number || "no number"} for ${contact.name}. The next sync will read it.`);
    };
    return h("form", { novalidate: true, onsubmit },
      h("label", { for: field }, h("strong", {}, contact.name), " ", h("small", {}, contact.students)),
      h("div", { class: "inline" }, phone, save), problem);
  }
}

/** Email that the app sent, newest first. */
function outboxCard(root) {
  let shown = "";
  return { show };

  function show(mails) {
    const json = JSON.stringify(mails);
    if (json === shown) return;
    shown = json;
    fill(root, mails.length ? mails.map(mail) : h("p", { class: "soft" }, "No email yet. Lists that the app sends by email appear here."));
  }
}

function mail({ subject, to, at, text, attachments }) {
  return h("details", { class: "mail" }, h("summary", {}, h("strong", {}, subject), h("small", {}, `To ${to} · ${shortTime(at)}`)),
    h("div", { class: "mail-text" }, text), attachments.length > 0 && h("div", { class: "files" }, attachments.map(fileCard)));
}
