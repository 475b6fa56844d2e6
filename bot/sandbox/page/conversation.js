// The middle of the screen: the heading of a conversation, its messages or the app's Home, and how they scroll.
// Who reads the newest stays at the newest; who reads older ones is not moved, but told.

import { renderBlocks, sameControl } from "./blocks.js";
import { fill, h, icon } from "./dom.js";
import { messageList } from "./messages.js";
import { memory } from "./values.js";

const NEAR_PX = 80;
const KINDS = { channel: "Channel", dm: "Direct message", app: "App" };

/** The pane in `root`; `act` says what people can do in it. */
export function conversation(root, act) {
  const head = h("header", { class: "pane-head" });
  const list = messageList(act);
  const home = h("div", { class: "home" });
  const empty = h("p", { class: "empty" });
  const scroller = h("div", { class: "scroller", tabindex: 0, role: "region", onscroll: () => atEnd() && (more.hidden = true) }, list.node, home, empty);
  const more = h("button", { type: "button", class: "new-below", hidden: true, onclick: () => toEnd() }, icon("down"), "New message");
  const footer = h("div", { class: "pane-foot" });
  fill(root, head, h("div", { class: "pane-body" }, scroller, more), footer);
  let now = null;
  let homeShown = "";
  let followed = null;
  return { footer, show, follow, focus: () => scroller.focus({ preventScroll: true }) };

  /** Shows this message from its top once a press has changed it: a button at its foot turns a whole page. */
  function follow(ts) {
    followed = ts && { ts, said: list.saidIn(ts) };
  }

  function show({ place, channel, names, messages, view }) {
    const moved = now !== `${place.as} ${place.channel} ${place.tab}`;
    const stay = atEnd();
    now = `${place.as} ${place.channel} ${place.tab}`;
    drawHead(channel, place.tab);
    const onHome = channel.kind === "app" && place.tab === "home";
    if (moved) more.hidden = true;
    home.hidden = !onHome;
    list.node.hidden = onHome;
    footer.hidden = onHome;
    scroller.setAttribute("aria-label", onHome ? `Home of ${channel.name}` : `Messages in ${channel.name}`);
    if (onHome) return drawHome(view, moved);
    if (moved) list.clear();
    const fresh = list.show(messages, names);
    say(empty, messages.length === 0 && quiet(channel));
    if (moved) return toEnd();
    if (fresh.length) arrived(fresh, stay);
    else turned();
  }

  function turned() {
    const row = followed && list.rowOf(followed.ts);
    if (!row || list.saidIn(followed.ts) === followed.said) return;
    followed = null;
    if (row.offsetTop < scroller.scrollTop || row.offsetTop > scroller.scrollTop + scroller.clientHeight) scroller.scrollTo({ top: row.offsetTop - 8 });
  }

  function arrived(fresh, stay) {
    const first = list.rowOf(fresh[0].ts);
    const last = fresh.at(-1);
    act.announce(`${last.user.name}${last.ephemeral ? ", only to you" : ""}: ${last.text}`);
    // A private message answers what the person just did, so it is brought into view wherever they were reading.
    if (!stay && !last.ephemeral && last.user.id !== act.me()) more.hidden = false;
    else if (first.offsetHeight > scroller.clientHeight) scroller.scrollTo({ top: first.offsetTop - 8 });
    else toEnd();
  }

  function drawHead(channel, tab) {
    const key = JSON.stringify([{ ...channel, unread: 0 }, tab]);
    if (head.dataset.shown === key) return;
    head.dataset.shown = key;
    const inHead = head.contains(document.activeElement) && document.activeElement.dataset.tab;
    const words = channel.kind === "channel" && !channel.member ? "You are not a member of this channel" : KINDS[channel.kind];
    fill(head,
      h("button", { type: "button", class: "button icon-only back", "aria-label": "Back to the list of conversations", onclick: act.back }, icon("back")),
      h("div", { class: "pane-title" },
        h("h1", {}, channel.kind === "channel" && icon(channel.private ? "lock" : "hash"), channel.name),
        h("p", {}, channel.shared ? "Shared with another organisation" : words)),
      channel.app_is_here === false && channel.kind === "channel" &&
        h("button", { type: "button", class: "button small invite", onclick: act.invite }, `Add ${act.appName()}`),
      channel.kind === "app" && tabs(channel, tab),
      act.districtButton());
    if (inHead) head.querySelector("[aria-selected=true]")?.focus();
  }

  function tabs(channel, tab) {
    const one = (id, words) => h("button", { type: "button", role: "tab", "aria-selected": String(tab === id), tabindex: tab === id ? 0 : -1,
      data: { tab: id }, onclick: () => act.go(channel.id, id), onkeydown: step }, words);
    const step = (event) => ["ArrowLeft", "ArrowRight"].includes(event.key) && act.go(channel.id, tab === "home" ? "messages" : "home");
    return h("div", { class: "tabs", role: "tablist", "aria-label": channel.name }, one("home", "Home"), one("messages", "Messages"));
  }

  function drawHome(view, moved) {
    say(empty, !view && "The app has not put anything here yet.");
    const json = JSON.stringify([view?.id, view?.blocks]);
    if (json === homeShown && !moved) return;
    homeShown = json;
    const active = home.contains(document.activeElement) && document.activeElement.dataset.key ? document.activeElement : null;
    fill(home, view && renderBlocks(view.blocks, act.surface({ kind: "home", view, memory: memory(view.state?.values) })));
    if (moved) scroller.scrollTop = 0;
    if (active) sameControl(home, active)?.focus({ preventScroll: true });
  }

  function atEnd() {
    return scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR_PX;
  }

  function toEnd() {
    scroller.scrollTop = scroller.scrollHeight;
    more.hidden = true;
  }
}

function say(node, words) {
  node.hidden = !words;
  node.textContent = words || "";
}

function quiet(channel) {
  if (channel.kind === "app") return "Messages from the app to you alone will stand here.";
  if (channel.kind === "dm") return `This is the beginning of your conversation with ${channel.name}.`;
  return `This is the beginning of #${channel.name}. Type /cleanup below to ask who cannot be texted.`;
}
