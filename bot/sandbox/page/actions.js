// What a user can do on the page. Each act sends one request and ends with a fresh screen; a refusal is shown and never
// thrown, and a server that does not respond is reported by the layout.

import { errorText, slack } from "./api.js";
import { sameControl } from "./blocks.js";
import { HOME } from "./conversation.js";
import * as routes from "./route.js";
import { entryOf } from "./values.js";

// The only command of Slack itself that the app asks people for; its only possible target here is the app.
const INVITE = /^\/invite\s+@/;

/** The acts on the page's one `state`. */
export function actions({ state, parts, frame, refresh, settle }) {
  let presence = new AbortController();
  const me = () => state.route.as;
  let opener = null; // Where the button was that opened the dialog: a message, or the Home tab.

  const names = {
    get people() { return state.people.filter(({ kind }) => kind !== "bot"); },
    get channels() { return state.screen.conversations; },
    user: (id) => state.people.find((person) => person.id === id)?.name,
    channel: (id) => state.screen?.conversations.find((channel) => channel.id === id)?.name,
  };

  /** Waits for a response, shows a refusal, and draws what changed. */
  async function complete(promise, { toast = true } = {}) {
    state.pending += 1;
    const response = await promise.catch(() => ({ error: "offline", text: "The sandbox is not responding. Is it still running?" }));
    state.pending -= 1;
    const refusal = response.error && errorText(response);
    if (refusal) state.refusals.add(refusal);
    if (refusal && toast) frame.toast(refusal, "wrong");
    await refresh().catch(() => frame.showOffline(true));
    state.refusals.delete(refusal);
    return response;
  }

  /** How blocks reach the app: their place, and the values entered in them. */
  function surface({ kind, message, view, values, errors }) {
    const where = message ? { message: { channel: state.route.channel, ts: message.ts } } : { view: view.id };
    const target = (block, element) => ({ where, block_id: block.block_id, action_id: element.action_id });
    return {
      kind, values, errors, names,
      press(block, element, value = entryOf(element, values.get(block.block_id, element))) {
        if (kind !== "modal") opener = message?.ts ?? HOME;
        parts.conversation.follow(message && block.type === "actions" ? message.ts : null);
        return complete(press(where, values, { ...target(block, element), value }));
      },
      upload: (file) => slack.upload(me(), file),
      suggest: (block, element, query) => slack.suggest(me(), { ...target(block, element), query }),
    };
  }

  /** The app receives a press together with all values entered so far, so these are sent first. */
  async function press(where, values, fields) {
    for (const entered of values.takeUnsent()) await slack.enter(me(), { where, ...entered });
    return slack.press(me(), fields);
  }

  async function move(route) {
    state.route = route;
    routes.write(route);
    frame.show("main");
    await settle().catch(() => frame.showOffline(true));
  }

  async function go(channel, tab = null) {
    await move({ as: me(), channel, tab });
    if (!frame.isPhone() && tab === null) parts.composer.focus();
  }

  async function become(as) {
    presence.abort();
    presence = new AbortController();
    state.heldToast = null;
    state.route = { ...state.route, as };
    routes.write(state.route);
    await settle().catch(() => frame.showOffline(true));
  }

  /** Opens a conversation to type in and puts the text there; the user presses Enter. */
  async function typeForMe(text) {
    frame.uncoverConversation();
    const here = names.channels.find(({ id }) => id === state.route.channel);
    const isJoined = ({ kind, member }) => kind === "channel" && member;
    const target = here && isJoined(here) ? here : names.channels.find(isJoined) ?? here;
    if (target !== here) await move({ as: me(), channel: target.id, tab: target.kind === "app" ? "messages" : null });
    parts.composer.write(text);
  }

  /** Moves the focus to the control that opened a dialog, as it is now, otherwise to the conversation. */
  function refocus(opener) {
    const target = opener?.isConnected ? opener : opener?.dataset?.key && sameControl(frame.main, opener);
    if (target && target !== document.body) target.focus({ preventScroll: true });
    else parts.conversation.focus();
  }

  return {
    names, surface, go, become, typeForMe, refocus, me,
    send(text) {
      const { channel } = state.route;
      const sent = INVITE.test(text) ? slack.invite(me(), channel) : slack.type(me(), channel, text);
      return complete(sent, { toast: false });
    },
    submit(view, values) {
      parts.conversation.follow(opener); // What was done stands at its top.
      return complete(slack.submit(me(), view.id, values), { toast: false });
    },
    // After one Escape too many the dialog is closed, as intended; the refusal says nothing new.
    close: (view, all) => complete(slack.close(me(), view.id, all), { toast: false }),
    dismiss: (ts) => complete(slack.dismiss(me(), ts)),
    shortcut(callback_id, ts) {
      const message = ts && { message: { channel: state.route.channel, ts } };
      return complete(slack.shortcut(me(), { callback_id, ...message }));
    },
    invite: () => complete(slack.invite(me(), state.route.channel)),
    appName: () => state.people.find(({ kind }) => kind === "bot")?.name ?? "the app",
    messageShortcuts: () => state.shortcuts.filter(({ type }) => type === "message"),
    back: () => frame.show("sidebar"),
    districtButton: () => frame.districtButton(),
    closeDistrict: () => frame.closeDistrict(),
    showStepCount: (count) => frame.showStepCount(count),
    announce: (text) => frame.announce(text),
    toast: (text, kind) => frame.toast(text, kind),
    // Aborted when the user changes, so that nothing waits for the previous user's news.
    presence: () => presence.signal,
  };
}
