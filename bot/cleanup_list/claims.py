"""*I'll take it*: who of the staff takes care of a contact on the list, so that no two call the same family.

A claim is a word among colleagues, no lock: anybody may still change the contact, and anybody may free it. It ends when the contact
leaves the list, and lapses after three days.
"""

from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from bot import access, audit
from bot.access import Actor
from bot.audit import Subject
from bot.db.models.messages import ListEntry
from bot.errors import UserError

CLAIM_DURATION = timedelta(days=3)


def claim_contact(session: Session, contact_id: int, *, actor: Actor, now: datetime) -> None:
    """Take a contact; one's own claim lasts anew.

    Raises:
        UserError: this person may not change it, it is not on the list, it only waits for the next mass message, or a colleague
            was faster.
    """
    entry = _entry(session, contact_id, actor)
    if entry.updated_at:
        raise UserError(
            "claim.updated", "There is nothing left to do: the contact was updated and waits for the next mass message."
        )
    if entry.claimed_by not in {None, actor.user_id} and not _lapsed(entry, now):
        raise UserError("claim.taken", "A colleague was faster: somebody takes care of this contact already.")
    entry.claimed_by, entry.claimed_at = actor.user_id, now
    _record(session, contact_id, actor, "claim.taken", now)


def release_contact(session: Session, contact_id: int, *, actor: Actor, now: datetime) -> None:
    """End a claim, one's own or that of a colleague who is not there; nothing to do where there is none.

    Raises:
        UserError: this person may not change the contact, or it is not on the list.
    """
    entry = _entry(session, contact_id, actor)
    if entry.claimed_by is not None:
        entry.claimed_by, entry.claimed_at = None, None
        _record(session, contact_id, actor, "claim.freed", now)


def expire_claims(session: Session, *, now: datetime) -> int:
    """End the claims that are older than `LASTS`; gives how many. Rows that somebody is changing are left for the next time."""
    old = (
        select(ListEntry.contact_id)
        .where(ListEntry.claimed_at < now - CLAIM_DURATION)
        .with_for_update(skip_locked=True)
    )
    ended = update(ListEntry).where(ListEntry.contact_id.in_(old)).values(claimed_by=None, claimed_at=None)
    return len(session.execute(ended.returning(ListEntry.contact_id)).all())


def _entry(session: Session, contact_id: int, actor: Actor) -> ListEntry:
    access.require_editor(actor)
    access.require_contact(session, contact_id, actor=actor)
    entry = session.get(ListEntry, contact_id, with_for_update=True, populate_existing=True)
    if entry is None:
        raise UserError(
            "claim.not_listed",
            "That contact is not on the cleanup list any more. Type /cleanup to see it as it is now.",
        )
    return entry


def _lapsed(entry: ListEntry, now: datetime) -> bool:
    return entry.claimed_at is None or now - entry.claimed_at > CLAIM_DURATION


def _record(session: Session, contact_id: int, actor: Actor, action: str, now: datetime) -> None:
    audit.record(session, Subject("contact", contact_id), actor=actor.user_id, action=action, now=now)
