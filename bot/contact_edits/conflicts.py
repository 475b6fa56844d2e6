"""When the SIS and an edit disagree, a person chooses. Until then every reader sees what staff entered."""

from datetime import datetime
from typing import Literal

from sqlalchemy.orm import Session

from bot.access import rights
from bot.access.rights import Actor
from bot.contact_edits.locking import lock_contact, record_change, update_list_entry
from bot.contact_edits.undo import load_edit
from bot.db.models.edits import EditField, EditState
from bot.errors import UserError

# Actions in the audit.
KEPT_OURS, TOOK_SIS = "conflict.kept_ours", "conflict.took_sis"


def resolve_conflict(
    session: Session, edit_id: int, *, keep: Literal["ours", "sis"], actor: Actor, now: datetime
) -> None:
    """Keep ours: the edit is pending again, based on what the SIS has now. Keep the SIS's: the edit ends.

    Raises:
        UserError: someone has chosen already, or the SIS agrees by now.
    """
    rights.require_editor(actor)
    edit = load_edit(session, edit_id, actor=actor)
    before = lock_contact(session, edit.contact_id)
    session.refresh(edit)
    if edit.state != EditState.CONFLICT:
        sentence = "This conflict is settled already. Open the student to see the contact as it is now."
        raise UserError("conflict.settled", sentence)
    field = EditField(edit.field)
    sis_value = before.sis[field]
    if keep == "ours":
        edit.state, edit.base, edit.sis_value, edit.sis_at = EditState.PENDING, sis_value, None, None
        change, action = (sis_value, edit.value), KEPT_OURS
    else:
        edit.state = EditState.SIS_TAKEN
        change, action = (edit.value, sis_value), TOOK_SIS
    record_change(session, edit.contact_id, field, change, actor=actor, action=action, now=now)
    update_list_entry(session, before.contact, actor=actor, now=now)
