"""Every door, and everybody who must not come in: a polite no, nothing about the student in it, nothing changed.

Whoever never had rights stands before a copy of Clara's screen, with her buttons in it, and presses them.
"""

import os

import pytest
from sqlalchemy import delete, update
from support import people, privacy_table
from support import surfaces as doors
from support.surfaces import (
    ALL,
    EVERY,
    LOOKING_ONLY,
    NAMES_NOBODY,
    NOT_YOURS,
    OF_A_STUDENT,
    OF_EXPORTERS,
    OF_LISTS,
    OF_NOBODY,
    OF_THE_DISTRICT,
    WHOM_TO_ASK,
    copy_screen,
    knock,
)

from bot.db.models.roster import Staff, StaffRole, Student


@pytest.fixture
def scene(session, office):
    return doors.set_up(session, office)


def _joins(office, **traits):
    user = office.slack.add_user("Xenia", **traits)
    members = office.slack.channels[office.channel].members | {user.id}
    office.slack.alter_channel(office.channel, members=members)
    return office.slack.person(user.id)


def _account(**traits):
    """Somebody in Slack with the address of the district's manager, which alone opens nothing."""
    return lambda office, _: _joins(office, email=office.district.dana.email, **traits)


def _staff(given, family, role, school):
    def joins(office, session):
        one = people.staff(session, given, family, role=role, at=getattr(office.district, school))
        session.commit()
        return _joins(office, email=one.email)

    return joins


INSIDERS = {
    "their teacher": lambda office, _: office.ana,
    "clerk": lambda office, _: office.clara,
    "principal": _staff("Pia", "Page", "principal", "lincoln"),
    "district manager": lambda office, _: office.dana,
    "admin by e-mail": lambda office, _: office.adam,
}
OTHERS = {
    "teacher of another class": lambda office, _: office.tom,
    "clerk of another school": _staff("Rosa", "Reed", "siteAdministrator", "roosevelt"),
}
OUTSIDERS = {
    "guest": _account(guest=True),
    "guest of one channel": _account(single_channel_guest=True),
    "stranger in a shared channel": _account(stranger=True),
    "somebody of another workspace": _account(team_id="T0ELSEWHERE"),
    "bot": _account(bot=True),
    "deactivated": _account(deleted=True),
    "nobody's address": lambda office, _: _joins(office),
    "not in the SIS": lambda office, _: office.nora,
}


@pytest.fixture(scope="session")
def table():
    """PRIVACY.md, against which every knock is held."""
    made = privacy_table.Table()
    yield made
    if made.writes:
        made.written()


def knocked_by(somebody, door, office, scene, session):
    """What comes of a door that Clara stands at, when somebody else presses the same there."""
    person = somebody(office, session)
    copy_screen(office.slack, of=office.clara, to=person)
    return knock(office, session, lambda: EVERY[door][1](person, scene))


def test_the_table_tells_of_every_door_and_everybody():
    assert (*INSIDERS, *OTHERS, *OUTSIDERS) == privacy_table.WHO
    if not os.environ.get("WRITE_PRIVACY"):
        assert {door for door, _ in privacy_table.Table().cells()} == set(EVERY)


@pytest.mark.parametrize("who", INSIDERS)
@pytest.mark.parametrize("door", ALL)
def test_a_door_opens_for_whoever_may_see_the_student(office, scene, session, table, *, door, who):
    arrive, enter = ALL[door]
    person = INSIDERS[who](office, session)
    arrive(person, scene)
    opened = knock(office, session, lambda: enter(person, scene))
    assert WHOM_TO_ASK not in opened.sent
    assert NOT_YOURS not in opened.sent
    assert bool(opened.told) == (door not in NAMES_NOBODY)
    assert bool(opened.changed - {"open_lists", "downloads"}) == (door not in LOOKING_ONLY)
    table.saw(door, who, "yes")


@pytest.mark.parametrize("who", INSIDERS | OTHERS)
@pytest.mark.parametrize("door", OF_THE_DISTRICT)
def test_a_sync_that_the_brake_stopped_is_decided_by_those_who_see_the_district(
    office, scene, session, table, *, door, who
):
    person = (INSIDERS | OTHERS)[who](office, session)
    OF_THE_DISTRICT[door][0](person, scene)
    opened = knock(office, session, lambda: OF_THE_DISTRICT[door][1](person, scene))
    may = who in {"district manager", "admin by e-mail"}
    assert ("those who see the whole district" in opened.sent) is not may
    assert (opened.changed == {"audit", "sync_runs"}) is may
    table.saw(door, who, "yes" if may else "no")


@pytest.mark.parametrize("who", INSIDERS | OTHERS)
@pytest.mark.parametrize("door", OF_EXPORTERS)
def test_what_was_changed_leaves_as_a_file_for_nobody_unless_the_district_says_for_whom(
    office, scene, session, table, *, door, who
):
    person = (INSIDERS | OTHERS)[who](office, session)
    OF_EXPORTERS[door][0](person, scene)
    knocked = knock(office, session, lambda: OF_EXPORTERS[door][1](person, scene))
    assert "is for other roles here" in knocked.sent
    assert knocked.is_harmless
    table.saw(door, who, "no")


