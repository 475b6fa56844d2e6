"""What a person decides about a text that resembles an opt-out, or says that the number is not the contact's."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from bot.access import rights
from bot.access.rights import AccessLevel, Actor
from bot.cleanup_list.tried_numbers import is_parked
from bot.contact_edits.locking import is_opted_out
from bot.db import audit
from bot.db.models.folding import full_name
from bot.db.models.roster import Student
from bot.db.models.unclear_texts import TextAnswer, UnclearText
from bot.db.models.views import contacts_with_phone, effective_contacts
from bot.errors import UserError
from bot.mass_messages.opt_outs import apply_opt_out
from bot.mass_messages.unclear_texts import close_text
from bot.mass_messages.wrong_person import park_numbers
from bot.providers.unclear_texts import Topic


@dataclass(frozen=True)
class PossibleSender:
    """A contact with the number of a text, and the names of their students whom the reader may see."""

    name: str
    relationship: str | None
    students: tuple[str, ...]


@dataclass(frozen=True)
class UnclearTextCard:
    """A text as one person may read it. `text` is None once it was answered; `answered_by` is a Slack user or a provider."""

    text_id: int
    phone: str
    topic: Topic
    text: str | None
    received_at: datetime
    senders: tuple[PossibleSender, ...]
    answer: TextAnswer | None
    answered_by: str | None
    answered_at: datetime | None


def load_text(session: Session, text_id: int, *, actor: Actor) -> UnclearTextCard:
    """Return a text and who may have sent it.

    Raises:
        UserError: this person may not edit, or sees no student with that number; the same if the text is deleted.
    """
    return _card(session, session.get(UnclearText, text_id), actor)


def answer_text(session: Session, text_id: int, answer: TextAnswer, *, actor: Actor, now: datetime) -> UnclearTextCard:
    """Carry out an answer, and return the text with it; if another person has answered before, with theirs.

    Raises:
        UserError: as for `load_text`; or the number has texted START, or was verified, since.
    """
    unclear = session.get(UnclearText, text_id, with_for_update=True, populate_existing=True)
    card = _card(session, unclear, actor)
    if unclear is None or card.answer:
        return card
    _APPLY[answer](session, unclear, actor, now)
    close_text(session, unclear, answer, by=actor.user_id, now=now)
    return _card(session, unclear, actor)


def _record_opt_out(session: Session, unclear: UnclearText, actor: Actor, now: datetime) -> None:
    """Opt out the number as a verbal opt-out does, as of the time of the text."""
    apply_opt_out(session, unclear.phone, by=actor.user_id, at=unclear.received_at, now=now)
    if not is_opted_out(session, unclear.phone):
        sentence = "This number has texted START since then, so it wants texts. Press Neither."
        raise UserError("text.opted_in_since", sentence)
    action, reason = "opt_out.recorded", f"in a text on {unclear.received_at:%Y-%m-%d}"
    audit.record_number(session, unclear.phone, actor=actor.user_id, action=action, reason=reason, now=now)


def _record_wrong_person(session: Session, unclear: UnclearText, actor: Actor, now: datetime) -> None:
    """Park the number for every student, as of the time of the text."""
    parked = park_numbers(session, {unclear.phone: unclear.received_at}, by=actor.user_id, now=now)
    if not parked and not is_parked(session, unclear.phone):
        raise UserError(
            "text.verified_since", "A colleague has entered or verified this number since then. Press Neither."
        )
    action, reason = "wrong_person.recorded", f"in a text on {unclear.received_at:%Y-%m-%d}"
    audit.record_number(session, unclear.phone, actor=actor.user_id, action=action, reason=reason, now=now)


def _record_nothing(session: Session, unclear: UnclearText, actor: Actor, now: datetime) -> None:
    audit.record_number(session, unclear.phone, actor=actor.user_id, action="text.set_aside", now=now)


# What each answer does.
_APPLY: Mapping[TextAnswer, Callable[[Session, UnclearText, Actor, datetime], None]] = {
    TextAnswer.OPT_OUT: _record_opt_out,
    TextAnswer.WRONG_PERSON: _record_wrong_person,
    TextAnswer.NEITHER: _record_nothing,
}
ANSWERS = tuple(_APPLY)


def _card(session: Session, unclear: UnclearText | None, actor: Actor) -> UnclearTextCard:
    rights.require_editor(actor)
    senders = _load_senders(session, unclear.phone, actor) if unclear else ()
    if unclear is None or not senders:
        sentence = "These contacts are not on your list anymore. Type /cleanup to see the list as it is now."
        raise UserError("text.gone", sentence)
    return UnclearTextCard(
        text_id=unclear.id,
        phone=unclear.phone,
        topic=Topic(unclear.topic),
        text=unclear.text,
        received_at=unclear.received_at,
        senders=senders,
        answer=TextAnswer(unclear.answer) if unclear.answer else None,
        answered_by=unclear.answered_by,
        answered_at=unclear.answered_at,
    )


def _load_senders(session: Session, phone: str, actor: Actor) -> tuple[PossibleSender, ...]:
    rows = session.execute(_senders(actor.level, phone), actor.scope.params)
    return tuple(PossibleSender(row.name, row.relationship, tuple(row.students)) for row in rows)


def _senders(level: AccessLevel, phone: str) -> Select[str, Any, Sequence[str]]:
    """Select the contacts with this number. A number that staff typed counts once a mass message went there."""
    link = effective_contacts.c
    name = full_name(link.given_name, link.family_name)
    students = func.array_agg(full_name(Student.given_name, Student.family_name).distinct())
    return (
        select(name.label("name"), func.min(link.relationship).label("relationship"), students.label("students"))
        .join(Student, Student.id == link.student_id)
        .where(link.contact_id.in_(contacts_with_phone(phone)), link.phone == phone, link.is_tried)
        .where(rights.can_see(level, link.student_id))
        .group_by(link.contact_id, name)
        .order_by(name, link.contact_id)
    )
