"""Questions to teachers: which teacher gets them, how often, and what comes of the answers."""

from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, update
from support import people
from support.errors import refused

from bot.access.rights import AccessLevel
from bot.cleanup_list.student import load_student
from bot.contact_edits import teacher_questions as questions
from bot.contact_edits.teacher_answers import answer_in_words, answer_number, load_answer, set_aside, use_number
from bot.contact_edits.teacher_questions import ask_daily, ask_teacher, delete_old_questions, load_questions
from bot.db.models.edits import Audit, Edit
from bot.db.models.messages import PhoneNumber
from bot.db.models.roster import ClassStudent, Contact
from bot.db.models.teacher_questions import TeacherAnswer, TeacherMessage, TeacherQuestion
from bot.domain.school_days import school_days_before

ZONE = ZoneInfo("America/Chicago")
MONDAY = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)  # 9:00 in Chicago.
NUMBER = "(312) 555-9901"


@pytest.fixture
def school(session):
    return Class(session)


class Class:
    """Ana's homeroom with Sam and Kim, whose mothers are blocked; Clara is the clerk."""

    def __init__(self, session):
        self.session = session
        self.district = district = people.create_district(session)
        lincoln = district.lincoln
        self.ana = people.actor_of(district.ana)
        self.clara = people.actor_of(district.clara, level=AccessLevel.SCHOOLS, at=(lincoln,))
        self.students = [people.student(session, name, at=lincoln) for name in ("Sam", "Kim", "Zoe")]
        self.mothers = [people.list_contact(session, people.contact(session, student)) for student in self.students]
        self.homeroom = people.school_class(session, district.ana, lincoln, *self.students)
        session.commit()

    def ask(self, position=0, *, now=MONDAY):
        actor = replace(self.clara, today=now.astimezone(ZONE).date())
        return ask_teacher(self.session, self.students[position].id, actor=actor, zone=ZONE, now=now)

    def question(self):
        return self.session.scalars(select(TeacherQuestion).order_by(TeacherQuestion.id.desc())).first()

    def messages(self):
        rows = self.session.execute(
            select(TeacherMessage.teacher, TeacherMessage.day).order_by(TeacherMessage.day)
        ).all()
        return [tuple(row) for row in rows]

    def answer(self, typed=NUMBER, *, actor=None, note=None):
        numbers = {"region": "US", "our_number": "+13125550100"}
        asked = self.question().id
        answer_number(self.session, asked, typed=typed, note=note, actor=actor or self.ana, now=MONDAY, **numbers)

    def use(self, mother, *, actor=None):
        numbers = {"region": "US", "opt_in_number": "+13125550100", "version": mother.version}
        return use_number(self.session, self.question().id, mother.id, actor=actor or self.clara, now=MONDAY, **numbers)


def test_homeroom_teacher_gets_one_message_about_several_students(school, session):
    assert school.ask().teacher == "Ana García"
    school.ask(1)
    (message,) = session.scalars(select(TeacherMessage)).all()
    assert (message.teacher, message.day) == (school.district.ana.email, date(2026, 11, 23))
    assert message.due_at == MONDAY + timedelta(minutes=10)
    assert [student.name for student in load_questions(session, message.id, actor=school.ana)] == [
        "Kim Rivera",
        "Sam Rivera",
    ]
    assert session.scalars(select(Audit.action)).all() == ["teacher.asked"] * 2


def test_primary_teacher_is_asked(school, session):
    session.add(people.ClassTeacher(sourced_id="ET9", class_id=school.homeroom.id, staff_id=school.district.tom.id))
    assert school.ask().teacher == "Ana García"


def test_student_is_asked_about_once_in_ten_school_days(school):
    school.ask()
    with refused("teacher.asked_already"):
        school.ask()


@pytest.mark.parametrize(("days", "refuses"), [(11, True), (14, False)])
def test_pause_ends_after_ten_school_days(school, session, days, refuses):
    school.ask()
    school.question().asked_on = people.TODAY - timedelta(days=days)
    session.flush()
    with refused("teacher.asked_already") if refuses else nullcontext():
        school.ask()


