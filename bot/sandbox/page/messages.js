// The messages of one conversation as a list that is updated in place: an unchanged message keeps its element, a changed
// one keeps the focus inside it.

import { renderBlocks, sameControl } from "./blocks.js";
import { dayHeading, fullDate, timeOfDay } from "./dates.js";
import { avatar, h, icon } from "./dom.js";
import { mrkdwn } from "./text.js";
import { formValues } from "./values.js";

const GROUPED_WITHIN_SECONDS = 300;

/** A list; `act` carries out presses, dismissals and shortcuts. */
export function messageList(act) {
  const node = h("ol", { class: "messages", "aria-label": "Messages" });
  // ts -> {json, message, node}
  let shown = new Map();

  /** Draws these messages and returns the ones that were not shown before. */
  function show(messages, names) {
    const next = new Map();
    const added = [];
    messages.forEach((message, index) => {
      const heading = headingOf(message, messages[index - 1]);
      const json = JSON.stringify([message, heading]);
      const before = shown.get(message.ts);
      if (!before) added.push(message);
      // An open menu stays until it is closed; then its message is drawn again (see overlays.js).
      if (before?.json === json || before?.node.querySelector(".popup")) next.set(message.ts, before);
      else next.set(message.ts, { json, message, node: replaced(before, row(message, heading, names, act)) });
    });
    arrange(node, [...next.values()].map((entry) => entry.node));
    shown = next;
    return added;
  }

  function clear() {
    shown = new Map();
    node.replaceChildren();
  }

  return { node, show, clear, rowOf: (ts) => shown.get(ts)?.node, contentOf: (ts) => contentOf(shown.get(ts)?.message) };
}

/** The app's content of a message, without what the user has chosen in it since. */
const contentOf = (message) => JSON.stringify([message?.blocks, message?.text]);

/** Puts the new element in the place of the old one and keeps the focus. */
function replaced(before, after) {
  if (!before?.node.isConnected) return after;
  const focused = before.node.contains(document.activeElement) ? document.activeElement : null;
  before.node.replaceWith(after);
  if (focused) (focused.dataset.key && sameControl(after, focused) || after).focus({ preventScroll: true });
  return after;
}

function arrange(list, nodes) {
  const kept = new Set(nodes);
  for (const child of [...list.children]) if (!kept.has(child)) child.remove();
  nodes.forEach((node, index) => list.children[index] !== node && list.insertBefore(node, list.children[index] ?? null));
}

const dayOf = (message) => new Date(message.ts * 1000).toDateString();

function headingOf(message, before) {
  const newDay = !before || dayOf(message) !== dayOf(before);
  const sameAuthor = before?.user.id === message.user.id && !before.ephemeral && !message.ephemeral;
  return { newDay, grouped: !newDay && sameAuthor && message.ts - before.ts < GROUPED_WITHIN_SECONDS };
}

function row(message, { newDay, grouped }, names, act) {
  const { user } = message;
  const ts = Number(message.ts);
  return h("li", { class: `message ${message.ephemeral ? "ephemeral" : ""} ${grouped ? "together" : ""}`, tabindex: -1, data: { ts: message.ts } },
    newDay && h("div", { class: "day" }, h("span", {}, dayHeading(ts))),
    h("div", { class: "message-card" },
      message.ephemeral && ephemeralNote(message, act),
      h("div", { class: "message-row" },
        grouped ? h("span", { class: "avatar-space" }) : avatar(user.id, user.initials),
        h("div", { class: "message-body" },
          !grouped && h("div", { class: "message-head" }, h("span", { class: "who" }, user.name), user.bot && h("span", { class: "badge" }, "App"),
            h("time", { class: "when", title: fullDate(ts) }, timeOfDay(ts))),
          h("div", { class: "blocks" }, body(message, names, act)),
          message.edited && h("span", { class: "edited" }, "(edited)"),
          message.files?.length > 0 && h("div", { class: "files" }, message.files.map(fileCard))))),
    shortcutButtons(message, act));
}

const ephemeralNote = (message, act) =>
  h("div", { class: "ephemeral-note" }, icon("eye"), h("span", {}, "Only visible to you"), h("span", { "aria-hidden": "true" }, "·"),
    h("button", { type: "button", class: "linklike", onclick: () => act.dismiss(message.ts) }, "Dismiss"));

function body(message, names, act) {
  if (!message.blocks?.length) return h("div", { class: "block text" }, mrkdwn(message.text ?? "", names));
  return renderBlocks(message.blocks, act.surface({ kind: "message", message, values: formValues(message.state) }));
}

function shortcutButtons(message, act) {
  const shortcuts = message.ephemeral ? [] : act.messageShortcuts();
  if (!shortcuts.length) return null;
  return h("div", { class: "message-tools" }, shortcuts.map(({ callback_id, name }) =>
    h("button", { type: "button", class: "button", onclick: () => act.shortcut(callback_id, message.ts) }, name)));
}

const UNITS = ["bytes", "KB", "MB"];

function sizeText(bytes) {
  const unit = Math.min(2, Math.floor(Math.log2(Math.max(bytes, 1)) / 10));
  return `${Math.round(bytes / 1024 ** unit)} ${UNITS[unit]}`;
}

/** A file to download, as a card. */
export function fileCard(file) {
  return h("a", { class: "file", href: file.url, download: file.name }, icon("file"),
    h("span", { class: "file-words" }, h("strong", {}, file.name), h("small", {}, file.size ? sizeText(file.size) : "Download")));
}
