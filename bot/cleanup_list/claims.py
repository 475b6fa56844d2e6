"""*I'll take it*: a claim shows colleagues who works on a contact, so that no two call the same family.

A claim locks nothing: anyone may still change the contact, and release the claim. It ends when the contact leaves the list, after
three days, and on the day for which a call back was promised before.
"""

from datetime import UTC, datetime, timedelta, tzinfo

from sqlalchemy import DateTime, and_, cast, func, or_, select, update
from sqlalchemy.orm import Session

from bot.access import rights
from bot.access.rights import Actor
from bot.db import audit
from bot.db.audit import Subject
from bot.db.models.messages import ListEntry
from bot.errors import UserError

CLAIM_DURATION = timedelta(days=3)


def claim_contact(session: Session, contact_id: int, *, actor: Actor, now: datetime) -> None:
    """Claim a contact, or renew one's own claim.

    Raises:
        UserError: this person may not change the contact, it is not on the list, it waits for the next mass message, or a
            colleague has claimed it.
    """
    entry = lock_entry(session, contact_id, actor)
    if entry.updated_at:
        sentence = "Nothing is left to do: this contact was updated and is waiting for the next mass message."
        raise UserError("claim.updated", sentence)
    is_expired = entry.claimed_at is None or now - entry.claimed_at > CLAIM_DURATION
    if entry.claimed_by not in {None, actor.user_id} and not is_expired:
        raise UserError("claim.taken", "A colleague is already taking care of this contact.")
    entry.claimed_by, entry.claimed_at = actor.user_id, now
    audit.record(session, Subject("contact", contact_id), actor=actor.user_id, action="claim.taken", now=now)


def release_contact(session: Session, contact_id: int, *, actor: Actor, now: datetime) -> None:
    """End a claim, also a colleague's; without a claim nothing happens.

    Raises:
        UserError: this person may not change the contact, or it is not on the list.
    """
    entry = lock_entry(session, contact_id, actor)
    if entry.claimed_by is not None:
        entry.claimed_by, entry.claimed_at = None, None
        audit.record(session, Subject("contact", contact_id), actor=actor.user_id, action="claim.freed", now=now)


def expire_claims(session: Session, *, now: datetime, zone: tzinfo = UTC) -> int:
    """End the claims that are over and return how many. `zone` is the district's. Locked rows are left for the next round."""
    today = now.astimezone(zone).date()
    day_begins = func.timezone(str(zone), cast(ListEntry.call_back_on, DateTime))
    is_due = and_(ListEntry.call_back_on <= today, ListEntry.claimed_at < day_begins)
    expired = (
        select(ListEntry.contact_id)
        .where(or_(ListEntry.claimed_at < now - CLAIM_DURATION, is_due))
        .with_for_update(skip_locked=True)
    )
    ended = update(ListEntry).where(ListEntry.contact_id.in_(expired)).values(claimed_by=None, claimed_at=None)
    return len(session.execute(ended.returning(ListEntry.contact_id)).all())


def lock_entry(session: Session, contact_id: int, actor: Actor) -> ListEntry:
    """Lock the entry of a contact until the transaction ends.

    Raises:
        UserError: this person may not change the contact, or it is not on the list.
    """
    rights.require_editor(actor)
    rights.require_contact(session, contact_id, actor=actor)
    entry = session.get(ListEntry, contact_id, with_for_update=True, populate_existing=True)
    if entry is None:
        sentence = "That contact is not on the cleanup list anymore. Type /cleanup to see the list as it is now."
        raise UserError("claim.not_listed", sentence)
    return entry
