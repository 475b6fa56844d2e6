"""Identity: who is let in by the email that Slack shows, and what people may do who share one."""

import pytest
from sqlalchemy import select
from support import people
from support.errors import refused

from bot.access import identity, rights
from bot.access.identity import AccessRules, SlackIdentity
from bot.access.rights import AccessLevel
from bot.db.models.roster import StaffRole, Student
from bot.errors import UserError

NO_RULES = AccessRules()
SHARED = "office@district.example"


def load(session, district, name, rules=NO_RULES):
    return identity.load_actor(session, district.slack[name], rules=rules, today=people.TODAY)


def load_by_email(session, email, *, rules=NO_RULES, **traits):
    person = SlackIdentity("UNAME", email, **{"full_member": True, **traits})
    return identity.load_actor(session, person, rules=rules, today=people.TODAY)


def test_guest_is_told_whom_to_ask(session, district):
    with refused("access.no_full_account") as refusal:
        load(session, district, "gus", AccessRules(admin_emails=("dana.diaz@district.example",)))
    assert "dana.diaz@district.example" in refusal.value.sentence


def test_guest_with_the_email_of_a_teacher_is_still_a_guest(session, district):
    with refused("access.no_full_account"):
        load_by_email(session, district.ana.email, full_member=False)


@pytest.mark.parametrize(
    ("email", "code"),
    [
        (None, "access.no_email"),
        ("", "access.no_email"),
        ("unknown@district.example", "access.unknown"),
    ],
)
def test_person_unknown_to_the_sis_is_referred_to_the_data_manager(session, district, email, code):
    with refused(code) as refusal:
        load_by_email(session, email)
    assert "data manager" in refusal.value.sentence


def test_staff_who_left_the_district_are_refused(session, district):
    district.clara.active = False
    session.flush()
    with refused("access.unknown"):
        load(session, district, "clara")


@pytest.mark.parametrize("role", ["guardian", "parent", "relative", "student", "proctor"])
def test_role_that_is_not_staff_grants_nothing(session, role):
    parent = people.staff(session, "Paula", "Parent", role=role, at=people.school(session))
    with pytest.raises(UserError):
        load_by_email(session, parent.email)


def test_email_matches_in_any_case_and_spacing(session, district):
    assert load_by_email(session, f" {district.ana.email.upper()} ").staff_ids == (district.ana.id,)


def test_admin_sees_everything_before_the_first_sync(session):
    rules = AccessRules(admin_emails=("it@district.example",))
    actor = load_by_email(session, "it@district.example", rules=rules)
    assert (actor.level, actor.may_edit, actor.staff_ids) == (AccessLevel.DISTRICT, True, ())


@pytest.mark.parametrize(
    ("roles", "name", "may"),
    [
        ((), "ana", True),
        (("siteadministrator",), "clara", True),
        (("siteadministrator",), "ana", False),
    ],
)
def test_staff_may_edit_unless_editor_roles_exclude_them(session, district, roles, name, may):
    actor = load(session, district, name, AccessRules(editor_roles=roles))
    assert actor.may_edit is may
    if may:
        rights.require_editor(actor)
    else:
        with refused("access.no_editor"):
            rights.require_editor(actor)


def test_unconfirmed_email_grants_nothing(session, district):
    with refused("access.email_unconfirmed") as refusal:
        load_by_email(session, district.ana.email, email_confirmed=False)
    assert district.ana.email in refusal.value.sentence


@pytest.fixture
def school(session, district):
    """Sam is in Ana's class at Lincoln, Rosa is at Roosevelt."""
    sam = people.student(session, "Sam", at=district.lincoln)
    people.student(session, "Rosa", at=district.roosevelt)
    people.school_class(session, district.ana, district.lincoln, sam)
    return district


def share(session, *staff):
    for person in staff:
        person.email = SHARED
    session.flush()


def visible_names(session, actor):
    ids = rights.visible_students(actor)
    return set(session.scalars(select(Student.given_name).where(Student.id.in_(ids))))


def test_shared_email_grants_the_rights_of_the_narrowest(session, school):
    share(session, school.ana, school.clara, school.dana)
    actor = load_by_email(session, SHARED)
    assert (actor.level, visible_names(session, actor)) == (AccessLevel.CLASSES, {"Sam"})


def test_shared_email_grants_schools_that_all_of_its_people_have(session, school):
    rita = people.staff(session, "Rita", "Roos", role="principal", at=school.roosevelt)
    session.add(StaffRole(staff_id=rita.id, school_id=school.lincoln.id, role="principal"))
    people.school_class(session, rita, school.roosevelt, *session.scalars(select(Student).filter_by(given_name="Rosa")))
    share(session, school.clara, rita)
    actor = load_by_email(session, SHARED)
    assert (actor.school_ids, visible_names(session, actor)) == ((school.lincoln.id,), {"Sam"})


def test_shared_email_of_people_with_nothing_in_common_is_refused(session, school):
    share(session, school.ana, school.tom)
    with refused("access.shared_email"):
        load_by_email(session, SHARED)


def test_shared_email_grants_nothing_if_one_of_its_people_may_do_nothing(session, school):
    share(session, school.dana, people.staff(session, "Pia", "Proctor", role="proctor", at=school.lincoln))
    with refused("access.shared_email"):
        load_by_email(session, SHARED)


def test_shared_email_edits_and_exports_only_if_all_may(session, school):
    share(session, school.clara, school.dana)
    rules = AccessRules(editor_roles=("districtadministrator",), export_roles=("siteadministrator",))
    actor = load_by_email(session, SHARED, rules=rules)
    assert (actor.may_edit, actor.may_export) == (False, False)


def test_record_of_the_same_name_is_the_same_person(session, school):
    again = people.staff(session, "ana", "GARCIA", role="counselor", at=school.roosevelt)
    share(session, school.ana, again)
    assert visible_names(session, load_by_email(session, SHARED)) == {"Sam", "Rosa"}


def test_shared_email_among_the_admins_sees_everything(session, school):
    share(session, school.ana, school.tom)
    assert load_by_email(session, SHARED, rules=AccessRules(admin_emails=(SHARED,))).level is AccessLevel.DISTRICT
