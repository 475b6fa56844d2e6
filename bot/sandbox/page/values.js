// Chosen and typed values in the shape of Slack's state: {block_id: {action_id: {type, value or selected_...}}}.
// Only touched elements are stored; an untouched one has its initial value.

const single = (field) => ({ field, empty: null });
const list = (field) => ({ field, empty: [] });

const SHAPES = {
  plain_text_input: single("value"),
  email_text_input: single("value"),
  url_text_input: single("value"),
  number_input: single("value"),
  datepicker: single("selected_date"),
  timepicker: single("selected_time"),
  datetimepicker: single("selected_date_time"),
  static_select: single("selected_option"),
  external_select: single("selected_option"),
  radio_buttons: single("selected_option"),
  users_select: single("selected_user"),
  conversations_select: single("selected_conversation"),
  channels_select: single("selected_channel"),
  checkboxes: list("selected_options"),
  multi_static_select: list("selected_options"),
  multi_external_select: list("selected_options"),
  multi_users_select: list("selected_users"),
  multi_conversations_select: list("selected_conversations"),
  multi_channels_select: list("selected_channels"),
  file_input: list("files"),
};

/** The state entry of an element for a value: a text, an option, an id, or a list of them. */
export const entryOf = (element, value) => ({ type: element.type, [SHAPES[element.type].field]: value });

function initialValue(element) {
  const { field, empty } = SHAPES[element.type];
  const property = field === "value" ? "initial_value" : field.replace("selected", "initial");
  return element[property] ?? empty;
}

/** The elements of a block that have a value, as [block_id, element]. */
function valueElements(blocks) {
  return blocks.flatMap((block) =>
    [block.element, block.accessory, ...(block.type === "actions" ? block.elements : [])]
      .filter((element) => element && SHAPES[element.type])
      .map((element) => [block.block_id, element]));
}

/** The values of a form; `stored` is the state that the server already has. */
export function formValues(stored = {}) {
  const touched = structuredClone(stored);
  let unsent = [];
  return {
    get(blockId, element) {
      const entry = touched[blockId]?.[element.action_id];
      return entry?.type === element.type ? entry[SHAPES[element.type].field] : initialValue(element);
    },
    set(blockId, element, newValue) {
      const value = entryOf(element, newValue);
      touched[blockId] = { ...touched[blockId], [element.action_id]: value };
      const others = unsent.filter(({ block_id, action_id }) => block_id !== blockId || action_id !== element.action_id);
      unsent = [...others, { block_id: blockId, action_id: element.action_id, value }];
    },
    /** What was touched since the last call. */
    takeUnsent() {
      const taken = unsent;
      unsent = [];
      return taken;
    },
    /** The state of these blocks, including untouched elements. */
    state(blocks) {
      const values = {};
      for (const [blockId, element] of valueElements(blocks)) {
        values[blockId] = { ...values[blockId], [element.action_id]: entryOf(element, this.get(blockId, element)) };
      }
      return values;
    },
  };
}
