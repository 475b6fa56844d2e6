// Slack's mark-up (*bold* _italic_ ~strike~ `code` > quote <links>) as elements. Only what is marked up
// becomes an element; everything else, names from a roster included, stays text.

import { filled } from "./dates.js";
import { h } from "./dom.js";
import { emoji, withEmoji } from "./emoji.js";
import { withGlyphs } from "./glyphs.js";

const unescaped = (text) => text.replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&");

/** A text object ({type, text}) as nodes; `names` knows people and channels by id. */
export function textObject(object, names) {
  if (object.type === "mrkdwn") return mrkdwn(object.text, names);
  return plainNodes(object);
}

/** A plain_text object as one string. */
export function plain(object) {
  const text = unescaped(object.text);
  return object.emoji === false ? text : withEmoji(text);
}

/** A plain_text object as nodes, its signs drawn. */
export const plainNodes = (object) => withGlyphs(plain(object));

/** Mark-up as an array of nodes. */
export function mrkdwn(text, names) {
  return text.split(/```/).flatMap((part, index, all) => {
    const fenced = index % 2 === 1 && index < all.length - 1;
    if (fenced) return [h("pre", {}, unescaped(part.replace(/^\n|\n$/g, "")))];
    return lines(index % 2 === 1 ? `\`\`\`${part}` : part, names);
  });
}

function lines(text, names) {
  const nodes = [];
  for (const line of runs(text.split("\n"))) nodes.push(...line.render(names, nodes.length === 0));
  return nodes;
}

// Neighbouring lines of one kind belong together: a quote is one bar, not three.
function runs(all) {
  const found = [];
  for (const line of all) {
    const [, quoted] = line.match(/^(?:&gt;|>) ?(.*)$/s) ?? [];
    const kind = quoted !== undefined ? "quote" : /^\s*[•◦▪-] /.test(line) ? "item" : "text";
    const last = found.at(-1);
    const body = quoted ?? line;
    if (last?.kind === kind && kind === "quote") last.body.push(body);
    else found.push({ kind, body: [body], afterBlock: last && last.kind !== "text", render: RENDER[kind] });
  }
  return found;
}

const RENDER = {
  text(names, first) {
    const broken = first || this.afterBlock ? [] : [h("br")];
    return [...broken, ...inline(this.body[0], names)];
  },
  item(names) {
    const [, mark, rest] = this.body[0].match(/^\s*([•◦▪-]) (.*)$/s);
    return [h("span", { class: "bullet" }, h("span", { class: "bullet-mark" }, mark === "-" ? "•" : mark), h("span", {}, inline(rest, names)))];
  },
  quote(names) {
    return [h("blockquote", {}, lines(this.body.join("\n"), names))];
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
    nodes.push(...[marked(match, names)].flat());
    rest = rest.slice(match.index + match[0].length);
  }
  if (rest) nodes.push(...withGlyphs(unescaped(rest)));
  return nodes;
}

function marked([whole, code, angle, name, bold, italic, strike], names) {
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
  if (target.startsWith("!date^")) return moment(target, label);
  if (target.startsWith("!")) return mention(label ?? `@${target.slice(1).split("^")[0]}`);
  return link(unescaped(target), label);
}

const mention = (text) => h("span", { class: "mention" }, text);

function moment(target, fallback) {
  const [, ts, format] = target.split("^");
  if (!/^\d+$/.test(ts) || !format) return fallback ?? "";
  return h("time", { datetime: new Date(ts * 1000).toISOString(), title: fallback }, filled(unescaped(format), Number(ts)));
}

/** A link where the address is one a browser may safely follow, else its words. */
export function link(address, label) {
  const words = label || address.replace(/^(mailto|tel):/, "");
  if (!/^(https?:\/\/|mailto:|tel:)/i.test(address)) return words;
  return h("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, words);
}
