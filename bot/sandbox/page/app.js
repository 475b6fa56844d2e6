// Puts the page together: asks the door what a person's screen looks like, shows it, and asks again
// whenever the door says that something changed.

import { actions } from "./actions.js";
import { composer } from "./composer.js";
import { conversation } from "./conversation.js";
import { slack } from "./door.js";
import { layout } from "./layout.js";
import { modal } from "./modal.js";
import { panel } from "./panel.js";
import * as places from "./place.js";
import { sidebar } from "./sidebar.js";

const AGAIN_MS = 2000;
const FIRST_CHANNEL = "family-texts";
const NOWHERE = { id: null, name: "No conversations", kind: "dm", member: false, unread: 0 };

/** Everything the page knows: who there is, where the person is, and what the door last said. */
const world = { people: [], commands: [], shortcuts: [], place: { as: null, channel: null, tab: null }, screen: null, messages: [],
  unanswered: 0, refusals: new Set(), kept: null };
const parts = {};
const frame = layout({ onDistrict: () => parts.panel?.tick() });
const act = actions({ world, parts, frame, refresh, settle });

start();

async function start() {
  try {
    const [directory, commands, shortcuts] = await Promise.all([slack.people(), slack.commands(), slack.shortcuts()]);
    Object.assign(world, { team: directory.team, people: directory.people, commands, shortcuts });
    world.place = { ...world.place, as: directory.me ?? world.people.find(({ kind }) => kind === "member").id };
    world.place = addressed();
  } catch {
    frame.offline(true);
    setTimeout(start, AGAIN_MS);
    return;
  }
  frame.offline(false);
  parts.sidebar = sidebar(frame.sidebar, { act, team: world.team, people: world.people });
  parts.conversation = conversation(frame.main, act);
  const global = world.shortcuts.filter(({ type }) => type !== "message");
  parts.composer = composer(parts.conversation.footer, { act, commands: world.commands, shortcuts: global });
  parts.modal = modal(act);
  parts.panel = panel(frame.district, act);
  addEventListener("popstate", () => {
    world.place = addressed();
    refresh();
  });
  document.addEventListener("popupclosed", () => refresh());
  document.querySelector(".skip").addEventListener("click", (event) => {
    event.preventDefault();
    if (world.place.tab === "home") parts.conversation.focus();
    else parts.composer.focus();
  });
  await settle();
  listen();
}

/** The place in the address. Who it names must be somebody here, else the person stays who they are; and where they are, if it names no conversation. */
function addressed() {
  const { as, channel, tab } = places.read();
  return { as: world.people.some(({ id }) => id === as) ? as : world.place.as, channel: channel ?? world.place.channel, tab };
}

let running = null;
let again = false;

/** Draws what the door says now; calls that come meanwhile share one more round. */
function refresh() {
  again = true;
  running ??= (async () => {
    while (again) {
      again = false;
      await round();
    }
  })().finally(() => { running = null; });
  return running;
}

async function round() {
  const asked = { ...world.place };
  const screen = await slack.screen(asked.as);
  if (screen.error) return;
  const channel = screen.conversations.find(({ id }) => id === asked.channel) ?? home(screen.conversations);
  const tab = channel.kind === "app" ? (asked.tab ?? "home") : null;
  const onHome = tab === "home";
  const { messages = [] } = onHome || !channel.id ? {} : await slack.messages(asked.as, channel.id);
  if (JSON.stringify(asked) !== JSON.stringify(world.place)) {
    again = true;
    return;
  }
  Object.assign(world, { screen, messages, place: { as: asked.as, channel: channel.id, tab } });
  places.write(world.place, { step: false });
  draw(channel);
  parts.panel.tick();
  await hearToast(screen.toast);
}

const home = (all) => all.find(({ name }) => name === FIRST_CHANNEL) ?? all.find(({ kind, member }) => kind === "channel" && member) ?? all[0] ?? NOWHERE;

function draw(channel) {
  const { place, screen, messages } = world;
  document.title = `${channel.kind === "channel" ? "#" : ""}${channel.name} · ${world.team.name}`;
  parts.sidebar.show(place, screen.conversations);
  parts.conversation.show({ place, channel, names: act.names, messages, view: screen.home });
  parts.composer.setPlace(`Message ${channel.kind === "channel" ? "#" : ""}${channel.name}`);
  parts.modal.show(screen.views);
  if (channel.unread && place.tab !== "home") slack.open(place.as, { channel: channel.id });
}

/**
 * What Slack tells a person in passing, once; a refusal that was already shown where it belongs is not said again.
 * While the answer to an act is on its way, the words may be its refusal: they are kept for the round that follows the answer.
 */
async function hearToast(words) {
  const passing = words ?? world.kept;
  if (!passing) return;
  const shown = world.refusals.delete(passing);
  if (!shown && world.unanswered > 0) {
    world.kept = passing;
    return;
  }
  if (!shown) frame.toast(passing, "wrong");
  world.kept = null;
  if (words) await slack.dismiss(world.place.as);
}

/** Tells the door where the person now is (the app hears of a Home that was opened), then draws it. */
async function settle() {
  await refresh();
  const { as, channel, tab } = world.place;
  await slack.open(as, tab === "home" ? { channel, home: true } : { channel });
  await refresh();
}

async function listen() {
  for (;;) {
    const { as } = world.place;
    try {
      const { version } = await slack.wait(as, world.screen?.version ?? 0, act.whileHere(as));
      if (as === world.place.as && version !== world.screen?.version) await refresh();
    } catch (error) {
      if (error.name === "AbortError") continue;
      frame.offline(true);
      await new Promise((later) => setTimeout(later, AGAIN_MS));
      await refresh().then(() => frame.offline(false), () => {});
    }
  }
}
