// Block Kit's elements a person can press, choose from or type into. In an input block an element only
// remembers; elsewhere (or with dispatch_action) it tells the app at once.

import { fill, freshId, h, icon } from "./dom.js";
import { plain, plainNodes, textObject } from "./mrkdwn.js";
import { openPopup } from "./popup.js";
import { select } from "./selects.js";
import { sure, took, trace } from "./touch.js";

/** An element as a node. `named` carries {label, describedby} from an input block's label, hint and error. */
export function element(it, block, surface, named = {}) {
  const draw = DRAW[it.type];
  return draw ? draw(it, block, surface, named) : h("span", { class: "unknown" }, `[${it.type}]`);
}

function button(it, block, surface) {
  const kind = { primary: "primary", danger: "danger" }[it.style] ?? "";
  const node = h("button", { type: "button", class: `button ${kind}`, "aria-label": it.accessibility_label, data: trace(it, block),
    onclick: async () => {
      if (it.url) window.open(it.url, "_blank", "noopener");
      if (node.ariaBusy === "true" || !(await sure(it, surface))) return;
      node.ariaBusy = "true";
      await surface.press(block, it, { value: it.value });
      node.ariaBusy = null;
    } }, plainNodes(it.text));
  return node;
}

function overflow(it, block, surface) {
  let close = null;
  const control = h("button", { type: "button", class: "button icon-only", "aria-haspopup": "menu", "aria-expanded": "false",
    "aria-label": "More actions", data: trace(it, block), onclick: () => (close ? close() : open()) }, icon("more"));
  const open = () => {
    const items = it.options.map((option) => h("button", { type: "button", role: "menuitem", class: "menu-row", tabindex: -1,
      onclick: () => chosen(option) }, h("span", { class: "menu-words" }, plainNodes(option.text), option.description && h("small", {}, plainNodes(option.description)))));
    close = openPopup(control, h("div", { class: "menu", role: "menu", "aria-label": "More actions", onkeydown: (event) => walk(event, items) }, items),
      { width: 180, onclose: () => (close = null) });
    items[0].focus();
  };
  const chosen = async (option) => {
    close();
    if (option.url) window.open(option.url, "_blank", "noopener");
    if (await sure(it, surface)) await surface.press(block, it, { selected_option: option });
  };
  return h("span", { class: "picker-wrap" }, control);
}

/** Arrow keys between the items of a menu. */
export function walk(event, items) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  items[(items.indexOf(document.activeElement) + step + items.length) % items.length].focus();
}

function choices(it, block, surface, named) {
  const single = it.type === "radio_buttons";
  const held = () => [surface.memory.held(block.block_id, it)].flat().filter(Boolean);
  const name = freshId("choice");
  const changed = async (option, on) => {
    const rest = held().filter(({ value }) => value !== option.value);
    const next = on ? [...rest, option] : rest;
    if (!(await took(it, block, surface, single ? option : next))) draw();
  };
  const group = h("div", { class: "choices", role: single ? "radiogroup" : "group", "aria-label": named.label ?? "Choices",
    "aria-describedby": named.describedby });
  const draw = () => fill(group, it.options.map((option) => h("label", { class: "choice" },
    h("input", { type: single ? "radio" : "checkbox", name, data: { ...trace(it, block), value: option.value }, checked: held().some(({ value }) => value === option.value),
      onchange: (event) => changed(option, event.target.checked) }),
    h("span", {}, textObject(option.text, surface.names), option.description && h("small", {}, textObject(option.description, surface.names))))));
  return draw();
}

const INPUT_TYPES = { email_text_input: "email", url_text_input: "url", number_input: "text", datepicker: "date", timepicker: "time", datetimepicker: "datetime-local" };

function text(it, block, surface, named) {
  const held = surface.memory.held(block.block_id, it);
  const tells = block.type === "input" && block.dispatch_action;
  const triggers = it.dispatch_action_config?.trigger_actions_on ?? ["on_enter_pressed"];
  const remember = (value) => surface.memory.hold(block.block_id, it, value === "" ? null : value);
  const tell = () => tells && surface.press(block, it, { value: node.value });
  const node = h(it.multiline ? "textarea" : "input", {
    class: "field", type: it.multiline ? null : (INPUT_TYPES[it.type] ?? "text"), inputmode: it.type === "number_input" ? "decimal" : null,
    id: named.id, placeholder: it.placeholder && plain(it.placeholder), maxlength: it.max_length, rows: it.multiline ? 4 : null,
    autocomplete: "off", autofocus: it.focus_on_load, value: held ?? "", data: trace(it, block),
    "aria-describedby": named.describedby, "aria-invalid": named.invalid || null, "aria-required": named.required || null,
    oninput: () => { remember(node.value); if (triggers.includes("on_character_entered")) tell(); },
    onkeydown: (event) => {
      if (event.key !== "Enter" || it.multiline || !tells || !triggers.includes("on_enter_pressed")) return;
      event.preventDefault();
      tell();
    },
  });
  return node;
}

function moment(it, block, surface, named) {
  const held = surface.memory.held(block.block_id, it);
  const shown = it.type === "datetimepicker" && held ? localMinute(held) : (held ?? "");
  const node = h("input", { class: "field moment", type: INPUT_TYPES[it.type], id: named.id, value: shown, data: trace(it, block),
    "aria-label": named.label ? null : (it.placeholder ? plain(it.placeholder) : "Date"), "aria-describedby": named.describedby,
    "aria-invalid": named.invalid || null,
    onchange: () => {
      const value = it.type === "datetimepicker" ? Math.floor(new Date(node.value) / 1000) : node.value;
      took(it, block, surface, value || null);
    } });
  return node;
}

function localMinute(seconds) {
  const local = new Date(seconds * 1000 - new Date(seconds * 1000).getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 16);
}

/** An image element or block; one that cannot be fetched shows its words. */
export function image(it, title = null) {
  const address = it.image_url ?? it.slack_file?.url ?? "";
  const node = h("img", { src: /^(https?:|\/)/.test(address) ? address : "", alt: it.alt_text, loading: "lazy", title,
    onerror: () => node.replaceWith(h("span", { class: "no-image" }, it.alt_text)) });
  return node;
}

const DRAW = {
  button, overflow, image: (it) => image(it), radio_buttons: choices, checkboxes: choices, plain_text_input: text, email_text_input: text,
  url_text_input: text, number_input: text, datepicker: moment, timepicker: moment, datetimepicker: moment,
  workflow_button: button, static_select: select, external_select: select, multi_static_select: select, multi_external_select: select,
  users_select: select, multi_users_select: select, conversations_select: select, multi_conversations_select: select,
  channels_select: select, multi_channels_select: select,
  file_input: () => h("p", { class: "hint" }, "Files cannot be chosen in the sandbox."),
  rich_text_input: (it, block, surface, named) => text({ ...it, multiline: true }, block, surface, named),
};

