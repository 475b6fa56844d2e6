// Slack's select menus, all on one picker: what they differ in is where the options come from and
// what a chosen one is called in the value.

import { plain } from "./mrkdwn.js";
import { picker } from "./picker.js";
import { took, trace } from "./touch.js";

/** Any select or multi-select as a node. */
export function select(it, block, surface, named) {
  const many = it.type.startsWith("multi_");
  const source = SOURCES[it.type.replace(/^multi_/, "")](it, block, surface);
  const held = surface.memory.held(block.block_id, it);
  const placeholder = it.placeholder ? plain(it.placeholder) : "Choose…";
  return picker({
    label: named.label ?? placeholder,
    placeholder,
    many,
    most: it.max_selected_items,
    describedby: named.describedby,
    data: trace(it, block),
    chosen: [held].flat().filter(Boolean).map(source.shown),
    find: source.find,
    filter: source.filter,
    changed: (options) => {
      const values = options.map((option) => option.held);
      return took(it, block, surface, many ? values : values[0]);
    },
  });
}

const SOURCES = {
  static_select: (it) => ({ shown: asOption, find: async (query) => matching(fromMenu(it), query) }),
  external_select: (it, block, surface) => ({ shown: asOption, filter: false, find: (query) => external(it, block, surface, query) }),
  users_select: (it, block, surface) => places(surface.names.people, surface.names.user),
  conversations_select: (it, block, surface) => places(surface.names.channels, surface.names.channel, "#"),
  channels_select: (it, block, surface) => places(surface.names.channels.filter(({ kind }) => kind === "channel"), surface.names.channel, "#"),
};

const asOption = (option) => ({ id: option.value, text: plain(option.text), description: option.description && plain(option.description), held: option });

const fromMenu = (menu) =>
  menu.option_groups
    ? menu.option_groups.flatMap((group) => group.options.map((option) => ({ ...asOption(option), group: plain(group.label) })))
    : menu.options.map(asOption);

function places(all, nameOf, sign = "") {
  const shown = (id) => ({ id, text: `${sign}${nameOf(id) ?? id}`, held: id });
  const options = all.map(({ id, title }) => ({ ...shown(id), description: title }));
  return { shown, find: async (query) => matching(options, query) };
}

const folded = (text) => text.toLocaleLowerCase().normalize("NFD").replace(/\p{M}/gu, "");

function matching(options, query) {
  const words = folded(query).split(/\s+/);
  return options.filter(({ text, description = "" }) => words.every((word) => folded(`${text} ${description}`).includes(word)));
}

async function external(it, block, surface, query) {
  if (query.length < (it.min_query_length ?? 3)) return [];
  const answer = await surface.suggest(block, it, query);
  return answer.error ? [] : fromMenu(answer);
}
