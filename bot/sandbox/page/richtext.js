// The rich_text block: text that was never mark-up, so names in it need no escaping.

import { filled } from "./dates.js";
import { h } from "./dom.js";
import { emoji } from "./emoji.js";
import { withGlyphs } from "./glyphs.js";
import { link } from "./mrkdwn.js";

/** A rich_text block as nodes. */
export function richText(block, names) {
  return block.elements.map((part) => PARTS[part.type](part, names));
}

const PARTS = {
  rich_text_section: (part, names) => h("div", { class: "rich-line" }, pieces(part, names)),
  rich_text_quote: (part, names) => h("blockquote", {}, pieces(part, names)),
  rich_text_preformatted: (part, names) => h("pre", {}, pieces(part, names)),
  rich_text_list: (part, names) =>
    h(
      part.style === "ordered" ? "ol" : "ul",
      { class: `rich-list indent-${part.indent ?? 0}`, start: part.offset ? part.offset + 1 : null },
      part.elements.map((item) => h("li", {}, pieces(item, names))),
    ),
};

const pieces = (part, names) => part.elements.map((piece) => styled(PIECES[piece.type](piece, names), piece.style));

const PIECES = {
  text: (piece) => withGlyphs(piece.text),
  link: (piece) => link(piece.url, piece.text),
  emoji: (piece) => withGlyphs(emoji(piece.name) ?? `:${piece.name}:`),
  user: (piece, names) => h("span", { class: "mention" }, `@${names.user(piece.user_id) ?? piece.user_id}`),
  channel: (piece, names) => h("span", { class: "mention" }, `#${names.channel(piece.channel_id) ?? "private channel"}`),
  usergroup: (piece) => h("span", { class: "mention" }, `@${piece.usergroup_id}`),
  broadcast: (piece) => h("span", { class: "mention" }, `@${piece.range}`),
  color: (piece) => piece.value,
  date: (piece) => h("time", { title: piece.fallback ?? null }, filled(piece.format, piece.timestamp)),
};

const STYLES = { bold: "strong", italic: "em", strike: "s", code: "code" };

function styled(node, style) {
  return Object.entries(STYLES)
    .filter(([name]) => style?.[name])
    .reduce((inner, [, tag]) => h(tag, {}, inner), node);
}
