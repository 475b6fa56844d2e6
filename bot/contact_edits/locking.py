"""A contact that is locked while it changes: its SIS values, the edits in force, and its version for optimistic locking.

Locks are taken in this order, by the sync, too: the contact, its edits, the cleanup list, its entry.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, or_, select, update
from sqlalchemy.orm import Session

from bot.access import rights
from bot.access.rights import Actor
from bot.cleanup_list.membership import update_list
from bot.cleanup_list.number_status import Numbers
from bot.db import audit
from bot.db.advisory_locks import lock_cleanup_list
from bot.db.audit import Subject
from bot.db.models.base import ContactMethod
from bot.db.models.edits import IN_FORCE, Audit, Edit, EditField, EditState
from bot.db.models.messages import ListEntry, PhoneNumber
from bot.db.models.roster import Contact
from bot.domain import display
from bot.errors import UserError

# Actions in a contact's history that change its version. Looking at it, claims, texted opt-outs, and reports do not.
VERSIONED_ACTIONS = (
    *("phone.changed", "method.changed", "phone.undone", "method.undone"),
    *("contact.removed", "contact.brought_back", "conflict.kept_ours", "conflict.took_sis", "opt_out.recorded"),
    *("wrong_person.recorded", "wrong_person.lifted", "note.overruled"),
    *("number.verified", "number.confirmed", "number.unconfirmed"),
)


class VersionConflict(UserError):  # noqa: N818 - it names a state of the contact.
    """The contact was changed after this person opened it. `by` is a Slack user id or a process (`sync`), None if unknown."""

    def __init__(self, by: str | None) -> None:
        sentence = "Someone changed this contact while you had it open. Open it again to see it as it is now."
        super().__init__("contact.version_conflict", sentence)
        self.by = by


Values = Mapping[EditField, str | None]


@dataclass(frozen=True)
class LockedContact:
    """A contact and its edits in force, at most one per field.

    `sis` are the values of the SIS, and `values` edit-or-SIS, as every reader sees them.
    """

    contact: Contact
    edits: Mapping[EditField, Edit]
    sis: Values
    values: Values


def lock_contact(session: Session, contact_id: int, *, version: int | None = None) -> LockedContact:
    """Lock the contact until the transaction ends, and increase its version.

    Raises:
        VersionConflict: its version is not `version` anymore.
    """
    increase = update(Contact).where(Contact.id == contact_id).values(version=Contact.version + 1).returning(Contact)
    if version is not None:
        increase = increase.where(Contact.version == version)
    options = {"populate_existing": True, "synchronize_session": False}
    contact = session.scalars(increase, execution_options=options).one_or_none()
    if contact is None:
        raise VersionConflict(_last_changed_by(session, contact_id))
    return _with_edits(session, contact)


def lock_for_staff(
    session: Session, contact_id: int, *, version: int, actor: Actor, student_id: int | None = None
) -> LockedContact:
    """Lock a contact that this person may change; with `student_id`, a contact of that student.

    Raises:
        VersionConflict: its version is not `version` anymore.
        UserError: this person may not change contacts, or not see this one.
    """
    rights.require_editor(actor)
    rights.require_contact(session, contact_id, actor=actor, student_id=student_id)
    return lock_contact(session, contact_id, version=version)


def already_saved_by(session: Session, contact_id: int, conflict: VersionConflict, actor: Actor) -> LockedContact:
    """Return the contact if this person made the conflicting change: a second press, or a dialog that Slack sent again.

    Raises:
        VersionConflict: someone else made it.
    """
    if conflict.by != actor.user_id:
        raise conflict
    return _with_edits(session, session.get_one(Contact, contact_id))


def number_saved_before(
    session: Session, contact_id: int, conflict: VersionConflict, actor: Actor, is_saved: Callable[[str], bool]
) -> str:
    """Return the contact's number, if this person saved about it a moment ago what they ask for now.

    Raises:
        VersionConflict: they did not.
    """
    phone = already_saved_by(session, contact_id, conflict, actor).values[EditField.PHONE]
    if phone is None or not is_saved(phone):
        raise conflict
    return phone


def _with_edits(session: Session, contact: Contact) -> LockedContact:
    query = select(Edit).where(Edit.contact_id == contact.id, Edit.state.in_(IN_FORCE))
    rows = session.scalars(query, execution_options={"populate_existing": True})
    edits = {EditField(edit.field): edit for edit in rows}
    sis = {EditField.PHONE: contact.sis_phone, EditField.METHOD: contact.sis_method}
    return LockedContact(contact, edits, sis, sis | {field: edit.value for field, edit in edits.items()})


def _last_changed_by(session: Session, contact_id: int) -> str | None:
    history = select(Audit.actor).where(Audit.subject_kind == "contact", Audit.subject_id == contact_id)
    newest = history.where(Audit.action.in_(VERSIONED_ACTIONS)).order_by(Audit.at.desc(), Audit.id.desc())
    return session.scalar(newest.limit(1))


def edit_state(edit: Edit, sis_value: str | None) -> EditState:
    """Return the state of an edit, given what the SIS has now."""
    if sis_value == edit.value:
        return EditState.ABSORBED
    return EditState.PENDING if sis_value == edit.base else EditState.CONFLICT


def record_change(
    session: Session,
    contact_id: int,
    field: EditField,
    values: tuple[str | None, str | None],
    *,
    actor: Actor,
    action: str,
    now: datetime,
) -> None:
    """Add a row to the contact's history, with numbers masked; `values` are before and after."""
    before, after = (display.masked(value) if field is EditField.PHONE else value for value in values)
    subject = Subject("contact", contact_id)
    audit.record(session, subject, actor=actor.user_id, action=action, before=before, after=after, now=now)


def update_list_entry(
    session: Session, contact: Contact, *, actor: Actor, now: datetime, values: Values | None = None
) -> bool:
    """Mark the contact's entry as updated while it differs from what the last message could not reach; return whether it has one.

    `values` are those after the change, if the caller has them.
    A number that texted STOP, belongs to the wrong person, or has a note of the SIS against it is listed at once.
    """
    session.flush()
    values = values or _with_edits(session, contact).values
    number, takes_texts = values[EditField.PHONE], values[EditField.METHOD] == ContactMethod.TEXT
    number_says = (PhoneNumber.opted_out_at, PhoneNumber.wrong_person_at, PhoneNumber.noted)
    at_once = exists().where(PhoneNumber.phone == number, or_(*(column.is_not(None) for column in number_says)))
    if number and takes_texts and session.scalar(select(at_once)):
        lock_cleanup_list(session)
        update_list(session, Numbers([number]), message_id=None, now=now)
    entry = session.get(ListEntry, contact.id, with_for_update=True)
    if entry is None:
        return False
    is_as_listed = number == entry.phone and takes_texts
    entry.updated_at, entry.updated_by = (None, None) if is_as_listed else (now, actor.user_id)
    return True


def is_opted_out(session: Session, number: str) -> bool:
    """Return whether a number (E.164) texted STOP, and not START since."""
    return session.scalar(select(PhoneNumber.opted_out_at).where(PhoneNumber.phone == number)) is not None
