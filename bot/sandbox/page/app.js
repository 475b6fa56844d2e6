// Puts the page together: requests the user's screen, draws it, and requests it again whenever it changes.

import { actions } from "./actions.js";
import { slack } from "./api.js";
import { composer } from "./composer.js";
import { conversation } from "./conversation.js";
import { layout } from "./layout.js";
import { modal } from "./modal.js";
import { panel } from "./panel.js";
import * as routes from "./route.js";
import { sidebar } from "./sidebar.js";

const RETRY_MS = 2000;
const FIRST_CHANNEL = "family-texts";
const NO_CHANNEL = { id: null, name: "No conversations", kind: "dm", member: false, unread: 0 };

/**
 * The page's state: the people, the user's route, and the last responses. `pending` counts acts without a response yet,
 * `refusals` are sentences that were shown already, `heldToast` waits for a pending response.
 */
const state = {
  team: null, people: [], commands: [], shortcuts: [], route: { as: null, channel: null, tab: null }, screen: null, messages: [],
  pending: 0, refusals: new Set(), heldToast: null,
};
const parts = {};
const frame = layout({ onDistrictOpened: () => parts.panel?.refresh() });
const act = actions({ state, parts, frame, refresh, settle });

start();

async function start() {
  try {
    const [directory, commands, shortcuts] = await Promise.all([slack.people(), slack.commands(), slack.shortcuts()]);
    Object.assign(state, { team: directory.team, people: directory.people, commands, shortcuts });
    state.route.as = directory.me ?? state.people.find(({ kind }) => kind === "member").id;
    state.route = routeFromAddress();
  } catch {
    frame.showOffline(true);
    setTimeout(start, RETRY_MS);
    return;
  }
  frame.showOffline(false);
  createParts();
  addEventListener("popstate", () => {
    state.route = routeFromAddress();
    refresh();
  });
  document.addEventListener("popupclosed", () => refresh());
  await settle();
  listen();
}

function createParts() {
  parts.sidebar = sidebar(frame.sidebar, { act, team: state.team, people: state.people });
  parts.conversation = conversation(frame.main, act);
  const globalShortcuts = state.shortcuts.filter(({ type }) => type !== "message");
  parts.composer = composer(parts.conversation.footer, { act, commands: state.commands, shortcuts: globalShortcuts });
  parts.modal = modal(act);
  parts.panel = panel(frame.district, act);
  document.querySelector(".skip").addEventListener("click", (event) => {
    event.preventDefault();
    if (state.route.tab === "home") parts.conversation.focus();
    else parts.composer.focus();
  });
}

/** The route in the address; an unknown user and a missing conversation are replaced by the current ones. */
function routeFromAddress() {
  const { as, channel, tab } = routes.read();
  const isKnown = state.people.some(({ id }) => id === as);
  return { as: isKnown ? as : state.route.as, channel: channel ?? state.route.channel, tab };
}

let running = null;
let again = false;

/** Draws the current screen; calls during a round share one more round. */
function refresh() {
  again = true;
  running ??= (async () => {
    while (again) {
      again = false;
      await refreshOnce();
    }
  })().finally(() => { running = null; });
  return running;
}

async function refreshOnce() {
  const route = { ...state.route };
  const screen = await slack.screen(route.as);
  if (screen.error) return;
  const channel = screen.conversations.find(({ id }) => id === route.channel) ?? defaultChannel(screen.conversations);
  const tab = channel.kind === "app" ? (route.tab ?? "home") : null;
  const { messages = [] } = tab === "home" || !channel.id ? {} : await slack.messages(route.as, channel.id);
  if (JSON.stringify(route) !== JSON.stringify(state.route)) {
    again = true;
    return;
  }
  Object.assign(state, { screen, messages, route: { as: route.as, channel: channel.id, tab } });
  routes.write(state.route, { step: false });
  draw(channel);
  parts.panel.refresh();
  await showToast(screen.toast);
}

const defaultChannel = (conversations) =>
  conversations.find(({ name }) => name === FIRST_CHANNEL)
  ?? conversations.find(({ kind, member }) => kind === "channel" && member)
  ?? conversations[0] ?? NO_CHANNEL;

function draw(channel) {
  const { route, screen, messages } = state;
  const title = `${channel.kind === "channel" ? "#" : ""}${channel.name}`;
  document.title = `${title} · ${state.team.name}`;
  parts.sidebar.show(route, screen.conversations);
  parts.conversation.show({ route, channel, names: act.names, messages, view: screen.home });
  parts.composer.setLabel(`Message ${title}`);
  parts.modal.show(screen.views);
  if (channel.unread && route.tab !== "home") slack.open(route.as, { channel: channel.id });
}

/**
 * Shows Slack's toast once, unless its words were already shown as a refusal. While a response is pending, the toast may
 * be its refusal: it is held until the round that follows the response.
 */
async function showToast(text) {
  const toast = text ?? state.heldToast;
  if (!toast) return;
  const isShown = state.refusals.delete(toast);
  if (!isShown && state.pending > 0) {
    state.heldToast = toast;
    return;
  }
  if (!isShown) frame.toast(toast, "wrong");
  state.heldToast = null;
  if (text) await slack.dismiss(state.route.as);
}

/** Draws the route and reports it to Slack (the app receives an event for an opened Home tab), then draws the result. */
async function settle() {
  await refresh();
  const { as, channel, tab } = state.route;
  await slack.open(as, tab === "home" ? { channel, home: true } : { channel });
  await refresh();
}

async function listen() {
  for (;;) {
    const { as } = state.route;
    try {
      const { version } = await slack.wait(as, state.screen?.version ?? 0, act.presence());
      if (as === state.route.as && version !== state.screen?.version) await refresh();
    } catch (error) {
      if (error.name === "AbortError") continue;
      frame.showOffline(true);
      await new Promise((later) => setTimeout(later, RETRY_MS));
      await refresh().then(() => frame.showOffline(false), () => {});
    }
  }
}
