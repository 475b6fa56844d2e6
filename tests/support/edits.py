"""What staff do to a contact, as one-liners: each is saved from a dialog that was opened just before."""

from sqlalchemy import select
from support.people import NOW

from bot.contact_edits.change import change_contact
from bot.contact_edits.remove import RemovalReason, remove_contact
from bot.db.models import edits, views
from bot.db.models.edits import Audit, Edit, EditField, EditState
from bot.db.models.roster import Contact

KEEP = "as it is"
# The number that contacts text START to.
OPT_IN_NUMBER = "+13125550100"


def version_of(session, contact):
    return session.scalar(select(Contact.version).where(Contact.id == contact.id))


def change(session, contact, *, actor, phone=KEEP, method=KEEP, version=None, now=NOW, opt_in_number=OPT_IN_NUMBER):
    """Save the edit dialog; fields that are not given stay as they are."""
    current_phone, current_method = effective(session, contact)
    return change_contact(
        session,
        contact.id,
        version=version_of(session, contact) if version is None else version,
        phone=current_phone if phone == KEEP else phone,
        method=current_method if method == KEEP else method,
        actor=actor,
        region="US",
        opt_in_number=opt_in_number,
        now=now,
    )


def remove(session, contact, student, *, actor, version=None, now=NOW):
    """Remove a contact from a student, or (None) from all of its students."""
    return remove_contact(
        session,
        contact.id,
        student_id=student.id if student else None,
        version=version_of(session, contact) if version is None else version,
        reason=RemovalReason.DUPLICATE,
        actor=actor,
        now=now,
    )


def effective(session, contact):
    """Return (phone, method) as every reader sees them: the edit, or else the SIS value."""
    reach = views.contact_reach.c
    session.flush()
    return tuple(session.execute(select(reach.phone, reach.method).where(reach.contact_id == contact.id)).one())


def states(session, contact):
    """Return (field, value, state) of every edit of a contact, oldest first."""
    session.flush()
    rows = select(Edit.field, Edit.value, Edit.state).where(Edit.contact_id == contact.id).order_by(Edit.id)
    return [tuple(row) for row in session.execute(rows)]


def in_force(session, contact):
    return [edit for edit in states(session, contact) if edit[2] in edits.IN_FORCE]


def audit_log(session):
    """Return (action, actor, before, after) of every audit row, oldest first."""
    session.flush()
    rows = select(Audit.action, Audit.actor, Audit.before, Audit.after).order_by(Audit.id)
    return [tuple(row) for row in session.execute(rows)]


def sync_phone(session, contact, phone, *, now=NOW):
    """Change the SIS number as the sync does: with a new version, and the edit absorbed, pending, or in conflict."""
    contact.sis_phone = phone
    contact.version += 1
    session.flush()
    edit = session.scalars(
        select(Edit)
        .where(Edit.contact_id == contact.id, Edit.field == EditField.PHONE)
        .where(Edit.state.in_(edits.IN_FORCE))
    ).one_or_none()
    if edit:
        edit.state = _state_after_sync(edit.base, edit.value, phone)
        has_conflict = edit.state == EditState.CONFLICT
        edit.sis_value, edit.sis_at = (phone, now) if has_conflict else (None, None)
        session.flush()


def _state_after_sync(base, value, sis):
    if sis == value:
        return EditState.ABSORBED
    return EditState.PENDING if sis == base else EditState.CONFLICT
