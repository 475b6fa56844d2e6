"""Every entry point, and every person who has no right to it: a polite refusal, nothing about a student, nothing changed.

People who never had rights get a copy of Clara's screen, with her buttons, and press them.
"""

import os

import pytest
from sqlalchemy import delete, update
from support import people, surfaces
from support.privacy_table import PEOPLE, PrivacyTable
from support.surfaces import ASK_ADMIN, NOT_ON_YOUR_LIST

from bot.db.models.roster import Staff, StaffRole, Student
from bot.sandbox.slack.people import Person


@pytest.fixture
def scene(session, office):
    return surfaces.set_up(session, office)


def _add_account(office, **traits):
    user = office.slack.add_user("Xenia", **traits)
    members = office.slack.channels[office.channel].members | {user.id}
    office.slack.update_channel(office.channel, members=members)
    return Person(office.slack, user.id)


def _account(**traits):
    """Return a builder of an account with the email of the district's manager, which alone grants nothing."""
    return lambda office, _: _add_account(office, email=office.district.dana.email, **traits)


def _staff(given, family, role, school):
    def build(office, session):
        member = people.staff(session, given, family, role=role, at=getattr(office.district, school))
        session.commit()
        office.people[given.lower()] = account = _add_account(office, email=member.email)
        return account

    return build


INSIDERS = {
    "their teacher": lambda office, _: office.ana,
    "clerk": lambda office, _: office.clara,
    "principal": _staff("Pia", "Page", "principal", "lincoln"),
    "district manager": lambda office, _: office.dana,
    "admin by email": lambda office, _: office.adam,
}
OTHER_STAFF = {
    "teacher of another class": lambda office, _: office.tom,
    "clerk of another school": _staff("Rosa", "Reed", "siteAdministrator", "roosevelt"),
}
OUTSIDERS = {
    "guest": _account(guest=True),
    "single-channel guest": _account(single_channel_guest=True),
    "stranger in a shared channel": _account(stranger=True),
    "user of another workspace": _account(team_id="T0ELSEWHERE"),
    "bot": _account(bot=True),
    "deactivated account": _account(deleted=True),
    "account without email": lambda office, _: _add_account(office),
    "not in the SIS": lambda office, _: office.nora,
}


DRAFTS = {"open_lists", "downloads", "bulk_changes", "bulk_contacts"}
# Entry points that several people can use in one scene, one after another. The screen of "Show names" comes from a change.
SHARED = [entry for entry in surfaces.STAFF if entry in surfaces.READ_ONLY - {"Show names"}]


@pytest.fixture(scope="session")
def table():
    """The table of PRIVACY.md, against which every result is checked."""
    table = PrivacyTable()
    yield table
    if table.writes:
        table.write()


@pytest.fixture
def use(office, session, scene):
    """Return a function that brings up the screen of an entry point for a person, acts, and returns the effects."""

    def use(entry, person):
        surfaces.ALL[entry].prepare(person, scene)
        return surfaces.observe(office, session, lambda: surfaces.ALL[entry].act(person, scene))

    return use


@pytest.fixture
def use_copy(office, session, scene):
    """Return a function in which another person acts on a copy of the screen that Clara has."""

    def use_copy(entry, build):
        person = build(office, session)
        surfaces.copy_screen(office.slack, of=office.clara, to=person)
        return surfaces.observe(office, session, lambda: surfaces.ALL[entry].act(person, scene))

    return use_copy


@pytest.fixture
def use_after(office, session, scene):
    """Return a function in which Clara acts after `end` has ended her rights."""

    def use_after(end, entry):
        surfaces.ALL[entry].prepare(office.clara, scene)
        end(office, session)
        session.commit()
        return surfaces.observe(office, session, lambda: surfaces.ALL[entry].act(office.clara, scene))

    return use_after


def test_table_has_every_entry_point_and_person():
    assert (*INSIDERS, *OTHER_STAFF, *OUTSIDERS) == PEOPLE
    if not os.environ.get("WRITE_PRIVACY"):
        assert {entry for entry, _ in PrivacyTable().cells()} == set(surfaces.ALL)