@pytest.mark.parametrize(("answered", "refuses"), [(None, False), ("no_idea", True)])
def test_failed_message_asked_no_one(school, session, answered, refuses):
    school.ask()
    session.scalars(select(TeacherMessage)).one().state = "failed"
    school.question().answer = answered
    session.flush()
    assert load_student(session, school.students[0].id, actor=school.clara).asked.failed is (not refuses)
    with refused("teacher.asked_already") if refuses else nullcontext():
        assert school.ask().day == date(2026, 11, 24)
    assert not load_student(session, school.students[0].id, actor=school.clara).asked.failed


def test_daily_counts_a_teacher_without_deliveries_as_asked(school, session):
    """Slack refuses every message to them: two tries in ten school days."""
    asked = []
    for days in range(14):
        asked.append(ask_daily(session, zone=ZONE, now=MONDAY + timedelta(days=days)))
        session.execute(update(TeacherMessage).values(state="failed"))
    assert asked == [3, 3, *[0] * 12]
    assert ask_daily(session, zone=ZONE, now=MONDAY + timedelta(days=14)) == 3


def test_daily_asks_again_after_a_failed_message(school, session):
    ask_daily(session, zone=ZONE, now=MONDAY)
    session.scalars(select(TeacherMessage)).one().state = "failed"
    session.flush()
    assert [ask_daily(session, zone=ZONE, now=MONDAY + timedelta(days=days)) for days in (0, 1)] == [0, 3]


def test_sent_message_takes_no_more_students(school, session):
    school.ask()
    session.scalars(select(TeacherMessage)).one().state = "sent"
    session.flush()
    assert school.ask(1).day == date(2026, 11, 24)


def test_full_message_takes_no_more_students(school, monkeypatch):
    monkeypatch.setattr(questions, "MAX_STUDENTS", 1)
    assert (school.ask().day, school.ask(1).day) == (date(2026, 11, 23), date(2026, 11, 24))


@pytest.mark.parametrize(
    ("asked", "due"),
    [
        (datetime(2026, 11, 23, 12, 0, tzinfo=UTC), datetime(2026, 11, 23, 14, 0, tzinfo=UTC)),
        (datetime(2026, 11, 23, 23, 0, tzinfo=UTC), datetime(2026, 11, 24, 14, 0, tzinfo=UTC)),
        (datetime(2026, 11, 27, 23, 0, tzinfo=UTC), datetime(2026, 11, 30, 14, 0, tzinfo=UTC)),
        (datetime(2026, 11, 28, 15, 0, tzinfo=UTC), datetime(2026, 11, 30, 14, 0, tzinfo=UTC)),
    ],
    ids=["before eight", "in the evening", "on Friday evening", "on Saturday"],
)
def test_message_waits_for_the_school_day(school, session, asked, due):
    school.ask(now=asked)
    assert session.scalars(select(TeacherMessage.due_at)).one() == due


def test_student_with_an_adult_is_not_asked_about(school, session):
    people.contact(session, school.students[0], given="Otto")
    with refused("teacher.not_needed"):
        school.ask()


def test_student_without_a_homeroom_is_refused(school, session):
    school.homeroom.homeroom = False
    session.flush()
    with refused("teacher.none"):
        school.ask()


def test_daily_asks_about_every_student_without_an_adult_once(school, session):
    people.contact(session, school.students[2], given="Otto")
    session.commit()
    evening = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
    assert [ask_daily(session, zone=ZONE, now=now) for now in (evening, MONDAY, MONDAY)] == [0, 2, 0]
    assert school.messages() == [(school.district.ana.email, date(2026, 11, 23))]


def test_daily_fills_a_message_and_goes_on_the_next_day(school, session, monkeypatch):
    monkeypatch.setattr(questions, "MAX_STUDENTS", 2)
    assert [ask_daily(session, zone=ZONE, now=MONDAY) for _ in range(2)] == [2, 0]
    assert ask_daily(session, zone=ZONE, now=MONDAY + timedelta(days=1)) == 1


