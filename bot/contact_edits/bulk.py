"""Change many contacts at once: in batches, each a transaction of its own, and undone as one for 24 hours.

A row of `bulk_contacts` is the list of work and its log: its outcome is stored in the transaction that changes the contact, so a
process that takes over from a crashed one never changes a contact twice. Each contact is changed by the same functions as alone,
with the same checks of rights, versions, and numbers; one that is refused stays as it was, with the reason.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, Select, bindparam, case, delete, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from bot.access import rights
from bot.access.rights import AccessLevel, Actor
from bot.cleanup_list.claims import claim_contact, release_contact
from bot.contact_edits.change import switch_to_call
from bot.contact_edits.remove import RemovalReason, remove_contact, undo_removal
from bot.contact_edits.undo import undo_edit
from bot.db import outbox
from bot.db.models.bulk import BulkAction, BulkChange, BulkContact, BulkOutcome, BulkState
from bot.db.models.folding import full_name
from bot.db.models.messages import ListEntry
from bot.db.models.roster import Contact, Student, StudentContact
from bot.db.models.views import effective_contacts
from bot.db.session import fetch_rows
from bot.domain import display
from bot.errors import UserError

# Contacts of a transaction. The first batch is done while Slack waits, three seconds at most, also on a busy machine.
BATCH = 10
UNDO_FOR = timedelta(hours=24)
# Longer than a batch takes; each batch renews it.
LEASE = timedelta(minutes=2)
MAX_ATTEMPTS = 6
_DRAFT_RETENTION = timedelta(days=1)
_RETENTION = timedelta(days=30)
_CHANGED_MEANWHILE = "Changed by someone after the dialog was opened. Open the student to see the change."
_CHANGED_SINCE = "Changed again since, so they are left as they are now."
_NOT_ON_YOUR_LIST = "These contacts are not on your list anymore. Type /cleanup to see the list as it is now."
_BULK_ID = bindparam("bulk_id", type_=BigInteger)
_LIKE_THE_SIS = "The student information system already had it like this. Open the student to change it."


class LeaseLost(Exception):  # noqa: N818 - it names a state of the change.
    """Another process goes on with this change."""


@dataclass(frozen=True)
class BulkResult:
    """What became of a bulk change: contacts by outcome, and, by reason, the names of those that stayed or were kept, as far as
    the reader may see them (`hidden` counts the others).
    """

    counts: Mapping[BulkOutcome, int]
    names_by_reason: Mapping[str, tuple[str, ...]]
    hidden_by_reason: Mapping[str, int]

    @property
    def stayed(self) -> int:
        return self.counts.get(BulkOutcome.STAYED, 0)


def create_draft(session: Session, versions: Mapping[int, int], *, list_id: int, actor: Actor, now: datetime) -> int:
    """Store the contacts of a dialog with the versions that it shows, and return the id of the draft."""
    draft = BulkChange(user_id=actor.user_id, list_id=list_id, opened_at=now)
    session.add(draft)
    session.flush()
    rows = [{"bulk_id": draft.id, "contact_id": contact, "version": version} for contact, version in versions.items()]
    session.execute(insert(BulkContact), rows)
    return draft.id


def start_change(
    session: Session,
    bulk_id: int,
    action: BulkAction,
    reason: RemovalReason | None,
    *,
    only: Collection[int] | None,
    view_id: str,
    actor: Actor,
    now: datetime,
) -> BulkChange | None:
    """Lease a draft to this process, for all of its contacts or `only` these. Return None if it was started before.

    Raises:
        UserError: this person may not change contacts, has no such draft, or sees none of its contacts anymore.
    """
    rights.require_editor(actor)
    own = BulkChange.id == bulk_id, BulkChange.user_id == actor.user_id
    values = {"state": BulkState.CLAIMED, "claimed_at": now, "attempts": 1, "due_at": now, "started_at": now}
    draft = update(BulkChange).where(*own, BulkChange.state == BulkState.DRAFT)
    started = draft.values(**values, action=action, reason=reason, view_id=view_id).returning(BulkChange)
    change = session.scalar(started, execution_options={"populate_existing": True})
    if change is None and session.scalar(select(BulkChange.id).where(*own)) is None:
        raise UserError("bulk.too_old", _NOT_ON_YOUR_LIST)
    _require_visible(session, bulk_id, actor)
    if change is not None and only is not None:
        others = BulkContact.bulk_id == bulk_id, BulkContact.contact_id.not_in(only)
        session.execute(delete(BulkContact).where(*others))
    return change


def claim_change(session: Session, *, now: datetime) -> BulkChange | None:
    """Lease the next change whose process crashed, or whose answer was not sent; give it up after six attempts."""
    has_attempts = BulkChange.attempts < MAX_ATTEMPTS
    on_expiry = {"state": case((has_attempts, BulkState.PENDING), else_=BulkState.FAILED)}
    return outbox.claim(session, BulkChange, now=now, lease=LEASE, on_expiry=on_expiry)


def run_batch(session: Session, change: BulkChange, *, actor: Actor, now: datetime) -> bool:
    """Change or undo the next contacts, and return whether there may be more. One that is refused does not affect the others.

    Raises:
        LeaseLost: nothing was done here.
    """
    _renew_lease(session, change, now)
    step, refused = (_undo, BulkOutcome.KEPT) if change.undo_at else (_change, BulkOutcome.STAYED)
    contacts = session.scalars(_left(change).order_by(BulkContact.contact_id).limit(BATCH)).all()
    versions = _lock_contacts(session, [contact.contact_id for contact in contacts])
    for contact in contacts:
        try:
            with session.begin_nested():
                _require_version(change, contact, versions.get(contact.contact_id))
                step(session, change, contact, actor, now)
        except UserError as problem:
            contact.outcome, contact.reason = refused, problem.sentence
    return len(contacts) == BATCH


def _lock_contacts(session: Session, contact_ids: Collection[int]) -> dict[int, int]:
    """Lock contacts and return their versions. In the order of their ids, and before any lock that one of the changes takes, so
    that two people never wait for each other in a circle.
    """
    ordered = select(Contact.id, Contact.version).where(Contact.id.in_(contact_ids)).order_by(Contact.id)
    rows = session.execute(ordered.with_for_update(key_share=True)).all()
    return {row.id: row.version for row in rows}


def _require_version(change: BulkChange, contact: BulkContact, current: int | None) -> None:
    """Refuse a contact that was changed meanwhile, by the same person, too."""
    if change.undo_at and current != contact.version_after:
        raise UserError("bulk.changed_since", _CHANGED_SINCE)
    if not change.undo_at and current != contact.version:
        raise UserError("bulk.changed_meanwhile", _CHANGED_MEANWHILE)


def give_up(session: Session, change: BulkChange, sentence: str, *, now: datetime) -> None:
    """Leave the rest as it is: the person may not use the list anymore.

    Raises:
        LeaseLost: nothing was done here.
    """
    _renew_lease(session, change, now)
    refused = BulkOutcome.KEPT if change.undo_at else BulkOutcome.STAYED
    for contact in session.scalars(_left(change)):
        contact.outcome, contact.reason = refused, sentence


def _renew_lease(session: Session, change: BulkChange, now: datetime) -> None:
    if not outbox.complete(session, change, BulkState.CLAIMED, claimed_at=now):
        raise LeaseLost


def _left(change: BulkChange) -> Select[BulkContact]:
    outcome = BulkOutcome.CHANGED if change.undo_at else BulkOutcome.OPEN
    return select(BulkContact).where(BulkContact.bulk_id == change.id, BulkContact.outcome == outcome)


def _change(session: Session, change: BulkChange, contact: BulkContact, actor: Actor, now: datetime) -> None:
    contact_id, version = contact.contact_id, contact.version
    if change.action == BulkAction.CLAIM:
        claim_contact(session, contact_id, actor=actor, now=now)
    elif change.action == BulkAction.CALL:
        saved = switch_to_call(session, contact_id, version=version, actor=actor, now=now)
        contact.edit_id = next(iter(saved.edit_ids), None)
    else:
        reason = RemovalReason(str(change.reason))
        removal = remove_contact(
            session, contact_id, student_id=None, version=version, reason=reason, actor=actor, now=now
        )
        contact.removal_id = removal.id
    contact.outcome = BulkOutcome.CHANGED
    contact.version_after = session.scalar(select(Contact.version).where(Contact.id == contact_id))


def _undo(session: Session, change: BulkChange, contact: BulkContact, actor: Actor, now: datetime) -> None:
    if change.action == BulkAction.CLAIM:
        entry = session.get(ListEntry, contact.contact_id, populate_existing=True)
        if entry is None or entry.claimed_by != actor.user_id:
            raise UserError("bulk.changed_since", _CHANGED_SINCE)
        release_contact(session, contact.contact_id, actor=actor, now=now)
    elif contact.edit_id is not None:
        undo_edit(session, contact.edit_id, actor=actor, now=now)
    elif contact.removal_id is not None:
        undo_removal(session, contact.removal_id, actor=actor, now=now)
    else:
        raise UserError("bulk.like_the_sis", _LIKE_THE_SIS)
    contact.outcome = BulkOutcome.UNDONE


def load_change(session: Session, bulk_id: int, *, actor: Actor) -> BulkChange:
    """Return one of this person's own changes.

    Raises:
        UserError: there is none (it may have been deleted after 30 days), or this person sees none of its contacts anymore.
    """
    change = session.get(BulkChange, bulk_id, with_for_update=True)
    if change is None or change.user_id != actor.user_id or change.started_at is None:
        raise UserError("bulk.not_found", _NOT_ON_YOUR_LIST)
    _require_visible(session, bulk_id, actor)
    return change


def _require_visible(session: Session, bulk_id: int, actor: Actor) -> None:
    """Refuse a change if this person may see none of its contacts; each of the others is checked as it is changed."""
    if not fetch_rows(session, _visible_contact(actor.level), {**actor.scope.params, "bulk_id": bulk_id}):
        raise UserError("bulk.not_visible", _NOT_ON_YOUR_LIST)


@cache
def _visible_contact(level: AccessLevel) -> Select[int]:
    """Select a contact with a visible student, also where it was removed from the student."""
    return (
        select(BulkContact.contact_id)
        .join(StudentContact, StudentContact.contact_id == BulkContact.contact_id)
        .join(Student, Student.id == StudentContact.student_id)
        .where(BulkContact.bulk_id == _BULK_ID, Student.active, rights.can_see(level, Student.id))
        .limit(1)
    )


def start_undo(session: Session, bulk_id: int, *, view_id: str | None, actor: Actor, now: datetime) -> BulkChange:
    """Lease a change that is done to this process, to be taken back. `view_id` is the dialog that shows the progress, if any.

    Raises:
        UserError: this person may not change contacts, it is another person's change, or it cannot be undone (anymore).
    """
    rights.require_editor(actor)
    change = load_change(session, bulk_id, actor=actor)
    if change.undo_at:
        raise UserError("bulk.undone", "This was undone already.")
    if change.started_at and now - change.started_at > UNDO_FOR:
        sentence = "This can be undone for 24 hours only. Open a student to change a contact back."
        raise UserError("bulk.too_late", sentence)
    if change.state == BulkState.CLAIMED or session.scalar(_left(change).limit(1)) is not None:
        raise UserError("bulk.busy", "This is still being done. Press Undo all again in a minute.")
    change.undo_at = change.due_at = change.claimed_at = now
    change.state, change.view_id, change.attempts = BulkState.CLAIMED, view_id, change.attempts + 1
    session.flush()
    return change


def count_done(session: Session, change: BulkChange) -> tuple[int, int]:
    """Return how many contacts of a change, or of its undo, are done, and how many it has."""
    outcomes = (BulkOutcome.UNDONE, BulkOutcome.KEPT) if change.undo_at else (BulkOutcome.CHANGED, BulkOutcome.STAYED)
    total = (*outcomes, BulkOutcome.CHANGED) if change.undo_at else BulkOutcome
    done = func.count().filter(BulkContact.outcome.in_(outcomes))
    counted = select(done, func.count().filter(BulkContact.outcome.in_(total)))
    numbers = session.execute(counted.where(BulkContact.bulk_id == change.id)).one()
    return numbers[0], numbers[1]


def load_result(session: Session, change: BulkChange, *, actor: Actor) -> BulkResult:
    of_change = BulkContact.bulk_id == change.id
    counted = select(BulkContact.outcome, BulkContact.reason, func.count()).where(of_change)
    counts: dict[BulkOutcome, int] = {}
    hidden: dict[str, int] = {}
    for outcome, reason, number in session.execute(counted.group_by(BulkContact.outcome, BulkContact.reason)):
        counts[BulkOutcome(outcome)] = counts.get(BulkOutcome(outcome), 0) + number
        if reason:
            hidden[reason] = hidden.get(reason, 0) + number
    names: dict[str, list[str]] = {reason: [] for reason in hidden}
    for row in fetch_rows(session, _names_query(actor.level), {**actor.scope.params, "bulk_id": change.id}):
        names[row.reason].append(f"{row.contact_name} ({display.full_name(row.given_name, row.family_name)})")
        hidden[row.reason] -= 1
    return BulkResult(counts, {reason: tuple(shown) for reason, shown in names.items()}, hidden)


@cache
def _names_query(level: AccessLevel) -> Select[*tuple[Any, ...]]:
    """Select the contacts that have a reason and that the reader may see, with a student each."""
    link = effective_contacts.c
    name = full_name(link.given_name, link.family_name).label("contact_name")
    return (
        select(BulkContact.contact_id, BulkContact.reason, name, Student.given_name, Student.family_name)
        .ext(distinct_on(BulkContact.contact_id))
        .join_from(BulkContact, effective_contacts, link.contact_id == BulkContact.contact_id)
        .join(Student, Student.id == link.student_id)
        .where(BulkContact.bulk_id == _BULK_ID, BulkContact.reason.is_not(None))
        .where(rights.can_see(level, link.student_id))
        .order_by(BulkContact.contact_id, link.student_id)
    )


def delete_old_changes(session: Session, *, now: datetime) -> int:
    """Delete drafts after a day and changes that ended after 30; the audit keeps what was changed. Return how many."""
    old = or_(
        (BulkChange.state == BulkState.DRAFT) & (BulkChange.opened_at < now - _DRAFT_RETENTION),
        BulkChange.state.in_((BulkState.DONE, BulkState.FAILED)) & (BulkChange.opened_at < now - _RETENTION),
    )
    return len(session.execute(delete(BulkChange).where(old).returning(BulkChange.id)).all())