@pytest.mark.parametrize("who", INSIDERS)
@pytest.mark.parametrize("entry", [entry for entry in surfaces.STAFF if entry not in SHARED])
def test_staff_of_the_student_can_use_every_entry_point(office, session, table, use, *, entry, who):
    effects = use(entry, INSIDERS[who](office, session))
    _check_allowed(entry, effects)
    assert bool(effects.changed - DRAFTS) == (entry not in surfaces.READ_ONLY)
    table.check(entry, who, "yes")


@pytest.mark.parametrize("entry", SHARED)
def test_staff_of_the_student_can_read_everything(office, session, table, use, subtests, *, entry):
    for who, build in INSIDERS.items():
        with subtests.test(who):
            effects = use(entry, build(office, session))
            _check_allowed(entry, effects)
            assert not effects.changed - DRAFTS
            table.check(entry, who, "yes")


def _check_allowed(entry, effects):
    assert ASK_ADMIN not in effects.sent
    assert NOT_ON_YOUR_LIST not in effects.sent
    if entry not in surfaces.DEPENDS_ON_THE_MESSAGE:
        assert bool(effects.secrets) == (entry not in surfaces.SHOWS_NO_STUDENT)


@pytest.mark.parametrize("who", INSIDERS | OTHER_STAFF)
@pytest.mark.parametrize("entry", surfaces.DISTRICT)
def test_only_district_staff_decide_a_held_sync(office, session, table, use, *, entry, who):
    effects = use(entry, (INSIDERS | OTHER_STAFF)[who](office, session))
    may_decide = who in {"district manager", "admin by email"}
    assert ("people who see the whole district" in effects.sent) is not may_decide
    assert (effects.changed == {"audit", "sync_runs"}) is may_decide
    table.check(entry, who, "yes" if may_decide else "no")


@pytest.mark.parametrize("who", INSIDERS | OTHER_STAFF)
@pytest.mark.parametrize("entry", surfaces.OFFICE)
def test_only_the_office_imports_results(office, scene, table, use_copy, *, entry, who):
    surfaces.ALL[entry].prepare(office.clara, scene)
    office.show_answers_first()
    effects = use_copy(entry, (INSIDERS | OTHER_STAFF)[who])
    may_import = "teacher" not in who
    assert ("is for the office" in effects.sent) is not may_import
    assert effects.secrets == []
    assert effects.changed == ({"report_imports"} if may_import and "submitted" in entry else set())
    table.check(entry, who, "yes" if may_import else "no")


@pytest.mark.parametrize("who", INSIDERS | OTHER_STAFF)
@pytest.mark.parametrize("entry", surfaces.TEACHER)
def test_only_the_teacher_who_was_asked_answers(office, scene, table, use_copy, *, entry, who):
    surfaces.ALL[entry].prepare(office.clara, scene)
    effects = use_copy(entry, (INSIDERS | OTHER_STAFF)[who])
    was_asked = who == "their teacher"
    assert ("not in your class anymore" in effects.sent) is not was_asked
    saves = was_asked and entry in {"I have a number, sent", "Try someone else, sent", "No idea"}
    assert effects.changed == ({"audit", "teacher_questions"} if saves else set())
    table.check(entry, who, "yes" if was_asked else "no")


@pytest.mark.parametrize("who", INSIDERS | OTHER_STAFF)
@pytest.mark.parametrize("entry", surfaces.ANSWERS)
def test_only_the_office_of_the_student_decides_about_an_answer(office, scene, table, use_copy, *, entry, who):
    surfaces.ALL[entry].prepare(office.clara, scene)
    effects = use_copy(entry, (INSIDERS | OTHER_STAFF)[who])
    if "teacher" in who:
        assert "approved by the office" in effects.sent
    result = "no" if "teacher" in who else "hidden" if who == "clerk of another school" else "yes"
    assert (NOT_ON_YOUR_LIST in effects.sent) is (result == "hidden")
    assert ("teacher_questions" in effects.changed) is (result == "yes")
    assert result == "yes" or effects.is_harmless
    table.check(entry, who, result)


@pytest.mark.parametrize("who", INSIDERS | OTHER_STAFF)
@pytest.mark.parametrize("entry", surfaces.EXPORTS)
def test_without_export_roles_no_one_gets_a_file(office, session, table, use, *, entry, who):
    effects = use(entry, (INSIDERS | OTHER_STAFF)[who](office, session))
    assert "is for other roles here" in effects.sent
    assert effects.is_harmless
    table.check(entry, who, "no")