def test_number_waits_for_the_office_and_becomes_its_edit(school, session):
    school.ask()
    school.answer(note="the aunt's")
    assert session.scalars(select(Edit)).all() == []
    card = load_answer(session, school.question().id, actor=school.clara)
    assert (card.phone, card.note, card.teacher, card.student) == (
        "+13125559901",
        "the aunt's",
        "Ana García",
        "Sam Rivera",
    )
    assert school.use(school.mothers[0]).phone == "+13125559901"
    edit = session.scalars(select(Edit)).one()
    assert (edit.made_by, edit.value) == (school.clara.user_id, "+13125559901")
    question = school.question()
    assert (question.phone, question.note, question.decision) == (None, None, "used")
    assert school.use(school.mothers[0]) is None
    actions = session.scalars(select(Audit.action).order_by(Audit.id)).all()
    assert actions == ["teacher.asked", "teacher.answered", "phone.changed", "teacher.decided"]


def test_answer_set_aside_changes_nothing(school, session):
    school.ask()
    school.answer()
    set_aside(session, school.question().id, actor=school.clara, now=MONDAY)
    assert session.scalars(select(Edit)).all() == []
    assert school.question().phone is None


def test_teacher_who_lost_the_class_is_refused(school, session):
    school.ask()
    for enrollment in session.scalars(select(ClassStudent)):
        enrollment.active = False
    session.flush()
    with refused("teacher.gone"):
        school.answer()


def test_another_teacher_is_refused(school):
    school.ask()
    with refused("teacher.gone"):
        school.answer(actor=people.actor_of(school.district.tom))


def test_second_answer_is_refused(school, session):
    school.ask()
    answer_in_words(session, school.question().id, TeacherAnswer.NO_IDEA, note=None, actor=school.ana, now=MONDAY)
    with refused("teacher.answered"):
        school.answer()


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("", "phone.no_digits"),
        ("(312) 555-0100", "teacher.doubtful"),
        ("(800) 555-0199", "teacher.doubtful"),
        ("(312) 555-9901 ext. 4", "phone.extension"),
    ],
)
def test_number_that_cannot_be_theirs_is_refused(school, typed, code):
    school.ask()
    with refused(code, field="phone"):
        school.answer(typed)


def test_newer_number_is_not_overwritten(school, session):
    school.ask()
    school.answer()
    mother = school.mothers[0]
    newer = update(Contact).where(Contact.id == mother.id).values(version=Contact.version + 1)
    session.execute(newer, execution_options={"synchronize_session": False})
    with refused("contact.version_conflict"):
        school.use(mother)
    assert school.question().phone


@pytest.mark.parametrize(
    "reason", [{"opted_out_at": MONDAY}, {"status": None}, {"noted": "refused"}, {"sis_note_kind": "refused"}], ids=str
)
def test_number_is_not_offered_for_every_contact(school, session, reason):
    school.ask()
    school.answer()
    mother = school.mothers[0]
    row = mother if "sis_note_kind" in reason else session.get(PhoneNumber, mother.sis_phone)
    for column, value in reason.items():
        setattr(row, column, value)
    session.flush()
    assert not load_answer(session, school.question().id, actor=school.clara).contacts[0].takes_number
    with refused("teacher.not_for_contact"):
        school.use(mother)


def test_teacher_does_not_approve(school):
    school.ask()
    school.answer()
    with refused("access.no_office"):
        school.use(school.mothers[0], actor=school.ana)


def test_what_was_typed_ends_after_a_month(school, session):
    school.ask()
    school.answer(note="aunt")
    session.commit()
    delete_old_questions(session, now=MONDAY + timedelta(days=31))
    session.expire_all()
    assert (school.question().phone, school.question().note) == (None, None)
    delete_old_questions(session, now=MONDAY + timedelta(days=62))
    session.expire_all()
    assert school.question() is None


@pytest.mark.parametrize(
    ("day", "number", "before"),
    [(date(2026, 11, 23), 10, date(2026, 11, 9)), (date(2026, 11, 29), 1, date(2026, 11, 27))],
)
def test_school_days_are_mondays_to_fridays(day, number, before):
    assert school_days_before(day, number) == before
