"""Ids of the dialogs about students and contacts. They stay on screens and in messages: none is ever renamed."""

VIEW = "student.dialog"
SHOW_STUDENT = "student.show"  # Opens the student dialog; `student.open` of a list may open a form instead.
EDIT, REMOVE, OPT_OUT = "contact.edit", "contact.remove", "contact.spoken_stop"
WRONG_PERSON, VERIFIED = "contact.wrong_person", "contact.verified"
ALLOW_TEXTS = "note.overrule"
UNDO_EDIT, UNDO_REMOVAL = "edit.undo", "removal.undo"
UNDO_EDIT_ON_LIST, UNDO_REMOVAL_ON_LIST = "edit.undo_on_list", "removal.undo_on_list"
UNDO_CALL, UNDO_CALL_ON_LIST = "call.undo", "call.undo_on_list"
KEEP_OURS, TAKE_SIS = "conflict.keep_ours", "conflict.take_sis"
CLAIM, RELEASE = "claim.take", "claim.free"
USE_SUGGESTED = "suggestion.use"
SWITCH_TO_CALL, SIBLING = "method.switch_to_call", "student.open_sibling"
ALL_CONTACTS, MORE_CONTACTS = "student.all_contacts", "student.further_contacts"
HEALTHY_CONTACTS = "student.healthy_contacts"
SHOW_NUMBER, COPY_NUMBER, LOG_CALL = "contact.show_number", "contact.copy_number", "contact.log_call"
# The menu behind the three dots, and its choices besides the action ids above.
MORE, HISTORY, SCRIPT = "contact.more", "history", "contact.script"
