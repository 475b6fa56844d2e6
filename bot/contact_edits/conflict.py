"""When the SIS and an edit disagree, a person chooses; until then what staff entered is what everyone reads."""

from datetime import datetime
from typing import Literal

from sqlalchemy.orm import Session

from bot import access
from bot.access import Actor
from bot.contact_edits.standing import lock, mark_listed, record
from bot.contact_edits.undo import held
from bot.errors import UserError
from bot.models import EditField, EditState
from bot.wording import say


def settle_conflict(
    session: Session, edit_id: int, *, keep: Literal["ours", "sis"], actor: Actor, now: datetime
) -> None:
    """Keep ours: the edit is pending again, against what the SIS says now. Take the SIS's: the edit is done.

    Raises:
        UserError: somebody has chosen already, or the SIS agrees by now.
    """
    access.editor(actor)
    edit = held(session, edit_id, actor=actor)
    before = lock(session, edit.contact_id)
    session.refresh(edit)
    if edit.state != EditState.CONFLICT:
        raise UserError(say("contact_edits.conflict.settled"))
    field = EditField(edit.field)
    sis = before.sis(field)
    if keep == "ours":
        edit.state, edit.base, edit.sis_value, edit.sis_at = EditState.PENDING, sis, None, None
        values = (sis, edit.value)
    else:
        edit.state = EditState.SIS_TAKEN
        values = (edit.value, sis)
    action = "conflict.kept_ours" if keep == "ours" else "conflict.took_sis"
    record(session, edit.contact_id, field, values, actor=actor, action=action, now=now)
    mark_listed(session, before.contact, actor=actor, now=now)
