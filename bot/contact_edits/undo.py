"""Undoing an edit brings back what stood before it: the edit it replaced, or what the SIS says now.

Phone and method that were saved together are undone together.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import access
from bot.access import Actor
from bot.contact_edits.locking import LockedContact, edit_state, lock_contact, record_change, update_list_entry
from bot.db.models.edits import IN_FORCE, Edit, EditField, EditState
from bot.errors import UserError


def undo_edit(session: Session, edit_id: int, *, actor: Actor, now: datetime) -> None:
    """Take an edit back.

    Raises:
        UserError: it is not what stands now, so that taking it back would undo somebody else's change.
    """
    access.require_editor(actor)
    edit = load_edit(session, edit_id, actor=actor)
    before = lock_contact(session, edit.contact_id)
    together = _saved_together(session, edit)
    session.refresh(edit)
    if edit.state == EditState.UNDONE:
        raise UserError("undo.undone", "This has been undone already. Open the student to see how it stands.")
    if not together:
        raise UserError(
            "undo.changed_since",
            "This was changed again since, so there is nothing to undo. Open the student to see it.",
        )
    for one in together:
        _take_back(session, before, one, actor=actor, now=now)
    update_list_entry(session, before.contact, actor=actor, now=now)


def load_edit(session: Session, edit_id: int, *, actor: Actor) -> Edit:
    """The edit, if this person may see its contact; refused with the sentence for a contact that is not theirs."""
    edit = session.get(Edit, edit_id)
    access.require_contact(session, edit.contact_id if edit else 0, actor=actor)
    return session.get_one(Edit, edit_id)


def _saved_together(session: Session, edit: Edit) -> Sequence[Edit]:
    """The edits in force of one act, read again now that the contact is held; none when this edit is history."""
    same_act = select(Edit).where(
        Edit.contact_id == edit.contact_id, Edit.made_by == edit.made_by, Edit.made_at == edit.made_at
    )
    in_force = same_act.where(Edit.state.in_(IN_FORCE)).order_by(Edit.id)
    together = session.scalars(in_force, execution_options={"populate_existing": True}).all()
    return together if edit in together else ()


def _take_back(session: Session, before: LockedContact, edit: Edit, *, actor: Actor, now: datetime) -> None:
    field = EditField(edit.field)
    edit.state = EditState.UNDONE
    session.flush()  # The index of edits in force has room for one: this one steps back first.
    sis = before.sis(field)
    earlier = session.get(Edit, edit.replaces_id) if edit.replaces_id else None
    if earlier:
        earlier.state = edit_state(earlier, sis)
        disputed = earlier.state is EditState.CONFLICT
        earlier.sis_value, earlier.sis_at = (sis, now) if disputed else (None, None)
    back = earlier.value if earlier else sis
    record_change(session, edit.contact_id, field, (edit.value, back), actor=actor, action=f"{field}.undone", now=now)
