"""Texts that a person has to read: stored, then asked about on private cards, which wait in an outbox.

The people asked are those who may edit contacts at a school of the students with that number. If a text has none of them, or none of
their cards could be sent, the administrators are asked. The text is deleted with the answer, or unread after `KEPT`.
"""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta

from sqlalchemy import Select, case, delete, exists, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from bot.access.identity import CLASS_ROLES, DISTRICT_ROLES, NO_ROLES, AccessRules
from bot.db import outbox
from bot.db.models.messages import PhoneNumber
from bot.db.models.roster import Staff, StaffRole, StudentSchool
from bot.db.models.unclear_texts import CardState, TextAnswer, TextCard, UnclearText
from bot.db.models.views import contacts_with_phone, effective_contacts
from bot.mass_messages.report_undo import may_end_opt_out
from bot.providers.unclear_texts import Topic, UnclearMessage

KEPT = timedelta(days=30)
_MAX_READERS = 20
_UNCLEAR_STATE = case((TextCard.ts.is_not(None), literal(CardState.PENDING)), else_=literal(CardState.FAILED))


def store_unclear_text(session: Session, message: UnclearMessage, *, now: datetime) -> bool:
    """Store a text from a number that a contact has; False if it was stored before, or needs no answer.

    A text like an opt-out needs none where the number has opted out already, unless that may be undone.
    """
    if session.scalar(select(exists(_links(message.phone)))) is not True:
        return False
    opted_out = select(PhoneNumber.phone).where(
        PhoneNumber.phone == message.phone, PhoneNumber.opted_out_at.is_not(None)
    )
    is_opted_out = message.topic is Topic.OPT_OUT and session.scalar(opted_out) is not None
    if is_opted_out and not may_end_opt_out(session, message.phone):
        return False
    added = insert(UnclearText).values(**asdict(message), received_at=now).on_conflict_do_nothing()
    return session.scalar(added.returning(UnclearText.id)) is not None


def _links(phone: str) -> Select[int]:
    """Select a student id for each contact with this number. A number that staff typed counts once a mass message went there."""
    link = effective_contacts.c
    return select(link.student_id).where(
        link.contact_id.in_(contacts_with_phone(phone)), link.phone == phone, link.is_tried
    )


def enqueue_cards(session: Session, *, rules: AccessRules, now: datetime) -> int:
    """Enqueue the cards of texts without a card; return how many are new."""
    live = exists().where(TextCard.unclear_text_id == UnclearText.id, TextCard.state != CardState.FAILED)
    waiting = select(UnclearText).where(UnclearText.answer.is_(None), ~live).order_by(UnclearText.id)
    return sum(_enqueue(session, unclear, rules, now) for unclear in session.scalars(waiting).all())


def _enqueue(session: Session, unclear: UnclearText, rules: AccessRules, now: datetime) -> int:
    asked = set(session.scalars(select(TextCard.reader).where(TextCard.unclear_text_id == unclear.id)))
    schools = select(StudentSchool.school_id).where(StudentSchool.student_id.in_(_links(unclear.phone)))
    for readers in (clerks_of(session, schools, rules), admins(session, rules)):
        rows = [
            {"unclear_text_id": unclear.id, "reader": reader, "due_at": now}
            for reader in readers[:_MAX_READERS]
            if reader not in asked
        ]
        if rows:
            added = insert(TextCard).values(rows).on_conflict_do_nothing().returning(TextCard.id)
            return len(session.scalars(added).all())
    return 0


def clerks_of(session: Session, schools: Select[int], rules: AccessRules) -> Sequence[str]:
    """Return the emails of those who may edit contacts at one of these schools (a query of ids), by alphabet."""
    clerks = (
        select(Staff.email)
        .join(StaffRole, StaffRole.staff_id == Staff.id)
        .where(Staff.active, Staff.email.is_not(None), StaffRole.school_id.in_(schools))
        .where(StaffRole.role.not_in(CLASS_ROLES | NO_ROLES | DISTRICT_ROLES))
        .where(or_(literal(not rules.editor_roles), func.lower(StaffRole.role).in_(rules.editor_roles)))
    )
    return [email for email in session.scalars(clerks.distinct().order_by(Staff.email)) if email]


def admins(session: Session, rules: AccessRules) -> Sequence[str]:
    """Return the emails of the administrators, who are asked where no one of a school can be."""
    if rules.admin_emails:
        return rules.admin_emails
    district = select(Staff.email).join(StaffRole, StaffRole.staff_id == Staff.id).where(Staff.active)
    by_name = (
        district.where(StaffRole.role.in_(DISTRICT_ROLES), Staff.email.is_not(None)).distinct().order_by(Staff.email)
    )
    return [email for email in session.scalars(by_name) if email]


def claim_card(session: Session, *, now: datetime) -> TextCard | None:
    """Lease the next card that is due. One whose lease has expired may have been sent, and is not sent again; an update is."""
    return outbox.claim(session, TextCard, now=now, on_expiry={"state": _UNCLEAR_STATE})


def complete_card(session: Session, card: TextCard, *, shows_answer: bool, channel_id: str, ts: str) -> bool:
    """Store that a card was sent; one that was answered in the meantime is due again. Return False if another worker has it."""
    # An answer that is not committed yet keeps this waiting; after it, the card is seen to need the update.
    open_text = select(UnclearText.answer).where(UnclearText.id == card.unclear_text_id).with_for_update(read=True)
    is_current = shows_answer or session.scalar(open_text) is None
    state = CardState.SENT if is_current else CardState.PENDING
    return outbox.complete(session, card, state, channel_id=channel_id, ts=ts)


def mark_unclear(session: Session, card: TextCard, *, retry_at: datetime) -> bool:
    """Store that Slack may have accepted the card, or its update."""
    return outbox.complete(session, card, _UNCLEAR_STATE, due_at=retry_at)


def close_text(session: Session, unclear: UnclearText, answer: TextAnswer, *, by: str, now: datetime) -> None:
    """Store an answer, delete the text, and make the sent cards due again, so that they show the answer and not the text."""
    unclear.text, unclear.answer, unclear.answered_by, unclear.answered_at = None, answer, by, now
    sent = update(TextCard).where(TextCard.unclear_text_id == unclear.id, TextCard.state == CardState.SENT)
    session.execute(sent.values(state=CardState.PENDING, due_at=now))


def close_opted_out(session: Session, phone: str, *, by: str, now: datetime) -> None:
    """Close the texts of a number that has opted out: whether they were opt-outs is decided."""
    waiting = select(UnclearText).where(
        UnclearText.phone == phone, UnclearText.answer.is_(None), UnclearText.topic == Topic.OPT_OUT
    )
    for unclear in session.scalars(waiting.order_by(UnclearText.id).with_for_update()).all():
        close_text(session, unclear, TextAnswer.OPT_OUT, by=by, now=now)


def delete_old_texts(session: Session, *, now: datetime) -> int:
    """Delete texts after `KEPT`, answered or not; the audit keeps what came of them. Return how many."""
    old = delete(UnclearText).where(UnclearText.received_at < now - KEPT)
    return len(session.execute(old.returning(UnclearText.id)).all())
