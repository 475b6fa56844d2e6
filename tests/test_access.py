"""Who sees whom: one table of people, and what each of them may see and change."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select
from support import people

from bot import access
from bot.access import Reach, Rules, SlackPerson
from bot.db.models.roster import ClassStudent, ClassTeacher, StaffRole, Student
from bot.errors import UserError

NO_RULES = Rules()


@pytest.fixture
def district(session):
    """Sam is in Ana's class and Tess in Tom's, both at Lincoln; Rosa is at Roosevelt."""
    made = people.a_district(session)
    sam = people.student(session, "Sam", at=made.lincoln)
    tess = people.student(session, "Tess", at=made.lincoln)
    people.student(session, "Rosa", grade="11", at=made.roosevelt)
    people.school_class(session, made.ana, made.lincoln, sam)
    people.school_class(session, made.tom, made.lincoln, tess, title="Homeroom 5B")
    session.flush()
    return made


def acting(session, district, name, rules=NO_RULES, today=people.TODAY):
    return access.load_actor(session, district.slack[name], rules=rules, today=today)


def seen(session, actor):
    ids = access.visible_students(actor)
    return set(session.scalars(select(Student.given_name).where(Student.id.in_(ids))))


@pytest.mark.parametrize(
    ("name", "students", "reach"),
    [
        ("ana", {"Sam"}, Reach.CLASSES),
        ("tom", {"Tess"}, Reach.CLASSES),
        ("clara", {"Sam", "Tess"}, Reach.SCHOOLS),
        ("dana", {"Sam", "Tess", "Rosa"}, Reach.DISTRICT),
    ],
)
def test_a_teacher_sees_her_classes_a_clerk_her_school_and_a_manager_the_district(
    session, district, name, students, reach
):
    actor = acting(session, district, name)
    assert (seen(session, actor), actor.reach) == (students, reach)


def test_a_guest_gets_a_polite_no_that_names_whom_to_ask(session, district):
    with pytest.raises(UserError, match="full account") as no:
        acting(session, district, "gus", Rules(admin_emails=("dana.diaz@district.example",)))
    assert "Please ask dana.diaz@district.example" in no.value.sentence


def test_a_guest_whose_address_is_a_teachers_is_still_a_guest(session, district):
    guest = SlackPerson("UGUS", district.ana.email, full_member=False)
    with pytest.raises(UserError):
        access.load_actor(session, guest, rules=NO_RULES, today=people.TODAY)


def test_an_aide_sees_a_class_and_not_the_school(session, district):
    aide = people.staff(session, "Aida", "Lund", role="aide", at=district.lincoln)
    actor = access.load_actor(
        session, SlackPerson("UA", aide.email, full_member=True), rules=NO_RULES, today=people.TODAY
    )
    assert (seen(session, actor), actor.reach) == (set(), Reach.CLASSES)


@pytest.mark.parametrize("email", [None, "", "nobody@district.example"])
def test_somebody_the_sis_does_not_know_is_refused(session, district, email):
    with pytest.raises(UserError, match="data manager"):
        access.load_actor(session, SlackPerson("UX", email, full_member=True), rules=NO_RULES, today=people.TODAY)


def test_somebody_who_left_the_district_is_refused(session, district):
    district.clara.active = False
    session.flush()
    with pytest.raises(UserError, match="can't find"):
        acting(session, district, "clara")


@pytest.mark.parametrize("role", ["guardian", "parent", "relative", "student", "proctor"])
def test_a_role_that_is_not_staff_opens_nothing(session, role):
    parent = people.staff(session, "Paula", "Parent", role=role, at=people.school(session))
    with pytest.raises(UserError):
        access.load_actor(
            session, SlackPerson("UP", parent.email, full_member=True), rules=NO_RULES, today=people.TODAY
        )


def test_an_address_is_the_same_in_any_case(session, district):
    shouting = SlackPerson("UANA", f" {district.ana.email.upper()} ", full_member=True)
    assert access.load_actor(session, shouting, rules=NO_RULES, today=people.TODAY).staff_ids == (district.ana.id,)


def test_on_the_first_day_an_admin_sees_everything_before_any_sync(session):
    rules = Rules(admin_emails=("it@district.example",))
    person = SlackPerson("UIT", "it@district.example", full_member=True)
    actor = access.load_actor(session, person, rules=rules, today=people.TODAY)
    assert (actor.reach, actor.may_edit, actor.staff_ids) == (Reach.DISTRICT, True, ())


def test_a_teacher_without_classes_sees_nobody(session, district):
    people.staff(session, "Nora", "New", at=district.lincoln)
    nora = SlackPerson("UNORA", "nora.new@district.example", full_member=True)
    assert seen(session, access.load_actor(session, nora, rules=NO_RULES, today=people.TODAY)) == set()


def test_a_teacher_whom_the_sis_has_once_for_each_school_sees_the_classes_of_all(session, district):
    again = people.staff(session, email=district.ana.email, at=district.roosevelt)
    rosa = session.scalars(select(Student).where(Student.given_name == "Rosa")).one()
    people.school_class(session, again, district.roosevelt, rosa, title="Chemistry")
    assert seen(session, acting(session, district, "ana")) == {"Sam", "Rosa"}


def test_a_teacher_who_also_works_in_the_office_sees_the_school(session, district):
    role = StaffRole(staff_id=district.ana.id, school_id=district.roosevelt.id, role="counselor")
    session.add(role)
    session.flush()
    assert seen(session, acting(session, district, "ana")) == {"Sam", "Rosa"}


@pytest.mark.parametrize(
    ("dates", "sees"),
    [
        ((None, None), True),
        ((people.TODAY, None), True),
        ((people.TODAY + timedelta(days=1), None), False),
        ((None, people.TODAY + timedelta(days=1)), True),
        ((None, people.TODAY), False),  # The end date of an enrolment is exclusive.
    ],
)
@pytest.mark.parametrize("side", [ClassStudent, ClassTeacher])
def test_an_enrolment_counts_from_its_first_day_until_before_its_last(session, district, side, dates, sees):
    for enrolment in session.scalars(select(side)):
        enrolment.begins_on, enrolment.ends_on = dates
    session.flush()
    assert ("Sam" in seen(session, acting(session, district, "ana"))) is sees


def test_a_substitute_sees_the_class_only_while_it_is_hers(session, district):
    tomorrow = date(2026, 11, 24)
    for enrolment in session.scalars(select(ClassTeacher)):
        enrolment.ends_on = tomorrow
    session.flush()
    assert seen(session, acting(session, district, "ana", today=people.TODAY)) == {"Sam"}
    assert seen(session, acting(session, district, "ana", today=tomorrow)) == set()


def test_a_student_who_left_is_seen_by_nobody(session, district):
    for student in session.scalars(select(Student)):
        student.active = False
    session.flush()
    assert seen(session, acting(session, district, "dana")) == set()


def test_a_hidden_student_and_one_that_never_was_get_the_same_sentence(session, district):
    ana = acting(session, district, "ana")
    tess = session.scalar(select(Student).where(Student.given_name == "Tess"))
    sentences = set()
    for student_id in (tess.id, 999_999):
        with pytest.raises(UserError) as no:
            access.require_student(session, student_id, actor=ana)
        sentences.add(no.value.sentence)
    assert len(sentences) == 1


@pytest.mark.parametrize("name", ["ana", "tom", "clara", "dana", "both", "nobody's"])
def test_a_student_and_a_contact_who_are_known_are_seen_by_just_those_who_see_them_among_all(session, district, name):
    sam, tess, rosa = session.scalars(select(Student).order_by(Student.id)).all()
    gone = people.student(session, "Gone", at=district.lincoln)
    contacts = {people.contact(session, one).id: {one.id} for one in (sam, tess, rosa, gone)}
    contacts[people.contact(session, tess, rosa).id] = {tess.id, rosa.id}
    people.school_class(session, district.clara, district.roosevelt, rosa)
    gone.active = False
    session.flush()
    actor = {
        "ana": people.acting(district.ana),
        "tom": people.acting(district.tom),
        "clara": people.acting(district.dana, reach=Reach.SCHOOLS, at=(district.lincoln,)),
        "dana": people.acting(district.dana, reach=Reach.DISTRICT),
        "both": people.acting(district.clara, reach=Reach.SCHOOLS, at=(district.lincoln,)),
        "nobody's": people.acting(district.dana),
    }[name]
    seen = set(session.scalars(access.visible_students(actor)))
    assert {
        one.id for one in (sam, tess, rosa, gone) if _is_let(access.require_student, session, one.id, actor)
    } == seen
    let = {one for one in contacts if _is_let(access.require_contact, session, one, actor)}
    assert let == {one for one, students in contacts.items() if students & seen}


def _is_let(asked, session, which, actor):
    try:
        asked(session, which, actor=actor)
    except UserError:
        return False
    return True


@pytest.mark.parametrize(
    ("roles", "name", "may"),
    [
        ((), "ana", True),
        (("siteadministrator",), "clara", True),
        (("siteadministrator",), "ana", False),
    ],
)
def test_who_may_see_may_edit_unless_the_district_narrows_it(session, district, roles, name, may):
    actor = acting(session, district, name, Rules(editor_roles=roles))
    assert actor.may_edit is may
    if may:
        access.require_editor(actor)
    else:
        with pytest.raises(UserError, match="registrar"):
            access.require_editor(actor)


def test_the_students_of_two_people_in_one_statement_are_each_their_own(session, district):
    ana, tom = (acting(session, district, name) for name in ("ana", "tom"))
    given, ids = Student.given_name, Student.id

    def only(one, other):
        return select(given).where(ids.in_(access.visible_students(one)), ids.not_in(access.visible_students(other)))

    assert session.scalars(only(ana, tom)).all() == ["Sam"]
    assert session.scalars(only(tom, ana)).all() == ["Tess"]
