// Block Kit as a person sees it. A surface says where the blocks stand and what pressing does there:
// {kind, memory, names, errors, press(block, element, value), suggest(block, element, query)}.

import { freshId, h } from "./dom.js";
import { element, image } from "./elements.js";
import { mrkdwn, plain, plainNodes, textObject } from "./mrkdwn.js";
import { richText } from "./richtext.js";
import { isEmpty } from "./values.js";

/** Blocks as nodes, in order. */
export function renderBlocks(blocks, surface) {
  return blocks.map((block) => {
    const draw = DRAW[block.type];
    return draw ? draw(block, surface) : h("p", { class: "unknown" }, `[${block.type}]`);
  });
}

function section(block, surface) {
  const body = h("div", { class: "section-body" },
    block.text && h("div", { class: "text" }, textObject(block.text, surface.names)),
    block.fields && h("div", { class: "fields" }, block.fields.map((field) => h("div", { class: "text" }, textObject(field, surface.names)))));
  if (!block.accessory) return h("div", { class: "block section" }, body);
  const label = block.text ? body.firstChild.textContent.split("\n")[0].slice(0, 80) : undefined;
  return h("div", { class: `block section with-accessory accessory-${block.accessory.type.replaceAll("_", "-")}` }, body,
    h("div", { class: "accessory" }, element(block.accessory, block, surface, { label })));
}

function context(block, surface) {
  return h("div", { class: "block context" }, block.elements.map((it) =>
    it.type === "image" ? image(it) : h("span", { class: "text" }, textObject(it, surface.names))));
}

function input(block, surface) {
  const id = freshId("field");
  const error = surface.errors?.[block.block_id];
  const label = plain(block.label);
  const grouped = ["radio_buttons", "checkboxes"].includes(block.element.type) || block.element.type.includes("select");
  const named = { id: grouped ? null : id, label, invalid: Boolean(error), required: !block.optional,
    describedby: [error && `${id}-error`, block.hint && `${id}-hint`].filter(Boolean).join(" ") || null };
  return h("div", { class: `block input ${error ? "wrong" : ""}`, data: { block: block.block_id } },
    h(grouped ? "div" : "label", { class: "label", for: grouped ? null : id }, plainNodes(block.label), block.optional && h("span", { class: "optional" }, " (optional)")),
    element(block.element, block, surface, named),
    error && h("p", { class: "field-error", id: `${id}-error` }, error),
    block.hint && h("p", { class: "hint", id: `${id}-hint` }, plainNodes(block.hint)));
}

function table(block, surface) {
  const [head, ...rows] = block.rows;
  const settings = block.column_settings ?? [];
  const cell = (tag) => (it, column) => h(tag, { class: `align-${settings[column]?.align ?? "left"}`, scope: tag === "th" ? "col" : null },
    it.type === "rich_text" ? richText(it, surface.names) : String(it.text ?? it.value ?? ""));
  return h("div", { class: "block table", tabindex: 0, role: "region", "aria-label": "Table" }, h("table", {},
    h("thead", {}, h("tr", {}, head.map(cell("th")))),
    h("tbody", {}, rows.map((row) => h("tr", {}, row.map(cell("td")))))));
}

const DRAW = {
  header: (block) => h("h2", { class: "block header" }, plainNodes(block.text)),
  section,
  context,
  input,
  table,
  actions: (block, surface) => h("div", { class: "block actions" }, block.elements.map((it) => element(it, block, surface))),
  divider: () => h("hr", { class: "block divider" }),
  image: (block) => h("figure", { class: "block image" }, block.title && h("figcaption", {}, plain(block.title)), image(block)),
  rich_text: (block, surface) => h("div", { class: "block rich text" }, richText(block, surface.names)),
  markdown: (block, surface) => h("div", { class: "block text" }, mrkdwn(block.text.replace(/\*\*/g, "*"), surface.names)),
};

const REQUIRED = "Please complete this required field.";

/** What is missing before a form may be sent, as {block_id: sentence}: what Slack itself checks before the app does. */
export function missing(blocks, memory) {
  const errors = {};
  for (const block of blocks.filter(({ type }) => type === "input")) {
    const held = memory.held(block.block_id, block.element);
    const { min_length: least, max_length: most } = block.element;
    if (isEmpty(held)) {
      if (!block.optional) errors[block.block_id] = REQUIRED;
    } else if (least && held.length < least) errors[block.block_id] = `Please write at least ${least} characters.`;
    else if (most && held.length > most) errors[block.block_id] = `Please write at most ${most} characters.`;
  }
  return errors;
}

/** Finds in `root` the control that had the focus before a redraw; null when it is gone. */
export function sameControl(root, before) {
  const { key, action, value } = before.dataset;
  const all = [...root.querySelectorAll("[data-key]")];
  return all.find((it) => it.dataset.key === key && it.dataset.value === value)
    ?? all.find((it) => it.dataset.action === action && it.dataset.value === value)
    ?? all.find((it) => it.dataset.key === key) ?? null;
}