@pytest.mark.parametrize("door", EVERY)
def test_a_door_that_is_open_to_a_clerk_tells_outsiders_whom_to_ask_and_nothing_else(
    office, scene, session, table, door
):
    EVERY[door][0](office.clara, scene)
    for who, somebody in OUTSIDERS.items():
        knocked = knocked_by(somebody, door, office, scene, session)
        assert WHOM_TO_ASK in knocked.sent, who
        assert knocked.is_harmless, who
        table.saw(door, who, "no")


@pytest.mark.parametrize("door", OF_A_STUDENT)
def test_a_student_of_others_stays_behind_every_door(office, scene, session, table, door):
    OF_A_STUDENT[door][0](office.clara, scene)
    for who, somebody in OTHERS.items():
        knocked = knocked_by(somebody, door, office, scene, session)
        assert NOT_YOURS in knocked.sent, who
        assert knocked.is_harmless, who
        table.saw(door, who, "hidden")


@pytest.mark.parametrize("door", OF_LISTS)
def test_a_list_shows_ones_own_students_whoever_it_was_drawn_for(office, scene, session, table, door):
    OF_LISTS[door][0](office.clara, scene)
    for who, somebody in OTHERS.items():
        knocked = knocked_by(somebody, door, office, scene, session)
        assert "Nobody" in knocked.sent or "Nothing is waiting" in knocked.sent, who
        assert knocked.is_harmless, who
        table.saw(door, who, "own")


@pytest.mark.parametrize("door", OF_NOBODY)
def test_what_is_of_no_student_is_for_all_staff_and_names_nobody(office, scene, session, table, door):
    OF_NOBODY[door][0](office.clara, scene)
    for who, somebody in OTHERS.items():
        knocked = knocked_by(somebody, door, office, scene, session)
        assert WHOM_TO_ASK not in knocked.sent, who
        assert knocked.told == [], who
        table.saw(door, who, "yes")


def _role_taken(office, session):
    session.execute(delete(StaffRole).where(StaffRole.staff_id == office.district.clara.id))


def _left(office, session):
    session.execute(update(Staff).where(Staff.id == office.district.clara.id).values(active=False))


def _made_a_guest(office, _session):
    """Slack is asked again after ten minutes."""
    office.slack.alter_user(office.clara.id, guest=True)
    office.later(minutes=11)


def _moved_to_roosevelt(office, session):
    of_clara = update(StaffRole).where(StaffRole.staff_id == office.district.clara.id)
    session.execute(of_clara.values(school_id=office.district.roosevelt.id))


def _student_left(_office, session):
    session.execute(update(Student).values(active=False))


def knocked_after(end, door, office, scene, session):
    """What comes of a door that Clara stands at when her rights end before she presses."""
    EVERY[door][0](office.clara, scene)
    end(office, session)
    session.commit()
    return knock(office, session, lambda: EVERY[door][1](office.clara, scene))


@pytest.mark.parametrize("door", EVERY)
def test_whoever_lost_their_role_since_the_screen_was_drawn_is_an_outsider(office, scene, session, door):
    knocked = knocked_after(_role_taken, door, office, scene, session)
    assert WHOM_TO_ASK in knocked.sent
    assert knocked.is_harmless


@pytest.mark.parametrize("end", [_left, _made_a_guest])
def test_whoever_left_or_became_a_guest_with_a_dialog_open_cannot_save_it(office, scene, session, end):
    knocked = knocked_after(end, "save", office, scene, session)
    assert WHOM_TO_ASK in knocked.sent
    assert knocked.is_harmless


@pytest.mark.parametrize("door", OF_A_STUDENT)
def test_whoever_moved_to_another_school_finds_the_doors_closed_that_were_open(office, scene, session, door):
    knocked = knocked_after(_moved_to_roosevelt, door, office, scene, session)
    assert NOT_YOURS in knocked.sent
    assert knocked.is_harmless


@pytest.mark.parametrize("door", ["save", "remove, confirmed", "undo edit"])
def test_a_student_who_left_meanwhile_is_not_changed_any_more(office, scene, session, door):
    knocked = knocked_after(_student_left, door, office, scene, session)
    assert NOT_YOURS in knocked.sent
    assert knocked.is_harmless


@pytest.mark.parametrize("settings_changed", [{"editor_roles": "districtAdministrator"}])
@pytest.mark.parametrize("door", ["edit", "remove", "undo edit", "undo removal", "keep ours", "take the SIS's"])
def test_whoever_may_only_look_is_told_so_at_every_door_that_changes_something(office, scene, session, door):
    OF_A_STUDENT[door][0](office.clara, scene)
    knocked = knock(office, session, lambda: OF_A_STUDENT[door][1](office.clara, scene))
    assert "changing contacts is for other roles" in knocked.sent
    assert knocked.is_harmless
