"""Access: which students a person sees, and what they may change."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select
from support import people
from support.errors import refused

from bot.access import identity, rights
from bot.access.identity import AccessRules, SlackIdentity
from bot.access.rights import AccessLevel
from bot.db.models.roster import ClassStudent, ClassTeacher, StaffRole, Student
from bot.errors import UserError

NO_RULES = AccessRules()


@pytest.fixture
def district(session):
    """Sam is in Ana's class and Tess in Tom's, both at Lincoln; Rosa is at Roosevelt."""
    district = people.create_district(session)
    sam = people.student(session, "Sam", at=district.lincoln)
    tess = people.student(session, "Tess", at=district.lincoln)
    people.student(session, "Rosa", grade="11", at=district.roosevelt)
    people.school_class(session, district.ana, district.lincoln, sam)
    people.school_class(session, district.tom, district.lincoln, tess, title="Homeroom 5B")
    session.flush()
    return district


def load(session, district, name, today=people.TODAY):
    return identity.load_actor(session, district.slack[name], rules=NO_RULES, today=today)


def load_by_email(session, email):
    person = SlackIdentity("UNAME", email, full_member=True)
    return identity.load_actor(session, person, rules=NO_RULES, today=people.TODAY)


def visible_names(session, actor):
    ids = rights.visible_students(actor)
    return set(session.scalars(select(Student.given_name).where(Student.id.in_(ids))))


@pytest.mark.parametrize(
    ("name", "students", "level"),
    [
        ("ana", {"Sam"}, AccessLevel.CLASSES),
        ("tom", {"Tess"}, AccessLevel.CLASSES),
        ("clara", {"Sam", "Tess"}, AccessLevel.SCHOOLS),
        ("dana", {"Sam", "Tess", "Rosa"}, AccessLevel.DISTRICT),
    ],
)
def test_role_decides_on_classes_schools_or_district(session, district, name, students, level):
    actor = load(session, district, name)
    assert (visible_names(session, actor), actor.level) == (students, level)


def test_aide_does_not_see_the_school(session, district):
    actor = load_by_email(session, people.staff(session, "Aida", "Lund", role="aide", at=district.lincoln).email)
    assert (visible_names(session, actor), actor.level) == (set(), AccessLevel.CLASSES)


def test_teacher_without_classes_sees_no_student(session, district):
    nora = people.staff(session, "Nora", "New", at=district.lincoln)
    assert visible_names(session, load_by_email(session, nora.email)) == set()


def test_teacher_with_a_record_per_school_sees_all_classes(session, district):
    again = people.staff(session, email=district.ana.email, at=district.roosevelt)
    rosa = session.scalars(select(Student).where(Student.given_name == "Rosa")).one()
    people.school_class(session, again, district.roosevelt, rosa, title="Chemistry")
    assert visible_names(session, load(session, district, "ana")) == {"Sam", "Rosa"}


def test_teacher_with_an_office_role_sees_the_school(session, district):
    role = StaffRole(staff_id=district.ana.id, school_id=district.roosevelt.id, role="counselor")
    session.add(role)
    session.flush()
    assert visible_names(session, load(session, district, "ana")) == {"Sam", "Rosa"}


@pytest.mark.parametrize(
    ("dates", "sees"),
    [
        ((None, None), True),
        ((people.TODAY, None), True),
        ((people.TODAY + timedelta(days=1), None), False),
        ((None, people.TODAY + timedelta(days=1)), True),
        ((None, people.TODAY), False),  # The end date of an enrollment is exclusive.
    ],
)
@pytest.mark.parametrize("side", [ClassStudent, ClassTeacher])
def test_enrollment_counts_from_its_first_day_to_before_its_last(session, district, side, dates, sees):
    for enrollment in session.scalars(select(side)):
        enrollment.begins_on, enrollment.ends_on = dates
    session.flush()
    assert ("Sam" in visible_names(session, load(session, district, "ana"))) is sees


def test_substitute_sees_a_class_only_while_teaching_it(session, district):
    tomorrow = date(2026, 11, 24)
    for enrollment in session.scalars(select(ClassTeacher)):
        enrollment.ends_on = tomorrow
    session.flush()
    assert visible_names(session, load(session, district, "ana", today=people.TODAY)) == {"Sam"}
    assert visible_names(session, load(session, district, "ana", today=tomorrow)) == set()


def test_student_who_left_is_not_visible(session, district):
    for student in session.scalars(select(Student)):
        student.active = False
    session.flush()
    assert visible_names(session, load(session, district, "dana")) == set()


def test_hidden_and_unknown_students_get_the_same_answer(session, district):
    ana = load(session, district, "ana")
    tess = session.scalar(select(Student).where(Student.given_name == "Tess"))
    sentences = set()
    for student_id in (tess.id, 999_999):
        with refused("access.no_student") as refusal:
            rights.require_student(session, student_id, actor=ana)
        sentences.add(refusal.value.sentence)
    assert len(sentences) == 1


@pytest.mark.parametrize("name", ["ana", "tom", "clara", "dana", "both", "none"])
def test_checks_of_one_student_and_contact_agree_with_the_lists(session, district, name):
    sam, tess, rosa = session.scalars(select(Student).order_by(Student.id)).all()
    gone = people.student(session, "Gone", at=district.lincoln)
    contacts = {people.contact(session, student).id: {student.id} for student in (sam, tess, rosa, gone)}
    contacts[people.contact(session, tess, rosa).id] = {tess.id, rosa.id}
    people.school_class(session, district.clara, district.roosevelt, rosa)
    gone.active = False
    session.flush()
    actor = {
        "ana": people.actor_of(district.ana),
        "tom": people.actor_of(district.tom),
        "clara": people.actor_of(district.dana, level=AccessLevel.SCHOOLS, at=(district.lincoln,)),
        "dana": people.actor_of(district.dana, level=AccessLevel.DISTRICT),
        "both": people.actor_of(district.clara, level=AccessLevel.SCHOOLS, at=(district.lincoln,)),
        "none": people.actor_of(district.dana),
    }[name]
    visible = set(session.scalars(rights.visible_students(actor)))
    student_ids = {sam.id, tess.id, rosa.id, gone.id}
    assert {key for key in student_ids if _is_allowed(rights.require_student, session, key, actor)} == visible
    allowed_contacts = {key for key in contacts if _is_allowed(rights.require_contact, session, key, actor)}
    assert allowed_contacts == {key for key, students in contacts.items() if students & visible}


def _is_allowed(require, session, key, actor):
    try:
        require(session, key, actor=actor)
    except UserError:
        return False
    return True


def test_one_statement_can_hold_the_students_of_two_people(session, district):
    ana, tom = (load(session, district, name) for name in ("ana", "tom"))
    given, ids = Student.given_name, Student.id

    def only(actor, other):
        return select(given).where(ids.in_(rights.visible_students(actor)), ids.not_in(rights.visible_students(other)))

    assert session.scalars(only(ana, tom)).all() == ["Sam"]
    assert session.scalars(only(tom, ana)).all() == ["Tess"]
