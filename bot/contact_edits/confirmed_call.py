"""A logged call in which the family confirmed the number: proof that it is theirs, which can be undone.

It does not prove that texts arrive: the contact stays on the list. Only START ends STOP.
"""

from datetime import date, datetime
from functools import partial
from typing import Any

from sqlalchemy import DateTime, Text, cast, func, literal, select, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from bot.access import rights
from bot.access.rights import Actor
from bot.cleanup_list import calls
from bot.cleanup_list.membership import update_list
from bot.cleanup_list.number_status import Numbers
from bot.cleanup_list.tried_numbers import is_parked
from bot.contact_edits.counter import confirm_locked
from bot.contact_edits.locking import VersionConflict, lock_contact, number_saved_before
from bot.db import audit
from bot.db.advisory_locks import lock_cleanup_list
from bot.db.audit import Subject
from bot.db.models.edits import Edit, EditField, TriedNumber
from bot.db.models.messages import CallOutcome, ListEntry, PhoneNumber, VerifiedHow
from bot.domain import display


def log_call(
    session: Session,
    contact_id: int,
    *,
    student_id: int,
    version: int,
    outcome: CallOutcome,
    back_on: date | None,
    actor: Actor,
    now: datetime,
) -> bool:
    """Log a call (`calls.log_call`); with CONFIRMED, record that the number is the contact's.

    Return whether that ended *Wrong person*, which `undo_call` does not bring back. The same again by
    the same person changes nothing.

    Raises:
        VersionConflict: with CONFIRMED, the contact is not at `version` anymore.
        UserError: there is no number to confirm, or `calls.log_call` refuses.
    """
    log = partial(calls.log_call, session, contact_id, student_id=student_id, outcome=outcome, back_on=back_on)
    if outcome is not CallOutcome.CONFIRMED:
        log(actor=actor, now=now)
        return False
    rights.require_editor(actor)
    rights.require_contact(session, contact_id, actor=actor, student_id=student_id)
    try:
        contact = lock_contact(session, contact_id, version=version)
    except VersionConflict as conflict:
        is_saved = partial(_is_confirmed_by, session, actor.user_id)
        number_saved_before(session, contact_id, conflict, actor, is_saved)
        entry = session.get(ListEntry, contact_id)
        return entry is None or entry.earlier_proof is None
    lock_cleanup_list(session)
    log(actor=actor, now=now)
    phone = contact.values[EditField.PHONE]
    earlier = _load_proof(session, phone)
    was_parked = phone is not None and is_parked(session, phone, contact_id)
    phone = confirm_locked(session, contact, actor=actor, now=now)
    if was_parked and not is_parked(session, phone, contact_id):
        return True
    session.execute(update(ListEntry).where(ListEntry.contact_id == contact_id).values(earlier_proof=earlier))
    return False


def undo_call(session: Session, contact_id: int, *, actor: Actor, now: datetime) -> None:
    """Take one's own last call back, and what it proved, unless the number was verified again since.

    Raises:
        UserError: `calls.undo_call` refuses.
    """
    entry = select(ListEntry.confirmed_at, ListEntry.earlier_proof).where(ListEntry.contact_id == contact_id)
    row = session.execute(entry).one_or_none()
    if row is None or row.earlier_proof is None:
        calls.undo_call(session, contact_id, actor=actor, now=now)
        return
    rights.require_editor(actor)
    rights.require_contact(session, contact_id, actor=actor)
    lock_contact(session, contact_id)
    lock_cleanup_list(session)
    calls.undo_call(session, contact_id, actor=actor, now=now)
    if phone := _restore_proof(session, contact_id, row.confirmed_at, row.earlier_proof, actor=actor):
        # A report from before the call may have parked it since, for all who did not prove it.
        update_list(session, Numbers([phone]), message_id=None, now=now)
        action, subject = "number.unconfirmed", Subject("contact", contact_id)
        audit.record(session, subject, actor=actor.user_id, action=action, after=display.masked(phone), now=now)


def _is_confirmed_by(session: Session, user_id: str, phone: str) -> bool:
    number = session.get(PhoneNumber, phone)
    return number is not None and (number.verified_how, number.verified_by) == (VerifiedHow.CALL, user_id)


def _load_proof(session: Session, phone: str | None) -> dict[str, Any]:
    """Return how the number was verified before, if it was, and when it was proved for contacts, by id,
    with times as ISO text.
    """
    number, tried = PhoneNumber, TriedNumber
    verified = select(func.to_jsonb(number.verified_at).label("verified_at"), number.verified_how, number.verified_by)
    row = session.execute(verified.where(number.phone == phone)).mappings().one_or_none()
    proofs = select(func.jsonb_object_agg(tried.contact_id, tried.proved_at))
    proved = session.scalar(proofs.where(tried.phone == phone, tried.proved_at.is_not(None)))
    return {**(row or {}), "proved": proved or {}}


def _restore_proof(
    session: Session, contact_id: int, confirmed_at: datetime, earlier: dict[str, Any], *, actor: Actor
) -> str | None:
    """Put the earlier proof back, and return its number (E.164); None if this call is not the last that verified the number.

    Other records of the adult, which the call proved at the same time, get theirs back, too.
    """
    verified_at = datetime.fromisoformat(earlier["verified_at"]) if earlier.get("verified_at") else None
    by = {name: earlier.get(name) for name in ("verified_how", "verified_by")}
    # It may not be the contact's number anymore.
    edited = select(Edit.value).where(Edit.contact_id == contact_id, Edit.field == EditField.PHONE)
    had = select(TriedNumber.phone).where(TriedNumber.contact_id == contact_id).union(edited)
    is_last = PhoneNumber.verified_at == confirmed_at, PhoneNumber.verified_by == actor.user_id
    number = update(PhoneNumber).where(PhoneNumber.phone.in_(had), *is_last).values(verified_at=verified_at, **by)
    phone = session.scalar(number.returning(PhoneNumber.phone))
    # `confirm_locked` proved it for other records of the contact, too.
    tried = update(TriedNumber).where(TriedNumber.phone == phone, TriedNumber.proved_at == confirmed_at)
    before = literal(earlier["proved"], JSONB)[cast(TriedNumber.contact_id, Text)].astext
    session.execute(tried.values(proved_at=cast(before, DateTime(timezone=True))))
    return phone
