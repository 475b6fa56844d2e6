"""Undo an edit: the edit it replaced is in force again, or else what the SIS has now.

Phone and method that were saved together are undone together.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.access import rights
from bot.access.rights import Actor
from bot.contact_edits.locking import LockedContact, edit_state, lock_contact, record_change, update_list_entry
from bot.db.models.edits import IN_FORCE, Edit, EditField, EditState
from bot.errors import UserError


def undo_edit(session: Session, edit_id: int, *, actor: Actor, now: datetime) -> None:
    """Take an edit back.

    Raises:
        UserError: the edit is not in force anymore, so that undoing it would undo someone else's change.
    """
    rights.require_editor(actor)
    edit = load_edit(session, edit_id, actor=actor)
    before = lock_contact(session, edit.contact_id)
    saved_together = _saved_together(session, edit)
    session.refresh(edit)
    if edit.state == EditState.UNDONE:
        raise UserError(
            "undo.done_already", "This was undone already. Open the student to see the contact as it is now."
        )
    if not saved_together:
        sentence = "This was changed again since, so there is nothing to undo. Open the student to see the change."
        raise UserError("undo.changed_since", sentence)
    for each in saved_together:
        _take_back(session, before, each, actor=actor, now=now)
    update_list_entry(session, before.contact, actor=actor, now=now)


def load_edit(session: Session, edit_id: int, *, actor: Actor) -> Edit:
    """Return an edit of a contact this person may see.

    Raises:
        UserError: hidden and unknown edits are refused with the same sentence.
    """
    edit = session.get(Edit, edit_id)
    rights.require_contact(session, edit.contact_id if edit else 0, actor=actor)
    return session.get_one(Edit, edit_id)


def _saved_together(session: Session, edit: Edit) -> Sequence[Edit]:
    """Return the edits in force that were saved at once, read again under the lock; none where this edit is history."""
    same_save = select(Edit).where(
        Edit.contact_id == edit.contact_id, Edit.made_by == edit.made_by, Edit.made_at == edit.made_at
    )
    in_force = same_save.where(Edit.state.in_(IN_FORCE)).order_by(Edit.id)
    edits = session.scalars(in_force, execution_options={"populate_existing": True}).all()
    return edits if edit in edits else ()


def _take_back(session: Session, before: LockedContact, edit: Edit, *, actor: Actor, now: datetime) -> None:
    field = EditField(edit.field)
    edit.state = EditState.UNDONE
    session.flush()  # The unique index allows one edit in force, so this one ends first.
    sis_value = before.sis[field]
    earlier = session.get(Edit, edit.replaces_id) if edit.replaces_id else None
    if earlier:
        earlier.state = edit_state(earlier, sis_value)
        is_conflict = earlier.state is EditState.CONFLICT
        earlier.sis_value, earlier.sis_at = (sis_value, now) if is_conflict else (None, None)
    change = (edit.value, earlier.value if earlier else sis_value)
    record_change(session, edit.contact_id, field, change, actor=actor, action=f"{field}.undone", now=now)
