// Block Kit's interactive elements. In an input block an element only stores its value; elsewhere (or with dispatch_action)
// it also sends it to the app at once.

import { fill, freshId, h, icon } from "./dom.js";
import { confirmed, menuButton } from "./overlays.js";
import { picker } from "./picker.js";
import { plain, plainNodes, textObject } from "./text.js";

/** An element as a node. `field` is {id, label, describedby, invalid, required} from the label of an input block. */
export function renderElement(element, block, surface, field = {}) {
  const render = ELEMENTS[element.type];
  return render ? render(element, block, surface, field) : h("span", { class: "unknown" }, `[${element.type}]`);
}

/** The attributes by which a redrawn page finds this control again (see `sameControl`). */
const identity = (element, block) =>
  ({ key: `${block.block_id}|${element.action_id}`, action: element.action_id, value: element.value ?? "" });

const isConfirmed = async (element, surface) => !element.confirm || confirmed(element.confirm, surface.names);

/** Stores a value and, where Slack does, sends it to the app. Returns false when the user did not confirm. */
async function change(element, block, surface, value) {
  const dispatches = block.type !== "input" || block.dispatch_action;
  if (dispatches && !(await isConfirmed(element, surface))) return false;
  surface.values.set(block.block_id, element, value);
  if (dispatches) await surface.press(block, element);
  return true;
}

function button(element, block, surface) {
  const style = { primary: "primary", danger: "danger" }[element.style] ?? "";
  const node = h("button", { type: "button", class: `button ${style}`, "aria-label": element.accessibility_label, data: identity(element, block),
    onclick: async () => {
      if (element.url) window.open(element.url, "_blank", "noopener");
      if (node.ariaBusy === "true" || !(await isConfirmed(element, surface))) return;
      node.ariaBusy = "true";
      await surface.press(block, element, { value: element.value });
      node.ariaBusy = null;
    } }, plainNodes(element.text));
  return node;
}

function overflow(element, block, surface) {
  const choose = async (option) => {
    if (option.url) window.open(option.url, "_blank", "noopener");
    if (await isConfirmed(element, surface)) await surface.press(block, element, { selected_option: option });
  };
  const items = element.options.map((option) => ({
    label: plainNodes(option.text), description: option.description && plainNodes(option.description), choose: () => choose(option) }));
  return menuButton("More actions", icon("more"), items, { width: 180, props: { data: identity(element, block) } });
}

function choices(element, block, surface, field) {
  const isRadio = element.type === "radio_buttons";
  const chosen = () => [surface.values.get(block.block_id, element)].flat().filter(Boolean);
  const isChosen = (option) => chosen().some(({ value }) => value === option.value);
  const name = freshId("choice");
  const onChange = async (option, checked) => {
    const others = chosen().filter(({ value }) => value !== option.value);
    const value = isRadio ? option : checked ? [...others, option] : others;
    if (!(await change(element, block, surface, value))) draw();
  };
  const group = h("div", { class: "choices", role: isRadio ? "radiogroup" : "group", "aria-label": field.label ?? "Choices",
    "aria-describedby": field.describedby });
  const draw = () => fill(group, element.options.map((option) => h("label", { class: "choice" },
    h("input", { type: isRadio ? "radio" : "checkbox", name, data: { ...identity(element, block), value: option.value }, checked: isChosen(option),
      onchange: (event) => onChange(option, event.target.checked) }),
    h("span", {}, textObject(option.text, surface.names), option.description && h("small", {}, textObject(option.description, surface.names))))));
  return draw();
}

const INPUT_TYPES = {
  email_text_input: "email", url_text_input: "url", number_input: "text", datepicker: "date", timepicker: "time", datetimepicker: "datetime-local",
};

function textInput(element, block, surface, field) {
  const dispatches = block.type === "input" && block.dispatch_action;
  const triggers = element.dispatch_action_config?.trigger_actions_on ?? ["on_enter_pressed"];
  const dispatch = () => dispatches && surface.press(block, element, { value: node.value });
  const node = h(element.multiline ? "textarea" : "input", {
    class: "field", type: element.multiline ? null : (INPUT_TYPES[element.type] ?? "text"),
    inputmode: element.type === "number_input" ? "decimal" : null, id: field.id,
    placeholder: element.placeholder && plain(element.placeholder), maxlength: element.max_length, rows: element.multiline ? 4 : null,
    autocomplete: "off", autofocus: element.focus_on_load, value: surface.values.get(block.block_id, element) ?? "", data: identity(element, block),
    "aria-describedby": field.describedby, "aria-invalid": field.invalid || null, "aria-required": field.required || null,
    oninput: () => {
      surface.values.set(block.block_id, element, node.value === "" ? null : node.value);
      if (triggers.includes("on_character_entered")) dispatch();
    },
    onkeydown: (event) => {
      if (event.key !== "Enter" || element.multiline || !dispatches || !triggers.includes("on_enter_pressed")) return;
      event.preventDefault();
      dispatch();
    },
  });
  return node;
}

