"""Ask the teacher: who may know a number for a student with no adult who can be reached.

The homeroom teacher gets at most one message a day, about several students; a student is asked about once in ten school days,
but again if the message failed. A message that is still waiting takes more students; after it was sent, they wait for the next
school day. School days are Mondays to Fridays: the district's holidays are not known here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Row, Select, delete, func, literal, select, update
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.orm import Session

from bot.access import rights
from bot.access.rights import AccessParams, Actor
from bot.cleanup_list.student_columns import reachability_query
from bot.db import audit, outbox
from bot.db.audit import Subject
from bot.db.models.folding import full_name
from bot.db.models.listed_students import UNREACHABLE, ListedStudent
from bot.db.models.roster import ClassStudent, ClassTeacher, SchoolClass, Staff, Student
from bot.db.models.teacher_questions import AnswerCard, TeacherMessage, TeacherQuestion, TeacherState, was_sent
from bot.domain.display import plural
from bot.domain.school_days import PAUSE_BETWEEN_QUESTIONS, is_school_day, next_school_day, school_days_before
from bot.errors import UserError

KEPT = timedelta(days=60)
DAILY = "daily"  # The `asked_by` of questions that no one pressed a button for.
MAX_STUDENTS = 10  # In one message.
_MAX_FAILED = 2  # Messages in a pause, if none arrived: a single answer of Slack's may get lost.
_COLLECTED_FOR = timedelta(minutes=10)
_FROM, _UNTIL = time(8), time(16)  # When a message may be sent, in the district's time zone.
_BATCH = 500


@dataclass(frozen=True)
class Asked:
    """A question that waits to be sent: the teacher's name, and the day of the message."""

    teacher: str
    day: date


def ask_teacher(session: Session, student_id: int, *, actor: Actor, zone: tzinfo, now: datetime) -> Asked:
    """Ask the homeroom teacher about a student.

    Raises:
        UserError: this person may not change contacts or see the student, an adult can be texted, there is no homeroom teacher with an
            email address, or the teacher was asked lately.
    """
    rights.require_editor(actor)
    rights.require_student(session, student_id, actor=actor)
    if session.execute(reachability_query(literal(student_id))).one().textable:
        sentence = "An adult of this student can be texted, so the teacher is not asked. Open the student again."
        raise UserError("teacher.not_needed", sentence)
    teacher = session.execute(_homeroom_teachers([student_id], actor.today)).first()
    if teacher is None:
        sentence = "The student information system has no homeroom teacher with an email address for this student."
        raise UserError("teacher.none", sentence)
    _refuse_repeated(session, student_id, actor.today)
    day = _ask(session, student_id, teacher.email, by=actor.user_id, zone=zone, now=now)
    return Asked(teacher.name, day)


def _homeroom_teachers(students: Sequence[int] | Select[int], today: date) -> Select[*tuple[Any, ...]]:
    """Select student id, email, and name of the homeroom teacher of each student: the primary one first, then by name."""
    current = (rights.is_current(ClassStudent, literal(today)), rights.is_current(ClassTeacher, literal(today)))
    return (
        select(
            ClassStudent.student_id,
            Staff.email.label("email"),
            full_name(Staff.given_name, Staff.family_name).label("name"),
        )
        .join_from(ClassStudent, SchoolClass, SchoolClass.id == ClassStudent.class_id)
        .join(ClassTeacher, ClassTeacher.class_id == SchoolClass.id)
        .join(Staff, Staff.id == ClassTeacher.staff_id)
        .where(ClassStudent.student_id.in_(students), SchoolClass.homeroom, SchoolClass.active, *current)
        .where(Staff.active, Staff.email.is_not(None))
        .ext(distinct_on(ClassStudent.student_id))
        .order_by(ClassStudent.student_id, ClassTeacher.is_primary.desc(), Staff.search, Staff.id)
    )


def _refuse_repeated(session: Session, student_id: int, today: date) -> None:
    asked = select(TeacherQuestion).where(
        TeacherQuestion.student_id == student_id,
        TeacherQuestion.asked_on > school_days_before(today, PAUSE_BETWEEN_QUESTIONS),
        was_sent(),
    )
    if earlier := session.scalar(asked.order_by(TeacherQuestion.id.desc()).limit(1)):
        sentence = (
            f"The teacher was asked about this student on {earlier.asked_on:%B} {earlier.asked_on.day} already. A student is asked about "
            f"once in {plural(PAUSE_BETWEEN_QUESTIONS, 'school day')}."
        )
        raise UserError("teacher.asked_already", sentence)


def _ask(session: Session, student_id: int, teacher: str, *, by: str, zone: tzinfo, now: datetime) -> date:
    local = now.astimezone(zone)
    message = _open_message(session, teacher, local)
    values = {"message_id": message.id, "student_id": student_id, "asked_by": by, "asked_at": now}
    question = insert(TeacherQuestion).values(**values, asked_on=local.date())
    days = [TeacherQuestion.student_id, TeacherQuestion.asked_on]
    # The message of an earlier question of the same day may have failed.
    asked = question.on_conflict_do_update(index_elements=days, set_=values, where=~was_sent())
    if session.scalar(asked.returning(TeacherQuestion.id)) is None:
        raise UserError("teacher.asked_already", "A colleague asked the teacher about this student a moment ago.")
    audit.record(session, Subject("student", student_id), actor=by, action="teacher.asked", now=now)
    return message.day


