"""When the SIS and an edit disagree, a person chooses; until then what staff entered is what everyone reads."""

from datetime import datetime
from typing import Literal

from sqlalchemy.orm import Session

from bot import access
from bot.access import Actor
from bot.contact_edits.locking import lock_contact, record_change, update_list_entry
from bot.contact_edits.undo import load_edit
from bot.db.models.edits import EditField, EditState
from bot.errors import UserError


def resolve_conflict(
    session: Session, edit_id: int, *, keep: Literal["ours", "sis"], actor: Actor, now: datetime
) -> None:
    """Keep ours: the edit is pending again, against what the SIS says now. Take the SIS's: the edit is done.

    Raises:
        UserError: somebody has chosen already, or the SIS agrees by now.
    """
    access.require_editor(actor)
    edit = load_edit(session, edit_id, actor=actor)
    before = lock_contact(session, edit.contact_id)
    session.refresh(edit)
    if edit.state != EditState.CONFLICT:
        raise UserError("conflict.settled", "This has been settled already. Open the student to see how it stands.")
    field = EditField(edit.field)
    sis = before.sis(field)
    if keep == "ours":
        edit.state, edit.base, edit.sis_value, edit.sis_at = EditState.PENDING, sis, None, None
        values = (sis, edit.value)
    else:
        edit.state = EditState.SIS_TAKEN
        values = (edit.value, sis)
    action = "conflict.kept_ours" if keep == "ours" else "conflict.took_sis"
    record_change(session, edit.contact_id, field, values, actor=actor, action=action, now=now)
    update_list_entry(session, before.contact, actor=actor, now=now)