function dateInput(element, block, surface, field) {
  const withTime = element.type === "datetimepicker";
  const value = surface.values.get(block.block_id, element);
  const node = h("input", { class: "field moment", type: INPUT_TYPES[element.type], id: field.id,
    value: withTime && value ? localMinute(value) : (value ?? ""), data: identity(element, block),
    "aria-label": field.label ? null : (element.placeholder ? plain(element.placeholder) : "Date"),
    "aria-describedby": field.describedby, "aria-invalid": field.invalid || null,
    onchange: () => {
      const entered = withTime ? Math.floor(new Date(node.value) / 1000) : node.value;
      change(element, block, surface, entered || null);
    } });
  return node;
}

/** Seconds since 1970 as the value of a datetime-local input. */
function localMinute(seconds) {
  const date = new Date(seconds * 1000);
  return new Date(date - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** An image element or block; one that cannot be loaded shows its alt text. */
export function image(element) {
  const url = element.image_url ?? element.slack_file?.url ?? "";
  const node = h("img", { src: /^(https?:|\/)/.test(url) ? url : "", alt: element.alt_text, loading: "lazy",
    onerror: () => node.replaceWith(h("span", { class: "no-image" }, element.alt_text)) });
  return node;
}

/** Any select or multi-select: they differ in the source of their options and in the value of a chosen one. */
function select(element, block, surface, field) {
  const many = element.type.startsWith("multi_");
  const source = SOURCES[element.type.replace(/^multi_/, "")](element, block, surface);
  const placeholder = element.placeholder ? plain(element.placeholder) : "Choose…";
  return picker({
    label: field.label ?? placeholder,
    placeholder,
    many,
    max: element.max_selected_items,
    describedby: field.describedby,
    data: identity(element, block),
    chosen: [surface.values.get(block.block_id, element)].flat().filter(Boolean).map(source.toOption),
    find: source.find,
    isRemote: source.isRemote,
    onChange: (options) => {
      const values = options.map((option) => option.value);
      return change(element, block, surface, many ? values : values[0]);
    },
  });
}

const SOURCES = {
  static_select: (element) => ({ toOption, find: async (query) => matching(optionsOf(element), query) }),
  external_select: (element, block, surface) => ({ toOption, isRemote: true, find: (query) => suggested(element, block, surface, query) }),
  users_select: (_element, _block, { names }) => namedSource(names.people, names.user),
  conversations_select: (_element, _block, { names }) => namedSource(names.channels, names.channel, "#"),
  channels_select: (_element, _block, { names }) => namedSource(names.channels.filter(({ kind }) => kind === "channel"), names.channel, "#"),
};

const toOption = (option) =>
  ({ id: option.value, text: plain(option.text), description: option.description && plain(option.description), value: option });

const optionsOf = (menu) =>
  menu.option_groups
    ? menu.option_groups.flatMap((group) => group.options.map((option) => ({ ...toOption(option), group: plain(group.label) })))
    : menu.options.map(toOption);

function namedSource(items, nameOf, prefix = "") {
  const toOption = (id) => ({ id, text: `${prefix}${nameOf(id) ?? id}`, value: id });
  const options = items.map(({ id, title }) => ({ ...toOption(id), description: title }));
  return { toOption, find: async (query) => matching(options, query) };
}

const folded = (text) => text.toLocaleLowerCase().normalize("NFD").replace(/\p{M}/gu, "");

function matching(options, query) {
  const words = folded(query).split(/\s+/);
  return options.filter(({ text, description = "" }) => words.every((word) => folded(`${text} ${description}`).includes(word)));
}

async function suggested(element, block, surface, query) {
  if (query.length < (element.min_query_length ?? 3)) return [];
  const response = await surface.suggest(block, element, query);
  return response.error ? [] : optionsOf(response);
}

/** Chosen files go to Slack at once; the app learns of them when the dialog is submitted. */
function fileInput(element, block, surface, labelled) {
  const files = () => surface.values.get(block.block_id, element) ?? [];
  const names = h("p", { class: "hint", role: "status" });
  const draw = (problem = "") => fill(names, problem || files().map(({ name }) => name).join(", "));
  const node = h("input", { class: "field", type: "file", id: labelled.id, data: identity(element, block),
    accept: (element.filetypes ?? []).map((type) => `.${type}`).join(","), multiple: (element.max_files ?? 10) > 1,
    "aria-describedby": labelled.describedby, "aria-invalid": labelled.invalid || null,
    onchange: async () => {
      const answers = await Promise.all([...node.files].map((file) => surface.upload(file)));
      surface.values.set(block.block_id, element, answers.flatMap(({ file }) => file ?? []));
      draw(answers.some(({ error }) => error) ? "Slack takes files of up to 10 MB." : "");
    } });
  draw();
  return h("div", {}, node, names);
}

const ELEMENTS = {
  button,
  overflow,
  image,
  radio_buttons: choices,
  checkboxes: choices,
  plain_text_input: textInput,
  email_text_input: textInput,
  url_text_input: textInput,
  number_input: textInput,
  rich_text_input: (element, block, surface, field) => textInput({ ...element, multiline: true }, block, surface, field),
  datepicker: dateInput,
  timepicker: dateInput,
  datetimepicker: dateInput,
  file_input: fileInput,
  ...Object.fromEntries(Object.keys(SOURCES).flatMap((type) => [[type, select], [`multi_${type}`, select]])),
};
