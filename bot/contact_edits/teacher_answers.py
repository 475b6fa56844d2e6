"""What a teacher answers about a student, and what the office does with it: a number is an edit of the person who approves it.

Only the teacher who was asked, and who still teaches the student, may answer. The teacher sees no number that the office has.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, exists, literal, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from bot.access import rights
from bot.access.identity import AccessRules
from bot.access.rights import AccessLevel, Actor
from bot.cleanup_list.student import ContactCard, load_student
from bot.contact_edits.change import SavedChange, change_contact, doubt_sentence, parse_typed
from bot.contact_edits.teacher_questions import taught_by
from bot.db import audit, outbox
from bot.db.audit import Subject
from bot.db.models.base import ContactMethod
from bot.db.models.roster import Contact, Staff, Student, StudentSchool
from bot.db.models.teacher_questions import (
    AnswerCard,
    Decision,
    TeacherAnswer,
    TeacherMessage,
    TeacherQuestion,
    TeacherState,
)
from bot.domain import display
from bot.domain.phone_note import NoteKind
from bot.domain.sms_status import SmsStatus
from bot.errors import UserError
from bot.mass_messages.unclear_texts import admins, clerks_of

_MAX_READERS = 20
_UNCLEAR_STATE = case((AnswerCard.ts.is_not(None), literal(TeacherState.PENDING)), else_=literal(TeacherState.FAILED))
_GONE = "That student is not in your class anymore, so the office asks someone else. Nothing was saved."


def require_question(session: Session, question_id: int, *, actor: Actor) -> TeacherQuestion:
    """Return a question that this teacher may answer now, locked.

    Raises:
        UserError: another teacher was asked, the student is not in the class anymore, or it was answered before.
    """
    question = session.get(TeacherQuestion, question_id, with_for_update=True, populate_existing=True)
    message = session.get(TeacherMessage, question.message_id) if question else None
    is_theirs = message is not None and message.teacher.lower() == actor.email
    if question is None or not is_theirs or not _teaches(session, question.student_id, actor):
        raise UserError("teacher.gone", _GONE)
    if question.answer:
        raise UserError("teacher.answered", "You answered this already. Thank you!")
    return question


def _teaches(session: Session, student_id: int, actor: Actor) -> bool:
    own = select(Student.id).where(Student.id == student_id, Student.active, Student.id.in_(taught_by(actor)))
    return session.scalar(own) is not None


def answer_number(
    session: Session,
    question_id: int,
    *,
    typed: str,
    note: str | None,
    actor: Actor,
    region: str,
    our_number: str | None,
    now: datetime,
) -> None:
    """Store a number for the office.

    Raises:
        UserError: with `field` `phone`, it is no number, has an extension, or can hardly be a family's; or as for `require_question`.
    """
    question = require_question(session, question_id, actor=actor)
    number = parse_typed(typed, region)
    if doubt := doubt_sentence(number, our_number):
        raise UserError("teacher.doubtful", doubt, field="phone")
    question.phone = number
    _answer(session, question, TeacherAnswer.NUMBER, note, actor=actor, now=now)


def answer_in_words(
    session: Session, question_id: int, answer: TeacherAnswer, *, note: str | None, actor: Actor, now: datetime
) -> None:
    """Store *Try someone else*, which needs a note, or *No idea*.

    Raises:
        UserError: as for `require_question`.
    """
    question = require_question(session, question_id, actor=actor)
    _answer(session, question, answer, note, actor=actor, now=now)


def _answer(
    session: Session, question: TeacherQuestion, answer: TeacherAnswer, note: str | None, *, actor: Actor, now: datetime
) -> None:
    question.answer, question.note = answer, (note or "").strip() or None
    question.answered_by, question.answered_at = actor.user_id, now
    student = Subject("student", question.student_id)
    audit.record(session, student, actor=actor.user_id, action="teacher.answered", after=answer, now=now)


@dataclass(frozen=True)
class PossibleContact:
    """A contact of the student. `takes_number` is False where the teacher's number is not entered in one click."""

    contact_id: int
    version: int
    name: str
    relationship: str | None
    takes_number: bool


