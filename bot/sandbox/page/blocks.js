// Block Kit as elements. A surface carries what blocks need of their place:
// {kind, values, names, errors, press(block, element, value?), suggest(block, element, query), upload(file)}.

import { chart, dataTable } from "./charts.js";
import { freshId, h } from "./dom.js";
import { image, renderElement } from "./elements.js";
import { mrkdwn, plain, plainNodes, richText, textObject } from "./text.js";

/** Blocks as nodes, in order. */
export function renderBlocks(blocks, surface) {
  return blocks.map((block) => {
    const render = BLOCKS[block.type];
    return render ? render(block, surface) : h("p", { class: "unknown" }, `[${block.type}]`);
  });
}

function section(block, surface) {
  const text = (object) => h("div", { class: "text" }, textObject(object, surface.names));
  const body = h("div", { class: "section-body" },
    block.text && text(block.text), block.fields && h("div", { class: "fields" }, block.fields.map(text)));
  if (!block.accessory) return h("div", { class: "block section" }, body);
  const label = block.text ? body.firstChild.textContent.split("\n")[0].slice(0, 80) : undefined;
  return h("div", { class: `block section with-accessory accessory-${block.accessory.type.replaceAll("_", "-")}` }, body,
    h("div", { class: "accessory" }, renderElement(block.accessory, block, surface, { label })));
}

function context(block, surface) {
  return h("div", { class: "block context" }, block.elements.map((element) =>
    element.type === "image" ? image(element) : h("span", { class: "text" }, textObject(element, surface.names))));
}

function input(block, surface) {
  const id = freshId("field");
  const error = surface.errors?.[block.block_id];
  const isGroup = ["radio_buttons", "checkboxes"].includes(block.element.type) || block.element.type.includes("select");
  const field = { id: isGroup ? null : id, label: plain(block.label), invalid: Boolean(error), required: !block.optional,
    describedby: [error && `${id}-error`, block.hint && `${id}-hint`].filter(Boolean).join(" ") || null };
  return h("div", { class: `block input ${error ? "wrong" : ""}`, data: { block: block.block_id } },
    h(isGroup ? "div" : "label", { class: "label", for: isGroup ? null : id },
      plainNodes(block.label), block.optional && h("span", { class: "optional" }, " (optional)")),
    renderElement(block.element, block, surface, field),
    error && h("p", { class: "field-error", id: `${id}-error` }, error),
    block.hint && h("p", { class: "hint", id: `${id}-hint` }, plainNodes(block.hint)));
}

function table(block, surface) {
  const [head, ...rows] = block.rows;
  const settings = block.column_settings ?? [];
  const cell = (tag) => (content, column) =>
    h(tag, { class: `align-${settings[column]?.align ?? "left"}`, scope: tag === "th" ? "col" : null },
      content.type === "rich_text" ? richText(content, surface.names) : String(content.text ?? content.value ?? ""));
  return h("div", { class: "block table", tabindex: 0, role: "region", "aria-label": "Table" }, h("table", {},
    h("thead", {}, h("tr", {}, head.map(cell("th")))),
    h("tbody", {}, rows.map((row) => h("tr", {}, row.map(cell("td")))))));
}

function container(block, surface) {
  const head = [h("strong", {}, plainNodes(block.title)), block.subtitle && h("span", { class: "text" }, textObject(block.subtitle, surface.names))];
  const body = h("div", { class: "container-body" }, renderBlocks(block.child_blocks, surface));
  if (!block.is_collapsible) return h("div", { class: "block container" }, head, body);
  return h("details", { class: "block container", open: block.default_collapsed ? null : "" }, h("summary", {}, head), body);
}

const BLOCKS = {
  header: (block) => h("h2", { class: "block header" }, plainNodes(block.text)),
  section,
  context,
  input,
  table,
  data_visualization: chart,
  data_table: dataTable,
  container,
  actions: (block, surface) => h("div", { class: "block actions" }, block.elements.map((element) => renderElement(element, block, surface))),
  divider: () => h("hr", { class: "block divider" }),
  image: (block) => h("figure", { class: "block image" }, block.title && h("figcaption", {}, plain(block.title)), image(block)),
  rich_text: (block, surface) => h("div", { class: "block rich text" }, richText(block, surface.names)),
  markdown: (block, surface) => h("div", { class: "block text" }, mrkdwn(block.text.replace(/\*\*/g, "*"), surface.names)),
};

/** The control in `root` that corresponds to one that had the focus before a redraw; null when it is gone. */
export function sameControl(root, before) {
  const { key, action, value } = before.dataset;
  const controls = [...root.querySelectorAll("[data-key]")];
  return controls.find(({ dataset }) => dataset.key === key && dataset.value === value)
    ?? controls.find(({ dataset }) => dataset.action === action && dataset.value === value)
    ?? controls.find(({ dataset }) => dataset.key === key) ?? null;
}
