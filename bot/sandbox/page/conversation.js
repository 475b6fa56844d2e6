// The middle of the page: the heading of a conversation, its messages or the app's Home, and their scrolling. A user at the
// newest message stays there; a user who reads older ones is not moved, but a button appears.

import { renderBlocks, sameControl } from "./blocks.js";
import { fill, h, icon } from "./dom.js";
import { messageList } from "./messages.js";
import { formValues } from "./values.js";

export const HOME = "home";
const NEAR_END_PX = 80;
const KINDS = { channel: "Channel", dm: "Direct message", app: "App" };

/** The pane in `root`. */
export function conversation(root, act) {
  const head = h("header", { class: "pane-head" });
  const list = messageList(act);
  const home = h("div", { class: "home" });
  const empty = h("p", { class: "empty" });
  const scroller = h("div", { class: "scroller", tabindex: 0, role: "region", onscroll: () => isAtEnd() && (newBelow.hidden = true) },
    list.node, home, empty);
  const newBelow = h("button", { type: "button", class: "new-below", hidden: true, onclick: () => scrollToEnd() }, icon("down"), "New message");
  const footer = h("div", { class: "pane-foot" });
  fill(root, head, h("div", { class: "pane-body" }, scroller, newBelow), footer);
  let shownRoute = null;
  let shownHome = "";
  let followed = null;
  return { footer, show, follow, focus: () => scroller.focus({ preventScroll: true }) };

  /** Shows a message (its ts) or the Home tab from its top once it has changed: a button at its foot changes a whole page. */
  function follow(place) {
    followed = place && { place, content: place === HOME ? shownHome : list.contentOf(place) };
  }

  function show({ route, channel, names, messages, view }) {
    const routeKey = `${route.as} ${route.channel} ${route.tab}`;
    const moved = shownRoute !== routeKey;
    const wasAtEnd = isAtEnd();
    shownRoute = routeKey;
    drawHead(channel, route.tab);
    const onHome = channel.kind === "app" && route.tab === "home";
    if (moved) newBelow.hidden = true;
    home.hidden = !onHome;
    list.node.hidden = onHome;
    footer.hidden = onHome;
    scroller.setAttribute("aria-label", onHome ? `Home of ${channel.name}` : `Messages in ${channel.name}`);
    if (onHome) return drawHome(view, moved);
    if (moved) list.clear();
    const added = list.show(messages, names);
    showEmpty(messages.length === 0 && emptyText(channel));
    if (moved) return scrollToEnd();
    if (added.length) revealAdded(added, wasAtEnd);
    else revealFollowed();
  }

  function revealFollowed() {
    const row = followed && list.rowOf(followed.place);
    if (!row || list.contentOf(followed.place) === followed.content) return;
    followed = null;
    const isTopVisible = row.offsetTop >= scroller.scrollTop && row.offsetTop <= scroller.scrollTop + scroller.clientHeight;
    if (!isTopVisible) scroller.scrollTo({ top: row.offsetTop - 8 });
  }

  function revealAdded(added, wasAtEnd) {
    const first = list.rowOf(added[0].ts);
    const last = added.at(-1);
    act.announce(`${last.user.name}${last.ephemeral ? ", only to you" : ""}: ${last.text}`);
    // An ephemeral message answers what the user just did, so it is shown wherever the user was reading.
    if (!wasAtEnd && !last.ephemeral && last.user.id !== act.me()) newBelow.hidden = false;
    else if (first.offsetHeight > scroller.clientHeight) scroller.scrollTo({ top: first.offsetTop - 8 });
    else scrollToEnd();
  }

  function drawHead(channel, tab) {
    const json = JSON.stringify([{ ...channel, unread: 0 }, tab]);
    if (head.dataset.shown === json) return;
    head.dataset.shown = json;
    const focusInTabs = head.contains(document.activeElement) && document.activeElement.dataset.tab;
    const isChannel = channel.kind === "channel";
    const subtitle = isChannel && !channel.member ? "You are not a member of this channel" : KINDS[channel.kind];
    fill(head,
      h("button", { type: "button", class: "button icon-only back", "aria-label": "Back to the list of conversations", onclick: act.back }, icon("back")),
      h("div", { class: "pane-title" },
        h("h1", {}, isChannel && icon(channel.private ? "lock" : "hash"), channel.name),
        h("p", {}, channel.shared ? "Shared with another organization" : subtitle)),
      channel.has_app === false && isChannel &&
        h("button", { type: "button", class: "button small invite", onclick: act.invite }, `Add ${act.appName()}`),
      channel.kind === "app" && tabs(channel, tab),
      act.districtButton());
    if (focusInTabs) head.querySelector("[aria-selected=true]")?.focus();
  }

  function tabs(channel, selected) {
    const other = selected === "home" ? "messages" : "home";
    const onkeydown = (event) => ["ArrowLeft", "ArrowRight"].includes(event.key) && act.go(channel.id, other);
    const tab = (id, title) => h("button", { type: "button", role: "tab", "aria-selected": String(selected === id), tabindex: selected === id ? 0 : -1,
      data: { tab: id }, onclick: () => act.go(channel.id, id), onkeydown }, title);
    return h("div", { class: "tabs", role: "tablist", "aria-label": channel.name }, tab("home", "Home"), tab("messages", "Messages"));
  }

  function drawHome(view, moved) {
    showEmpty(!view && "The app has not published anything here yet.");
    const json = JSON.stringify([view?.id, view?.blocks]);
    if (json === shownHome && !moved) return;
    shownHome = json;
    const focused = home.contains(document.activeElement) && document.activeElement.dataset.key ? document.activeElement : null;
    fill(home, view && renderBlocks(view.blocks, act.surface({ kind: "home", view, values: formValues(view.state?.values) })));
    const isAnswered = followed?.place === HOME && followed.content !== json;
    if (moved || isAnswered) scroller.scrollTop = 0;
    if (isAnswered) followed = null;
    if (focused) sameControl(home, focused)?.focus({ preventScroll: true });
  }

  function showEmpty(text) {
    empty.hidden = !text;
    empty.textContent = text || "";
  }

  function isAtEnd() {
    return scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR_END_PX;
  }

  function scrollToEnd() {
    scroller.scrollTop = scroller.scrollHeight;
    newBelow.hidden = true;
  }
}

function emptyText(channel) {
  if (channel.kind === "app") return "Ask the app a question, for example: who in 5B has no one? Private messages from it appear here, too.";
  if (channel.kind === "dm") return `This is the beginning of your conversation with ${channel.name}.`;
  return `This is the beginning of #${channel.name}. Type /cleanup below to see which contacts cannot be texted.`;
}