@dataclass(frozen=True)
class TeacherAnswerCard:
    """An answer for the office. `phone` (E.164) and `note` are None once it is decided."""

    question_id: int
    student_id: int
    student: str
    teacher: str
    answer: TeacherAnswer
    phone: str | None
    note: str | None
    answered_at: datetime | None
    contacts: tuple[PossibleContact, ...]
    decision: Decision | None
    decided_by: str | None


def load_answer(session: Session, question_id: int, *, actor: Actor) -> TeacherAnswerCard:
    """Return an answer for a person of the office.

    Raises:
        UserError: this person may not change contacts, sees no more than their own classes, or may not see the student.
    """
    return _card(session, session.get(TeacherQuestion, question_id), actor)


def _card(session: Session, question: TeacherQuestion | None, actor: Actor) -> TeacherAnswerCard:
    rights.require_editor(actor)
    if actor.level is AccessLevel.CLASSES:
        sentence = (
            "What teachers know is approved by the office of a school or the district. Please ask your registrar."
        )
        raise UserError("access.no_office", sentence)
    if question is None or question.answer is None:
        raise UserError(
            "teacher.no_answer", "This answer is too old. Open the student to see the contacts as they are now."
        )
    student = load_student(session, question.student_id, actor=actor)
    message = session.get_one(TeacherMessage, question.message_id)
    teacher = session.scalars(select(Staff).where(Staff.email == message.teacher).order_by(Staff.id)).first()
    return TeacherAnswerCard(
        question_id=question.id,
        student_id=question.student_id,
        student=student.student.name,
        teacher=display.full_name(teacher.given_name, teacher.family_name) if teacher else "The teacher",
        answer=TeacherAnswer(question.answer),
        phone=question.phone,
        note=question.note,
        answered_at=question.answered_at,
        contacts=_possible_contacts(session, student.contacts),
        decision=Decision(question.decision) if question.decision else None,
        decided_by=question.decided_by,
    )


def _possible_contacts(session: Session, contacts: Sequence[ContactCard]) -> tuple[PossibleContact, ...]:
    refusals = _refusals(session, [contact.contact_id for contact in contacts])
    return tuple(
        PossibleContact(
            contact.contact_id,
            contact.version,
            contact.name,
            contact.relationship,
            takes_number=_takes_number(contact, refusals),
        )
        for contact in contacts
    )


def _refusals(session: Session, contact_ids: Collection[int]) -> Collection[int]:
    """Return the ids of contacts that a note in the SIS says not to text, whatever number they have now."""
    refused = select(Contact.id).where(Contact.id.in_(contact_ids), Contact.sis_note_kind == NoteKind.REFUSED)
    return set(session.scalars(refused))


def _takes_number(contact: ContactCard, refusals: Collection[int]) -> bool:
    works = contact.phone is not None and contact.status is None and contact.method is ContactMethod.TEXT
    return not works and contact.status is not SmsStatus.OPT_OUT and contact.contact_id not in refusals


def use_number(
    session: Session,
    question_id: int,
    contact_id: int,
    *,
    version: int,
    actor: Actor,
    region: str,
    opt_in_number: str | None,
    now: datetime,
) -> SavedChange | None:
    """Enter the teacher's number for texts to a contact, as this person's edit; None where it was decided before.

    Raises:
        VersionConflict: the contact is not at `version`, which the card shows, anymore.
        UserError: the contact opted out, a note refuses texts, or the number works; or as for `load_answer` and `change_contact`.
    """
    question = session.get(TeacherQuestion, question_id, with_for_update=True, populate_existing=True)
    card = _card(session, question, actor)
    if question is None or card.decision or card.phone is None:
        return None
    contact = load_student(session, card.student_id, actor=actor).contact(contact_id)
    if contact.version == version and not _takes_number(contact, _refusals(session, [contact_id])):
        sentence = f"Nothing was changed: {contact.name} opted out, must not be texted, or has a number that works. Open the student to see why."
        raise UserError("teacher.not_for_contact", sentence)
    saved = change_contact(
        session,
        contact_id,
        version=version,
        phone=card.phone,
        method=ContactMethod.TEXT,
        actor=actor,
        region=region,
        opt_in_number=opt_in_number,
        now=now,
    )
    _decide(session, question, Decision.USED, actor=actor, now=now)
    return saved


