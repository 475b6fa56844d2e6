// What happens when a person touches an element, whichever it is.

import { confirmed } from "./dialog.js";

/** What a re-drawn page needs to find this element again and give it back the focus. */
export const trace = (it, block) => ({ key: `${block.block_id}|${it.action_id}`, action: it.action_id, value: it.value ?? "" });

/** Asks an element's confirm question, if it has one. */
export const sure = async (it, surface) => !it.confirm || confirmed(it.confirm, surface.names);

/** Remembers what is held and, where Slack would, tells the app. Answers false when the person backed out. */
export async function took(it, block, surface, held) {
  const tells = block.type !== "input" || block.dispatch_action;
  if (tells && !(await sure(it, surface))) return false;
  surface.memory.hold(block.block_id, it, held);
  if (tells) await surface.press(block, it);
  return true;
}
