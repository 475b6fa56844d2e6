// Slack's text as nodes: plain_text, mrkdwn (*bold* _italic_ ~strike~ `code` > quote <links>), and rich_text. Only markup
// becomes elements; everything else, names from a roster included, stays text.

import { formatDate } from "./dates.js";
import { h } from "./dom.js";
import { emoji, withEmoji, withGlyphs } from "./emoji.js";

const unescaped = (text) => text.replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&");

/** A text object ({type, text}) as nodes; `names` resolves the ids of people and channels. */
export const textObject = (object, names) => (object.type === "mrkdwn" ? mrkdwn(object.text, names) : plainNodes(object));

/** A plain_text object as a string. */
export function plain(object) {
  const text = unescaped(object.text);
  return object.emoji === false ? text : withEmoji(text);
}

/** A plain_text object as nodes. */
export const plainNodes = (object) => withGlyphs(plain(object));

/** mrkdwn as an array of nodes. */
export function mrkdwn(text, names) {
  return text.split(/```/).flatMap((part, index, parts) => {
    const isFenced = index % 2 === 1 && index < parts.length - 1;
    if (isFenced) return [h("pre", {}, unescaped(part.replace(/^\n|\n$/g, "")))];
    return linesOf(index % 2 === 1 ? `\`\`\`${part}` : part, names);
  });
}

function linesOf(text, names) {
  const nodes = [];
  for (const line of groupLines(text.split("\n"))) nodes.push(...RENDER[line.kind](line, names, nodes.length === 0));
  return nodes;
}

/** Consecutive quoted lines are one quote, so that they have one bar. */
function groupLines(lines) {
  const groups = [];
  for (const line of lines) {
    const [, quoted] = line.match(/^(?:&gt;|>) ?(.*)$/s) ?? [];
    const kind = quoted !== undefined ? "quote" : /^\s*[•◦▪-] /.test(line) ? "item" : "text";
    const last = groups.at(-1);
    if (kind === "quote" && last?.kind === "quote") last.body.push(quoted);
    else groups.push({ kind, body: [quoted ?? line], afterBlock: last && last.kind !== "text" });
  }
  return groups;
}

const RENDER = {
  text({ body, afterBlock }, names, isFirst) {
    return [...(isFirst || afterBlock ? [] : [h("br")]), ...inline(body[0], names)];
  },
  item({ body }, names) {
    const [, bullet, rest] = body[0].match(/^\s*([•◦▪-]) (.*)$/s);
    return [h("span", { class: "bullet" }, h("span", { class: "bullet-mark" }, bullet === "-" ? "•" : bullet), h("span", {}, inline(rest, names)))];
  },
  quote({ body }, names) {
    return [h("blockquote", {}, linesOf(body.join("\n"), names))];
  },
};

const BEFORE = "(?<![\\p{L}\\p{N}])";
const AFTER = "(?![\\p{L}\\p{N}])";
const paired = (mark) => `${BEFORE}[${mark}](?=\\S)([^\\n]*?\\S)[${mark}]${AFTER}`;
const TOKEN = new RegExp(
  [`\`([^\`\\n]+)\``, `<([^<>\\n]+)>`, `:([a-z0-9_+-]+):`, paired("*"), paired("_"), paired("~")].join("|"), "u");

function inline(text, names) {
  const nodes = [];
  let rest = text;
  for (let match = rest.match(TOKEN); match; match = rest.match(TOKEN)) {
    if (match.index) nodes.push(...withGlyphs(unescaped(rest.slice(0, match.index))));
    nodes.push(...[token(match, names)].flat());
    rest = rest.slice(match.index + match[0].length);
  }
  if (rest) nodes.push(...withGlyphs(unescaped(rest)));
  return nodes;
}

function token([whole, code, angle, name, bold, italic, strike], names) {
  if (code !== undefined) return h("code", {}, unescaped(code));
  if (angle !== undefined) return reference(angle, names);
  if (name !== undefined) return withGlyphs(emoji(name) ?? whole);
  if (bold !== undefined) return h("strong", {}, inline(bold, names));
  if (italic !== undefined) return h("em", {}, inline(italic, names));
  return h("s", {}, inline(strike, names));
}

function reference(inside, names) {
  const [target, ...rest] = inside.split("|");
  const label = rest.length ? unescaped(rest.join("|")) : null;
  if (target.startsWith("@")) return mention(`@${names.user(target.slice(1)) ?? label ?? target.slice(1)}`);
  if (target.startsWith("#")) return mention(`#${names.channel(target.slice(1)) ?? label ?? "private channel"}`);
  if (target.startsWith("!date^")) return date(target, label);
  if (target.startsWith("!")) return mention(label ?? `@${target.slice(1).split("^")[0]}`);
  return link(unescaped(target), label);
}

const mention = (text) => h("span", { class: "mention" }, text);

function date(target, fallback) {
  const [, ts, format] = target.split("^");
  if (!/^\d+$/.test(ts) || !format) return fallback ?? "";
  return h("time", { datetime: new Date(ts * 1000).toISOString(), title: fallback }, formatDate(unescaped(format), Number(ts)));
}

/** A link if its address is one a browser may safely follow, otherwise its text. */
function link(address, label) {
  const text = label || address.replace(/^(mailto|tel):/, "");
  if (!/^(https?:\/\/|mailto:|tel:)/i.test(address)) return text;
  return h("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, text);
}

/** A rich_text block as nodes. Its text is not markup, so names in it need no escaping. */
export const richText = (block, names) => block.elements.map((part) => RICH_PARTS[part.type](part, names));

const RICH_PARTS = {
  rich_text_section: (part, names) => h("div", { class: "rich-line" }, pieces(part, names)),
  rich_text_quote: (part, names) => h("blockquote", {}, pieces(part, names)),
  rich_text_preformatted: (part, names) => h("pre", {}, pieces(part, names)),
  rich_text_list(part, names) {
    const tag = part.style === "ordered" ? "ol" : "ul";
    const props = { class: `rich-list indent-${part.indent ?? 0}`, start: part.offset ? part.offset + 1 : null };
    return h(tag, props, part.elements.map((item) => h("li", {}, pieces(item, names))));
  },
};

const pieces = (part, names) => part.elements.map((piece) => styled(RICH_PIECES[piece.type](piece, names), piece.style));

const RICH_PIECES = {
  text: (piece) => withGlyphs(piece.text),
  link: (piece) => link(piece.url, piece.text),
  emoji: (piece) => withGlyphs(emoji(piece.name) ?? `:${piece.name}:`),
  user: (piece, names) => mention(`@${names.user(piece.user_id) ?? piece.user_id}`),
  channel: (piece, names) => mention(`#${names.channel(piece.channel_id) ?? "private channel"}`),
  usergroup: (piece) => mention(`@${piece.usergroup_id}`),
  broadcast: (piece) => mention(`@${piece.range}`),
  color: (piece) => piece.value,
  date: (piece) => h("time", { title: piece.fallback ?? null }, formatDate(piece.format, piece.timestamp)),
};

const STYLE_TAGS = { bold: "strong", italic: "em", strike: "s", code: "code" };

function styled(node, style) {
  const tags = Object.entries(STYLE_TAGS).filter(([name]) => style?.[name]).map(([, tag]) => tag);
  return tags.reduce((inner, tag) => h(tag, {}, inner), node);
}
