// The left side: the workspace, who one acts as, and the conversations that person can open.

import { avatar, fill, h, icon } from "./dom.js";
import { picker } from "./picker.js";

const GROUPS = [
  ["channel", "Channels"],
  ["dm", "Direct messages"],
  ["app", "Apps"],
];

/** The sidebar in `root`. `act.become(id)` changes the person, `act.go(id)` the conversation. */
export function sidebar(root, { act, team, people }) {
  const who = h("div", { class: "act-as" });
  const places = h("div", { class: "places" });
  fill(root,
    h("header", { class: "team" }, h("span", { class: "team-mark", "aria-hidden": "true" }, team.name.charAt(0)),
      h("div", {}, h("strong", {}, team.name), h("small", {}, "Sandbox · nothing here leaves this machine"))),
    who, places);
  let shown = "";
  return { show };

  function show(place, conversations) {
    const json = JSON.stringify([place, conversations]);
    if (json === shown) return;
    if (!shown || place.as !== JSON.parse(shown)[0].as) drawWho(place.as);
    shown = json;
    const active = places.contains(document.activeElement) ? document.activeElement.dataset.id : null;
    fill(places, GROUPS.map(([kind, words]) => group(words, conversations.filter((it) => it.kind === kind), place)));
    if (active) places.querySelector(`[data-id="${CSS.escape(active)}"]`)?.focus();
  }

  function drawWho(as) {
    const staff = people.filter(({ kind }) => kind !== "bot");
    const option = ({ id, name, title }) => ({ id, text: name, description: title });
    const me = staff.find(({ id }) => id === as);
    fill(who, h("span", { class: "act-as-label", id: "act-as-label" }, "Act as"), picker({
      label: "Act as",
      chosen: me ? [option(me)] : [],
      find: async (query) => staff.map(option).filter(({ text, description }) => `${text} ${description}`.toLowerCase().includes(query.toLowerCase())),
      face: () => me && [avatar(me.id, me.avatar_initials, "small"), h("span", { class: "me" }, h("strong", {}, me.name), h("small", {}, me.title))],
      changed: ([chosen]) => act.become(chosen.id),
    }));
    who.querySelector("button").dataset.key = "act-as";
  }

  function group(words, conversations, place) {
    if (!conversations.length) return null;
    return h("section", { "aria-label": words }, h("h2", {}, words), h("ul", {}, conversations.map((it) => h("li", {}, row(it, place)))));
  }

  function row(it, place) {
    const person = people.find(({ name }) => it.kind === "dm" && name === it.name);
    const unread = it.unread > 0;
    return h("button", { type: "button", class: `place ${unread ? "unread" : ""} ${it.member === false && it.kind === "channel" ? "outside" : ""}`,
      data: { id: it.id }, "aria-current": it.id === place.channel ? "page" : null, onclick: () => act.go(it.id) },
      sign(it, person), h("span", { class: "place-name" }, it.name),
      unread && h("span", { class: "count", "aria-label": `${it.unread} unread` }, String(it.unread)));
  }
}

function sign(it, person) {
  if (it.kind === "channel") return icon(it.private ? "lock" : "hash");
  if (it.kind === "app") return h("span", { class: "app-mark", "aria-hidden": "true" }, it.name.charAt(0));
  return avatar(person?.id ?? it.id, person?.avatar_initials ?? it.name.charAt(0), "tiny");
}