def set_aside(session: Session, question_id: int, *, actor: Actor, now: datetime) -> None:
    """Close an answer without a change; nothing where it was decided before.

    Raises:
        UserError: as for `load_answer`.
    """
    question = session.get(TeacherQuestion, question_id, with_for_update=True, populate_existing=True)
    card = _card(session, question, actor)
    if question is not None and not card.decision:
        _decide(session, question, Decision.SET_ASIDE, actor=actor, now=now)


def _decide(session: Session, question: TeacherQuestion, decision: Decision, *, actor: Actor, now: datetime) -> None:
    """Store the decision, delete what was typed, and make the sent cards due again, so that they lose it."""
    question.phone, question.note = None, None
    question.decision, question.decided_by, question.decided_at = decision, actor.user_id, now
    sent = update(AnswerCard).where(AnswerCard.question_id == question.id, AnswerCard.state == TeacherState.SENT)
    session.execute(sent.values(state=TeacherState.PENDING, due_at=now))
    student = Subject("student", question.student_id)
    audit.record(session, student, actor=actor.user_id, action="teacher.decided", after=decision, now=now)


def enqueue_cards(session: Session, *, rules: AccessRules, now: datetime) -> int:
    """Enqueue the cards of answers without a card; return how many are new. *No idea* has nothing to decide."""
    live = exists().where(AnswerCard.question_id == TeacherQuestion.id, AnswerCard.state != TeacherState.FAILED)
    typed = TeacherQuestion.answer.in_([TeacherAnswer.NUMBER, TeacherAnswer.TRY_OTHER])
    open_answers = select(TeacherQuestion).where(typed, TeacherQuestion.decision.is_(None), ~live)
    # What was typed is deleted after a while.
    has_words = TeacherQuestion.note.is_not(None) | TeacherQuestion.phone.is_not(None)
    waiting = session.scalars(open_answers.where(has_words).order_by(TeacherQuestion.id)).all()
    return sum(_enqueue(session, question, rules, now) for question in waiting)


def _enqueue(session: Session, question: TeacherQuestion, rules: AccessRules, now: datetime) -> int:
    asked = set(session.scalars(select(AnswerCard.reader).where(AnswerCard.question_id == question.id)))
    schools = select(StudentSchool.school_id).where(StudentSchool.student_id == question.student_id)
    for readers in (clerks_of(session, schools, rules), admins(session, rules)):
        rows = _new_readers(question, readers, asked, now)
        if rows:
            added = insert(AnswerCard).values(rows).on_conflict_do_nothing().returning(AnswerCard.id)
            return len(session.scalars(added).all())
    return 0


def _new_readers(
    question: TeacherQuestion, readers: Sequence[str], asked: set[str], now: datetime
) -> list[dict[str, object]]:
    fresh = [reader for reader in readers[:_MAX_READERS] if reader not in asked]
    return [{"question_id": question.id, "reader": reader, "due_at": now} for reader in fresh]


def claim_card(session: Session, *, now: datetime) -> AnswerCard | None:
    """Lease the next card that is due. One whose lease has expired may have been sent, and is not sent again; an update is."""
    return outbox.claim(session, AnswerCard, now=now, on_expiry={"state": _UNCLEAR_STATE})


def complete_card(session: Session, card: AnswerCard, *, shows_answer: bool, channel_id: str, ts: str) -> bool:
    """Store that a card was sent; one that was decided in the meantime is due again. Return False if another worker has it."""
    undecided = select(TeacherQuestion.decision).where(TeacherQuestion.id == card.question_id)
    is_current = shows_answer or session.scalar(undecided.with_for_update(read=True)) is None
    state = TeacherState.SENT if is_current else TeacherState.PENDING
    return outbox.complete(session, card, state, channel_id=channel_id, ts=ts)


def mark_unclear(session: Session, card: AnswerCard, *, retry_at: datetime) -> bool:
    """Store that Slack may have accepted the card, or its update."""
    return outbox.complete(session, card, _UNCLEAR_STATE, due_at=retry_at)
