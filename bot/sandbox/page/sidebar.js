// The left side: the workspace, the user at the screen, and that user's conversations.

import { avatar, fill, h, icon } from "./dom.js";
import { picker } from "./picker.js";

const GROUPS = [
  ["channel", "Channels"],
  ["dm", "Direct messages"],
  ["app", "Apps"],
];

/** The sidebar in `root`. `act.become(id)` changes the user, `act.go(id)` the conversation. */
export function sidebar(root, { act, team, people }) {
  const userPicker = h("div", { class: "act-as" });
  const list = h("div", { class: "places" });
  fill(root,
    h("header", { class: "team" }, h("span", { class: "team-mark", "aria-hidden": "true" }, team.name.charAt(0)),
      h("div", {}, h("strong", {}, team.name), h("small", {}, "Sandbox · nothing here leaves this machine"))),
    userPicker, list);
  let shown = "";
  return { show };

  function show(route, conversations) {
    const json = JSON.stringify([route, conversations]);
    if (json === shown) return;
    if (!shown || route.as !== JSON.parse(shown)[0].as) drawUserPicker(route.as);
    shown = json;
    const focused = list.contains(document.activeElement) ? document.activeElement.dataset.id : null;
    fill(list, GROUPS.map(([kind, title]) => group(title, conversations.filter((channel) => channel.kind === kind), route)));
    if (focused) list.querySelector(`[data-id="${CSS.escape(focused)}"]`)?.focus();
  }

  function drawUserPicker(as) {
    const users = people.filter(({ kind }) => kind !== "bot");
    const option = ({ id, name, title }) => ({ id, text: name, description: title });
    const matches = (query) => ({ text, description }) => `${text} ${description}`.toLowerCase().includes(query.toLowerCase());
    const me = users.find(({ id }) => id === as);
    fill(userPicker, h("span", { class: "act-as-label" }, "Act as"), picker({
      label: "Act as",
      chosen: me ? [option(me)] : [],
      find: async (query) => users.map(option).filter(matches(query)),
      drawChosen: () => me && [avatar(me.id, me.avatar_initials, "small"), h("span", { class: "me" }, h("strong", {}, me.name), h("small", {}, me.title))],
      onChange: ([chosen]) => act.become(chosen.id),
    }));
    userPicker.querySelector("button").dataset.key = "act-as";
  }

  function group(title, conversations, route) {
    if (!conversations.length) return null;
    return h("section", { "aria-label": title }, h("h2", {}, title),
      h("ul", {}, conversations.map((channel) => h("li", {}, row(channel, route)))));
  }

  function row(channel, route) {
    const person = people.find(({ name }) => channel.kind === "dm" && name === channel.name);
    const unread = channel.unread > 0;
    const outside = channel.member === false && channel.kind === "channel";
    return h("button", { type: "button", class: `place ${unread ? "unread" : ""} ${outside ? "outside" : ""}`, data: { id: channel.id },
      "aria-current": channel.id === route.channel ? "page" : null, onclick: () => act.go(channel.id) },
      sign(channel, person), h("span", { class: "place-name" }, channel.name),
      unread && h("span", { class: "count", "aria-label": `${channel.unread} unread` }, String(channel.unread)));
  }
}

function sign(channel, person) {
  if (channel.kind === "channel") return icon(channel.private ? "lock" : "hash");
  if (channel.kind === "app") return h("span", { class: "app-mark", "aria-hidden": "true" }, channel.name.charAt(0));
  return avatar(person?.id ?? channel.id, person?.avatar_initials ?? channel.name.charAt(0), "tiny");
}
