"""How one contact stands while somebody changes it: the SIS's values, the edits in force, and what follows for the list.

The contact is locked before its edits and its place on the list, by the sync, too: whoever holds the contact may change both.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import audit
from bot.access import Actor
from bot.audit import Subject
from bot.cleanup_list.list_lock import lock_cleanup_list
from bot.cleanup_list.membership import update_list
from bot.cleanup_list.number_status import Numbers
from bot.db.models.base import ContactMethod
from bot.db.models.edits import IN_FORCE, Audit, Edit, EditField, EditState
from bot.db.models.messages import ListEntry, PhoneNumber
from bot.db.models.roster import Contact
from bot.domain.phone import masked
from bot.errors import UserError

CHANGING = (
    *("phone.changed", "method.changed", "phone.undone", "method.undone"),
    *("contact.removed", "contact.brought_back", "conflict.kept_ours", "conflict.took_sis", "opt_out.recorded"),
)
"""The actions in a contact's history that move its version. Who looked, who took it, or a text of its own changes nothing of it here."""


class VersionConflict(UserError):  # noqa: N818 (It says how the contact is, not how the code went.)
    """Somebody else was faster. `by` is a Slack user id or a process (`sync`), null when it cannot be told."""

    def __init__(self, by: str | None) -> None:
        super().__init__(
            "contact.stale",
            "Somebody changed this contact while you were looking at it. Open it again to see it as it is.",
        )
        self.by = by


@dataclass(frozen=True)
class LockedContact:
    """A locked contact and its edits in force, at most one a field."""

    contact: Contact
    edits: Mapping[EditField, Edit]

    @property
    def name(self) -> str:
        return f"{self.contact.given_name} {self.contact.family_name}"

    @property
    def phone(self) -> str | None:
        return self.value(EditField.PHONE)

    @property
    def method(self) -> ContactMethod:
        return ContactMethod(self.value(EditField.METHOD) or ContactMethod.TEXT)

    def sis(self, field: EditField) -> str | None:
        return self.contact.sis_phone if field is EditField.PHONE else self.contact.sis_method

    def value(self, field: EditField) -> str | None:
        """Edit-or-SIS, as everyone reads it."""
        edit = self.edits.get(field)
        return edit.value if edit else self.sis(field)


def lock_contact(session: Session, contact_id: int, *, version: int | None = None) -> LockedContact:
    """The contact as it is now, held until this transaction ends, with its version moved on.

    Raises:
        Stale: it is not at `version` any more.
    """
    locked = select(Contact).where(Contact.id == contact_id).with_for_update(key_share=True)
    contact = session.scalars(locked, execution_options={"populate_existing": True}).one()
    if version is not None and contact.version != version:
        raise VersionConflict(_last_changed_by(session, contact_id))
    contact.version += 1
    return _standing(session, contact)


def already_saved_by(session: Session, contact_id: int, stale: VersionConflict, actor: Actor) -> LockedContact:
    """The contact as whoever asks left it themselves: of a second press, or of a dialog sent off again because Slack hung up.

    Raises:
        Stale: it was somebody else.
    """
    if stale.by != actor.user_id:
        raise stale
    return _standing(session, session.get_one(Contact, contact_id))


def _standing(session: Session, contact: Contact) -> LockedContact:
    in_force = select(Edit).where(Edit.contact_id == contact.id, Edit.state.in_(IN_FORCE))
    edits = session.scalars(in_force, execution_options={"populate_existing": True})
    return LockedContact(contact, {EditField(edit.field): edit for edit in edits})


def _last_changed_by(session: Session, contact_id: int) -> str | None:
    of_contact = select(Audit.actor).where(Audit.subject_kind == "contact", Audit.subject_id == contact_id)
    newest = of_contact.where(Audit.action.in_(CHANGING)).order_by(Audit.at.desc(), Audit.id.desc())
    return session.scalar(newest.limit(1))


def edit_state(edit: Edit, sis: str | None) -> EditState:
    """What an edit is when the SIS says `sis`: known there, not yet heard, or in conflict."""
    if sis == edit.value:
        return EditState.ABSORBED
    return EditState.PENDING if sis == edit.base else EditState.CONFLICT


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
    """One line of the contact's history, with numbers masked; `values` are before and after."""
    before, after = (masked(value) if field is EditField.PHONE else value for value in values)
    subject = Subject("contact", contact_id)
    audit.record(session, subject, actor=actor.user_id, action=action, before=before, after=after, now=now)


def update_list_entry(session: Session, contact: Contact, *, actor: Actor, now: datetime) -> bool:
    """A listed contact waits for the next mass message while it is other than what the last one could not reach, and not where its
    number has said STOP: that counts at once. Gives whether it is one.
    """
    session.flush()
    stands = _standing(session, contact)
    if stands.method is ContactMethod.TEXT and stands.phone and is_opted_out(session, stands.phone):
        lock_cleanup_list(session)  # Before the entry is locked, as whoever changes the list in bulk does.
        update_list(session, Numbers([stands.phone]), message_id=None, now=now)
    entry = session.get(ListEntry, contact.id, with_for_update=True)
    if entry is None:
        return False
    as_listed = stands.phone == entry.phone and stands.method is ContactMethod.TEXT
    entry.updated_at, entry.updated_by = (None, None) if as_listed else (now, actor.user_id)
    return True


def is_opted_out(session: Session, number: str) -> bool:
    """Whether a number (E.164) has said STOP, and no START since."""
    return session.scalar(select(PhoneNumber.opted_out_at).where(PhoneNumber.phone == number)) is not None
