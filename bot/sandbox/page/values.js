// What a person has chosen or typed, in the shape Slack keeps it: {block_id: {action_id: {type, …}}}.
// Only what was touched is stored; an untouched element stands at its initial value.

const one = (field) => ({ field, empty: null });
const many = (field) => ({ field, empty: [] });

const SHAPES = {
  plain_text_input: one("value"),
  email_text_input: one("value"),
  url_text_input: one("value"),
  number_input: one("value"),
  datepicker: one("selected_date"),
  timepicker: one("selected_time"),
  datetimepicker: one("selected_date_time"),
  static_select: one("selected_option"),
  external_select: one("selected_option"),
  radio_buttons: one("selected_option"),
  users_select: one("selected_user"),
  conversations_select: one("selected_conversation"),
  channels_select: one("selected_channel"),
  checkboxes: many("selected_options"),
  multi_static_select: many("selected_options"),
  multi_external_select: many("selected_options"),
  multi_users_select: many("selected_users"),
  multi_conversations_select: many("selected_conversations"),
  multi_channels_select: many("selected_channels"),
};

/** The value of an element from what it holds: a text, an option, or a list of them. */
export function valueOf(element, held) {
  return { type: element.type, [SHAPES[element.type].field]: held };
}

/** What an element held before anybody touched it. */
export function initial(element) {
  const { field, empty } = SHAPES[element.type];
  return element[field.replace(/^selected|^value/, (word) => (word === "value" ? "initial_value" : "initial"))] ?? empty;
}

/** The elements of a block that hold a value, as [block_id, element]. */
export function holders(blocks) {
  return blocks.flatMap((block) =>
    [block.element, block.accessory, ...(block.type === "actions" ? block.elements : [])]
      .filter((element) => element && SHAPES[element.type])
      .map((element) => [block.block_id, element]),
  );
}

/** A memory of touched values; `before` is what the door already knows of them. */
export function memory(before = {}) {
  const touched = structuredClone(before);
  let untold = [];
  return {
    held(blockId, element) {
      const value = touched[blockId]?.[element.action_id];
      return value?.type === element.type ? value[SHAPES[element.type].field] : initial(element);
    },
    hold(blockId, element, held) {
      const value = valueOf(element, held);
      touched[blockId] = { ...touched[blockId], [element.action_id]: value };
      untold = [...untold.filter((it) => it.block_id !== blockId || it.action_id !== element.action_id), { block_id: blockId, action_id: element.action_id, value }];
    },
    /** What was touched since the last time this was asked. */
    takeUntold() {
      const news = untold;
      untold = [];
      return news;
    },
    /** Every value of these blocks, untouched ones at their initial value. */
    state(blocks) {
      const values = {};
      for (const [blockId, element] of holders(blocks)) {
        values[blockId] = { ...values[blockId], [element.action_id]: valueOf(element, this.held(blockId, element)) };
      }
      return values;
    },
  };
}

/** Whether nothing is chosen or typed. */
export const isEmpty = (held) => held === null || held === "" || (Array.isArray(held) && held.length === 0);
