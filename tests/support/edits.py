"""Acts of staff on a contact as one-liners: saved from a dialog that was opened just before, by whoever is named."""

from sqlalchemy import select
from support.people import NOW

from bot.contact_edits.change import change_contact
from bot.contact_edits.remove import remove_contact
from bot.db.models import edits, views
from bot.db.models.edits import Audit, Edit, EditField, EditState
from bot.db.models.roster import Contact

KEEP = "as it is"
OUR_NUMBER = "+13125550100"
"""Where a contact texts START."""


def version_of(session, one):
    return session.scalar(select(Contact.version).where(Contact.id == one.id))


def change(session, one, *, actor, phone=KEEP, method=KEEP, version=None, now=NOW, opt_in_number=OUR_NUMBER):
    """Save a dialog in which only what is given was touched."""
    reach = stands(session, one)
    return change_contact(
        session,
        one.id,
        version=version_of(session, one) if version is None else version,
        phone=reach[0] if phone == KEEP else phone,
        method=reach[1] if method == KEEP else method,
        actor=actor,
        region="US",
        opt_in_number=opt_in_number,
        now=now,
    )


def remove(session, one, of, *, actor, version=None, now=NOW):
    """Remove a contact from a student, or (None) from all of its students."""
    return remove_contact(
        session,
        one.id,
        student_id=of.id if of else None,
        version=version_of(session, one) if version is None else version,
        reason="The same person is listed twice",
        actor=actor,
        now=now,
    )


def stands(session, one):
    """(phone, method) as everyone reads it."""
    reach = views.contact_reach.c
    session.flush()
    return tuple(session.execute(select(reach.phone, reach.method).where(reach.contact_id == one.id)).one())


def states(session, one):
    """(field, value, state) of every edit of a contact, oldest first."""
    session.flush()
    edit = Edit
    found = session.execute(
        select(edit.field, edit.value, edit.state).where(edit.contact_id == one.id).order_by(edit.id)
    )
    return [tuple(row) for row in found]


def in_force(session, one):
    return [edit for edit in states(session, one) if edit[2] in edits.IN_FORCE]


def history(session):
    """(action, actor, before, after) of everything in the audit, oldest first."""
    session.flush()
    row = Audit
    return [
        tuple(one) for one in session.execute(select(row.action, row.actor, row.before, row.after).order_by(row.id))
    ]


def sis_says(session, one, phone, *, now=NOW):
    """The sync hears a number, as it would: the version moves, and an edit in force is absorbed, pending or disputed."""
    one.sis_phone = phone
    one.version += 1
    session.flush()
    edit = session.scalars(
        select(Edit)
        .where(Edit.contact_id == one.id, Edit.field == EditField.PHONE)
        .where(Edit.state.in_(edits.IN_FORCE))
    ).one_or_none()
    if edit:
        edit.state = verdict(edit.base, edit.value, phone)
        disputed = edit.state == EditState.CONFLICT
        edit.sis_value, edit.sis_at = (phone, now) if disputed else (None, None)
        session.flush()


def verdict(base, value, sis):
    if sis == value:
        return EditState.ABSORBED
    return EditState.PENDING if sis == base else EditState.CONFLICT