@pytest.mark.parametrize("entry", surfaces.ALL)
def test_people_without_rights_get_nothing(office, session, scene, *, table, use_copy, subtests, entry):
    surfaces.ALL[entry].prepare(office.clara, scene)
    for who, build in OUTSIDERS.items():
        with subtests.test(who):
            effects = use_copy(entry, build)
            assert ASK_ADMIN in effects.sent
            assert effects.is_harmless
            table.check(entry, who, "no")
    for who, build in OTHER_STAFF.items():
        with subtests.test(who):
            _check_other_staff(entry, who, table, lambda build=build: use_copy(entry, build))
    with subtests.test("clerk who lost the role"):
        _lose_role(office, session)
        session.commit()
        effects = surfaces.observe(office, session, lambda: surfaces.ALL[entry].act(office.clara, scene))
        assert ASK_ADMIN in effects.sent
        assert effects.is_harmless


def _check_other_staff(entry, who, table, use):
    """Other staff cannot reach the student, see only their own students in lists, and everything that shows no student."""
    if entry in surfaces.STUDENT:
        effects, result = use(), "hidden"
        assert NOT_ON_YOUR_LIST in effects.sent
        assert effects.is_harmless
    elif entry in surfaces.LISTS:
        effects, result = use(), "own"
        assert any(word in effects.sent for word in EMPTY)
        assert effects.is_harmless
    elif entry in surfaces.GENERAL:
        effects, result = use(), "yes"
        assert ASK_ADMIN not in effects.sent
        assert effects.secrets == []
    else:
        return
    table.check(entry, who, result)


# Telling words of the answers about no student at all: an empty list, no pending change, no contact on the page.
EMPTY = (
    "No one",
    "You have no students here",
    "Your school has no students",
    "Nothing is pending",
    "Every contact who gets texts was verified",
    "is left to fix",
    "This list is empty now",
    "None of your students has",
    "Nothing is left to do here",
    "That was the last one",
)


def _lose_role(office, session):
    session.execute(delete(StaffRole).where(StaffRole.staff_id == office.district.clara.id))


def _leave(office, session):
    session.execute(update(Staff).where(Staff.id == office.district.clara.id).values(active=False))


def _become_guest(office, _session):
    # Slack is asked again after ten minutes.
    office.slack.update_user(office.clara.id, guest=True)
    office.advance(minutes=11)


def _move_to_roosevelt(office, session):
    of_clara = update(StaffRole).where(StaffRole.staff_id == office.district.clara.id)
    session.execute(of_clara.values(school_id=office.district.roosevelt.id))


def _student_leaves(_office, session):
    session.execute(update(Student).values(active=False))


@pytest.mark.parametrize("end", [_leave, _become_guest])
def test_open_dialog_cannot_be_saved_after_leaving(use_after, end):
    effects = use_after(end, "Edit, saved")
    assert ASK_ADMIN in effects.sent
    assert effects.is_harmless


@pytest.mark.parametrize("entry", surfaces.STUDENT)
def test_staff_who_moved_to_another_school_lose_the_student(use_after, entry):
    effects = use_after(_move_to_roosevelt, entry)
    assert NOT_ON_YOUR_LIST in effects.sent
    assert effects.is_harmless


@pytest.mark.parametrize("entry", ["Edit, saved", "Remove, confirmed", "Undo this change"])
def test_student_who_left_meanwhile_cannot_be_changed(use_after, entry):
    effects = use_after(_student_leaves, entry)
    assert NOT_ON_YOUR_LIST in effects.sent
    assert effects.is_harmless


@pytest.mark.parametrize("settings_changed", [{"editor_roles": "districtAdministrator"}])
@pytest.mark.parametrize(
    "entry", ["Edit", "Remove", "Undo this change", "Undo a removal", "Keep ours", "Take the SIS's"]
)
def test_staff_who_may_only_look_are_refused_every_change(office, use, entry):
    effects = use(entry, office.clara)
    assert "changing contacts is for other roles" in effects.sent
    assert effects.is_harmless