def _open_message(session: Session, teacher: str, local: datetime) -> TeacherMessage:
    """Return the teacher's next message that was not sent and has space, and make it if there is none. It is locked."""
    is_office_hours = is_school_day(local) and local.time() < _UNTIL
    day = local.date() if is_office_hours else next_school_day(local.date())
    while True:
        starts = datetime.combine(day, _FROM, tzinfo=local.tzinfo)
        due_at = max(starts, local + _COLLECTED_FOR)
        new = insert(TeacherMessage).values(teacher=teacher, day=day, due_at=due_at).on_conflict_do_nothing()
        session.execute(new)
        of_day = select(TeacherMessage).where(TeacherMessage.teacher == teacher, TeacherMessage.day == day)
        message = session.scalars(of_day.with_for_update(), execution_options={"populate_existing": True}).one()
        if _is_open(session, message):
            return message
        day = next_school_day(day)


def ask_daily(session: Session, *, zone: tzinfo, now: datetime) -> int:
    """Ask about a batch of the students with no reachable adult that no teacher was asked about lately; return how many.

    On school mornings only. A teacher who got none of the last messages in Slack counts as asked. Students who do not fit into
    today's message wait for the next one.
    """
    local = now.astimezone(zone)
    if not is_school_day(local) or not _FROM <= local.time() < _UNTIL:
        return 0
    today = local.date()
    since = school_days_before(today, PAUSE_BETWEEN_QUESTIONS)
    lately = select(TeacherQuestion.student_id).where(TeacherQuestion.asked_on > since, was_sent())
    # Full or sent: nothing more goes to this teacher today.
    count = select(func.count()).where(TeacherQuestion.message_id == TeacherMessage.id).scalar_subquery()
    closed = select(TeacherMessage.teacher).where(
        TeacherMessage.day == today, (TeacherMessage.state != TeacherState.PENDING) | (count >= MAX_STUDENTS)
    )
    messages = select(TeacherMessage.teacher).where(TeacherMessage.day > since).group_by(TeacherMessage.teacher)
    failed = func.count().filter(TeacherMessage.state == TeacherState.FAILED)
    others = func.count().filter(TeacherMessage.state != TeacherState.FAILED)
    undelivered = messages.having(failed >= _MAX_FAILED, others == 0)
    unreached = select(ListedStudent.id).where(ListedStudent.need == UNREACHABLE, ListedStudent.id.not_in(lately))
    teachers = _homeroom_teachers(unreached, today).subquery()
    batch = (
        select(teachers)
        .where(teachers.c.email.not_in(closed.union(undelivered)))
        .order_by(teachers.c.student_id)
        .limit(_BATCH)
    )
    rows = session.execute(batch).all()
    return sum(_ask_if_open(session, row, zone=zone, now=now) for row in rows)


def _ask_if_open(session: Session, row: Row[Any], *, zone: tzinfo, now: datetime) -> bool:
    of_day = select(TeacherMessage).where(
        TeacherMessage.teacher == row.email, TeacherMessage.day == now.astimezone(zone).date()
    )
    message = session.scalar(of_day)
    if message and not _is_open(session, message):
        return False
    _ask(session, row.student_id, row.email, by=DAILY, zone=zone, now=now)
    return True


def _is_open(session: Session, message: TeacherMessage) -> bool:
    students = select(func.count()).where(TeacherQuestion.message_id == message.id)
    return message.state == TeacherState.PENDING and (session.scalar(students) or 0) < MAX_STUDENTS


def claim_message(session: Session, *, now: datetime) -> TeacherMessage | None:
    """Lease the next message that is due. One whose lease has expired may have been sent, and is not sent again."""
    return outbox.claim(session, TeacherMessage, now=now, on_expiry={"state": TeacherState.FAILED})


@dataclass(frozen=True)
class AskedStudent:
    """A question to a teacher, about a student of theirs; `answer` is a `TeacherAnswer`."""

    question_id: int
    student_id: int
    name: str
    answer: str | None


def load_questions(session: Session, message_id: int, *, actor: Actor) -> tuple[AskedStudent, ...]:
    """Return the questions of a message about students that this person teaches today."""
    name = full_name(Student.given_name, Student.family_name)
    rows = session.execute(
        select(TeacherQuestion.id, TeacherQuestion.student_id, name.label("name"), TeacherQuestion.answer)
        .join(Student, Student.id == TeacherQuestion.student_id)
        .where(TeacherQuestion.message_id == message_id, Student.active, Student.id.in_(taught_by(actor)))
        .order_by(Student.family_name, Student.given_name, Student.id)
    )
    return tuple(AskedStudent(row.id, row.student_id, row.name, row.answer) for row in rows)


def taught_by(actor: Actor) -> Select[int]:
    """Return a query of the students in this person's own classes today, whatever else they may see."""
    ids = ARRAY(BigInteger)
    return rights.taught_students(
        AccessParams(literal(actor.today), literal([], ids), literal(list(actor.staff_ids), ids))
    )


def delete_old_questions(session: Session, *, now: datetime) -> int:
    """Delete messages with their questions and answers after `KEPT`; what a teacher typed goes after half of it, decided or not.

    The sent cards about it are due again, so that they lose it, too.
    """
    typed = update(TeacherQuestion).where(
        TeacherQuestion.asked_at < now - KEPT / 2,
        TeacherQuestion.note.is_not(None) | TeacherQuestion.phone.is_not(None),
    )
    cleared = session.scalars(typed.values(phone=None, note=None).returning(TeacherQuestion.id)).all()
    sent = update(AnswerCard).where(AnswerCard.question_id.in_(cleared), AnswerCard.state == TeacherState.SENT)
    session.execute(sent.values(state=TeacherState.PENDING, due_at=now))
    old = delete(TeacherMessage).where(TeacherMessage.day < (now - KEPT).date()).returning(TeacherMessage.id)
    return len(session.execute(old).all())
