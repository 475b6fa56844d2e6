// The messages of one conversation as a list that changes in place: a message that did not change keeps
// its element, one that did keeps the focus inside it.

import { renderBlocks, sameControl } from "./blocks.js";
import { dayHeading, fullMoment, timeOfDay } from "./dates.js";
import { avatar, h, icon } from "./dom.js";
import { mrkdwn } from "./mrkdwn.js";
import { memory } from "./values.js";

const TOGETHER_SECONDS = 300;

/** A list; `act` says what pressing, dismissing and shortcuts do. */
export function messageList(act) {
  const node = h("ol", { class: "messages", "aria-label": "Messages" });
  let shown = new Map();

  /** Draws these messages; answers those that were not there before. */
  function show(messages, names) {
    const next = new Map();
    const fresh = [];
    messages.forEach((message, index) => {
      const head = heading(message, messages[index - 1]);
      const json = JSON.stringify([message, head]);
      const before = shown.get(message.ts);
      if (!before) fresh.push(message);
      if (before?.json === json || isInUse(before)) next.set(message.ts, before);
      else next.set(message.ts, { json, message, node: redrawn(before, row(message, head, names, act)) });
    });
    arrange(node, [...next.values()].map((entry) => entry.node));
    shown = next;
    return fresh;
  }

  return { node, show, clear: () => { shown = new Map(); node.replaceChildren(); }, rowOf: (ts) => shown.get(ts)?.node, saidIn: (ts) => said(shown.get(ts)?.message) };
}

/** What the app put into a message, apart from what somebody has chosen in it since. */
const said = (message) => JSON.stringify([message?.blocks, message?.text]);

/** A menu that somebody has open stays until they are done with it; then the message is drawn as it is (see popup.js). */
const isInUse = (entry) => Boolean(entry?.node.querySelector(".popup"));

/** Puts the new element where the old one is, and the focus where it was. */
function redrawn(before, after) {
  if (!before?.node.isConnected) return after;
  const active = before.node.contains(document.activeElement) ? document.activeElement : null;
  before.node.replaceWith(after);
  if (active) (active.dataset.key && sameControl(after, active) || after).focus({ preventScroll: true });
  return after;
}

function arrange(list, nodes) {
  const keep = new Set(nodes);
  for (const child of [...list.children]) if (!keep.has(child)) child.remove();
  nodes.forEach((node, index) => list.children[index] !== node && list.insertBefore(node, list.children[index] ?? null));
}

const sameDay = (one, other) => new Date(one * 1000).toDateString() === new Date(other * 1000).toDateString();

function heading(message, before) {
  const newDay = !before || !sameDay(message.ts, before.ts);
  const together = !newDay && before.user.id === message.user.id && !before.ephemeral && !message.ephemeral && message.ts - before.ts < TOGETHER_SECONDS;
  return { newDay, together };
}

function row(message, { newDay, together }, names, act) {
  const { user } = message;
  const when = Number(message.ts);
  return h("li", { class: `message ${message.ephemeral ? "ephemeral" : ""} ${together ? "together" : ""}`, tabindex: -1, data: { ts: message.ts } },
    newDay && h("div", { class: "day" }, h("span", {}, dayHeading(when))),
    h("div", { class: "message-card" },
      message.ephemeral && privately(message, act),
      h("div", { class: "message-row" },
        together ? h("span", { class: "avatar-space" }) : avatar(user.id, user.initials),
        h("div", { class: "message-body" },
          !together && h("div", { class: "message-head" }, h("span", { class: "who" }, user.name), user.bot && h("span", { class: "badge" }, "App"),
            h("time", { class: "when", title: fullMoment(when) }, timeOfDay(when))),
          h("div", { class: "blocks" }, body(message, names, act)),
          message.edited && h("span", { class: "edited" }, "(edited)"),
          message.files?.length > 0 && h("div", { class: "files" }, message.files.map(fileCard))))),
    messageMenu(message, act));
}

const privately = (message, act) =>
  h("div", { class: "privately" }, icon("eye"), h("span", {}, "Only visible to you"), h("span", { "aria-hidden": "true" }, "·"),
    h("button", { type: "button", class: "linklike", onclick: () => act.dismiss(message.ts) }, "Dismiss"));

function body(message, names, act) {
  if (!message.blocks?.length) return h("div", { class: "block text" }, mrkdwn(message.text ?? "", names));
  return renderBlocks(message.blocks, act.surface({ kind: "message", message, memory: memory(message.state) }));
}

function messageMenu(message, act) {
  const shortcuts = message.ephemeral ? [] : act.messageShortcuts();
  if (!shortcuts.length) return null;
  return h("div", { class: "message-tools" }, shortcuts.map((it) =>
    h("button", { type: "button", class: "button", onclick: () => act.shortcut(it.callback_id, message.ts) }, it.name)));
}

const SIZES = ["bytes", "KB", "MB"];

function size(bytes) {
  const step = Math.min(2, Math.floor(Math.log2(Math.max(bytes, 1)) / 10));
  return `${Math.round(bytes / 1024 ** step)} ${SIZES[step]}`;
}

/** A file to fetch, as a card. */
export function fileCard(file) {
  return h("a", { class: "file", href: file.url, download: file.name }, icon("file"),
    h("span", { class: "file-words" }, h("strong", {}, file.name), h("small", {}, file.size ? size(file.size) : "Download")));
}
