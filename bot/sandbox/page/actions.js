// What a person can do on the page, each as one call that ends with a fresh screen. A refusal is said
// aloud and never thrown; a door that does not answer is said by the frame.

import { sameControl } from "./blocks.js";
import { refusalText, slack } from "./door.js";
import * as places from "./place.js";
import { valueOf } from "./values.js";

// The one command of Slack's own that the app asks people for; the only app here is the one they mean.
const INVITE = /^\/invite\s+@/;

/** The acts of this page over its one `world`. */
export function actions({ world, parts, frame, refresh, settle }) {
  let presence = new AbortController();
  const me = () => world.place.as;

  const names = {
    get people() { return world.people.filter(({ kind }) => kind !== "bot"); },
    get channels() { return world.screen.conversations; },
    user: (id) => world.people.find((it) => it.id === id)?.name,
    channel: (id) => world.screen?.conversations.find((it) => it.id === id)?.name,
  };

  /** Tells the door, says a refusal, shows what changed. */
  async function tell(promise, { aloud = true } = {}) {
    world.unanswered += 1;
    const answer = await promise.catch(() => ({ error: "offline", text: "The sandbox does not answer. Is it still running?" }));
    world.unanswered -= 1;
    const words = answer.error && refusalText(answer);
    if (words) world.refusals.add(words);
    if (words && aloud) frame.toast(words, "wrong");
    await refresh().catch(() => frame.offline(true));
    world.refusals.delete(words);
    return answer;
  }

  /** The blocks' way back to the app: where they stand, and what is held in them. */
  function surface({ kind, message, view, memory, errors }) {
    const where = message ? { message: { channel: world.place.channel, ts: message.ts } } : { view: view.id };
    const at = (block, it) => ({ where, block_id: block.block_id, action_id: it.action_id });
    return {
      kind, memory, errors, names,
      press: (block, it, value) => {
        parts.conversation.follow(message && block.type === "actions" ? message.ts : null);
        return tell(pressed(where, memory, { ...at(block, it), value: value ?? valueOf(it, memory.held(block.block_id, it)) }));
      },
      suggest: (block, it, query) => slack.suggest(me(), { ...at(block, it), query }),
    };
  }

  /** The app hears of a press together with everything typed so far, so that first goes to the door. */
  async function pressed(where, memory, press) {
    for (const typed of memory.takeUntold()) await slack.enter(me(), { where, ...typed });
    return slack.press(me(), press);
  }

  async function move(place) {
    world.place = place;
    places.write(place);
    frame.show("main");
    await settle().catch(() => frame.offline(true));
  }

  async function go(channel, tab = null) {
    await move({ as: me(), channel, tab });
    if (!frame.isPhone() && tab === null) parts.composer.focus();
  }

  async function become(as) {
    presence.abort();
    presence = new AbortController();
    world.kept = null;
    world.place = { ...world.place, as };
    places.write(world.place);
    await settle().catch(() => frame.offline(true));
  }

  /** Opens somewhere to type and puts the words there; the person presses Enter. */
  async function typeForMe(text) {
    frame.leaveSheet();
    const here = names.channels.find(({ id }) => id === world.place.channel);
    const open = here?.kind === "channel" && here.member ? here : names.channels.find(({ kind, member }) => kind === "channel" && member) ?? here;
    if (open !== here) await move({ as: me(), channel: open.id, tab: open.kind === "app" ? "messages" : null });
    parts.composer.write(text);
  }

  /** Focus to the control that opened a dialog, as it stands now, else to the composer. */
  function refocus(opener) {
    const target = opener?.isConnected ? opener : opener?.dataset?.key && sameControl(frame.main, opener);
    if (target && target !== document.body) target.focus({ preventScroll: true });
    else parts.conversation.focus();
  }

  return {
    names, surface, go, become, typeForMe, refocus, me,
    send: (text) => tell(INVITE.test(text) ? slack.invite(me(), world.place.channel) : slack.type(me(), world.place.channel, text), { aloud: false }),
    submit: (view, values) => tell(slack.submit(me(), view.id, values), { aloud: false }),
    // Who presses Escape once too often wants the dialog gone, and it is: a refusal tells them nothing.
    close: (view, all) => tell(slack.close(me(), view.id, all), { aloud: false }),
    dismiss: (ts) => tell(slack.dismiss(me(), world.place.channel, ts)),
    shortcut: (callback_id, ts) => tell(slack.shortcut(me(), { callback_id, ...(ts && { message: { channel: world.place.channel, ts } }) })),
    invite: () => tell(slack.invite(me(), world.place.channel)),
    appName: () => world.people.find(({ kind }) => kind === "bot")?.name ?? "the app",
    messageShortcuts: () => world.shortcuts.filter(({ type }) => type === "message"),
    back: () => frame.show("sidebar"),
    districtButton: () => frame.districtButton(),
    closeDistrict: () => frame.closeDistrict(),
    stepsDone: (count) => frame.stepsDone(count),
    announce: (words) => frame.announce(words),
    announceVisibly: (words, kind) => frame.toast(words, kind),
    whileHere: () => presence.signal,
  };
}
