"""Who sees which groups, and what is read of their scores."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text
from support import edits, people
from support import mass_messages as messages

from bot.access.rights import AccessLevel
from bot.db.models.slack import SlackUser
from bot.reachability.history import (
    find_schools,
    load_fixed_by,
    load_groups,
    load_history,
    thin_out,
)
from bot.reachability.record import record_scores
from bot.reachability.score import DayScore, Group, GroupKind, Score, percent

DAY = timedelta(days=1)
SETTINGS = {"zone": ZoneInfo("America/Chicago"), "reachable_days": 120}


@pytest.fixture
def scored(session, district):
    """Sam of grade 5 has an adult, Kim of kindergarten none, both with Ana at Lincoln; Max is at Roosevelt. Scores of two days."""
    sam = people.student(session, "Sam", at=district.lincoln)
    kim = people.student(session, "Kim", grade="K", at=district.lincoln)
    people.student(session, "Max", grade="9", at=district.roosevelt)
    people.school_class(session, district.ana, district.lincoln, sam, kim)
    record_scores(session, people.TODAY - 30 * DAY, **SETTINGS)
    sam.contact = people.contact(session, sam)
    record_scores(session, people.TODAY, **SETTINGS)
    return sam


def names(groups):
    return [(group.name, group.school, group.score.students) for group in groups]


def test_district_manager_sees_every_group(session, scored, dana):
    assert names(load_groups(session, GroupKind.DISTRICT, actor=dana)) == [("All schools", None, 3)]
    assert names(load_groups(session, GroupKind.SCHOOL, actor=dana)) == [
        ("Lincoln Elementary", None, 2),
        ("Roosevelt High", None, 1),
    ]
    assert names(load_groups(session, GroupKind.GRADE, actor=dana)) == [
        ("Kindergarten", "Lincoln Elementary", 1),
        ("Grade 5", "Lincoln Elementary", 1),
        ("Grade 9", "Roosevelt High", 1),
    ]
    assert names(load_groups(session, GroupKind.TEACHER, actor=dana)) == [("Ana García", "Lincoln Elementary", 2)]


def test_groups_of_one_school(session, scored, dana, district):
    groups = load_groups(session, GroupKind.GRADE, actor=dana, school_id=district.roosevelt.id)
    assert names(groups) == [("Grade 9", "Roosevelt High", 1)]


def test_clerk_sees_groups_of_their_school_only(session, scored, clara):
    assert load_groups(session, GroupKind.DISTRICT, actor=clara) == ()
    assert names(load_groups(session, GroupKind.SCHOOL, actor=clara)) == [("Lincoln Elementary", None, 2)]
    assert [group.name for group in load_groups(session, GroupKind.GRADE, actor=clara)] == ["Kindergarten", "Grade 5"]
    assert [group.name for group in load_groups(session, GroupKind.TEACHER, actor=clara)] == ["Ana García"]


def test_teacher_sees_only_the_group_of_their_own_students(session, scored, district):
    ana, tom = (people.actor_of(person, level=AccessLevel.CLASSES) for person in (district.ana, district.tom))
    assert [load_groups(session, kind, actor=ana) for kind in list(GroupKind)[:3]] == [(), (), ()]
    assert names(load_groups(session, GroupKind.TEACHER, actor=ana)) == [("Ana García", "Lincoln Elementary", 2)]
    assert load_groups(session, GroupKind.TEACHER, actor=tom) == ()


def test_group_has_its_score_of_some_weeks_before(session, scored, dana):
    (whole,) = load_groups(session, GroupKind.DISTRICT, actor=dana)
    assert (whole.score.textable, whole.before.textable) == (1, 0)
    (whole,) = load_groups(session, GroupKind.DISTRICT, actor=dana, weeks=5)
    assert whole.before is None


def test_history_has_the_days_with_scores(session, scored):
    history = load_history(session, Group(GroupKind.DISTRICT), since=people.TODAY - 40 * DAY)
    assert [(each.day, each.score.textable) for each in history] == [
        (people.TODAY - 30 * DAY, 0),
        (people.TODAY, 1),
    ]
    assert load_history(session, Group(GroupKind.SCHOOL, -1), since=people.TODAY - 40 * DAY) == ()


def test_history_is_empty_before_the_first_score(session, dana):
    assert load_history(session, Group(GroupKind.DISTRICT), since=people.TODAY) == ()
    assert load_groups(session, GroupKind.SCHOOL, actor=dana) == ()


@pytest.mark.parametrize("number", [0, 1, 19, 20, 21, 56, 365])
def test_thinned_out_history_keeps_both_ends(number):
    days = [DayScore(people.TODAY + each * DAY, Score(*[each] * 8)) for each in range(number)]
    kept = thin_out(days)
    assert len(kept) == min(number, 20)
    assert sorted(set(kept), key=lambda each: each.day) == list(kept)
    assert (kept[:1], kept[-1:]) == (tuple(days[:1]), tuple(days[-1:]))


@pytest.mark.parametrize(
    ("part", "whole", "share"), [(0, 0, 100), (0, 9, 0), (1, 1000, 1), (999, 1000, 99), (9, 9, 100), (1, 2, 50)]
)
def test_share_is_all_or_none_only_if_it_is(part, whole, share):
    assert percent(part, whole) == share


def test_fixes_of_the_month_are_counted_by_person(session, district, scored, dana, clara):
    now = people.NOW
    session.add(SlackUser(user_id=clara.user_id, email=clara.email, full_member=True, checked_at=now))
    maria = scored.contact
    otto = people.contact(session, scored, given="Otto")
    messages.send(session, {maria: "blocked", otto: "blocked"}, now=now - 3 * DAY)
    edits.change(session, maria, phone="+13125550142", actor=clara, now=now - 2 * DAY)
    edits.change(session, otto, phone="+13125550143", actor=clara, now=now - 2 * DAY)
    delivery = messages.a_delivery(maria, to="+13125550142")
    messages.register(session, messages.a_message(delivery, sent_at=now, message_id="m2"), now=now)
    messages.report(session, delivery["provider_id"], now=now)
    messages.settle_message(session, "m2", now=now)
    session.flush()
    (fixer,) = load_fixed_by(session, actor=dana, since=now - 20 * DAY)
    assert (fixer.user_id, fixer.name, fixer.contacts) == (clara.user_id, "Clara Clerk", 2)
    assert load_fixed_by(session, actor=dana, since=now + DAY) == ()
    elsewhere = people.actor_of(district.tom, level=AccessLevel.SCHOOLS, at=(district.roosevelt,))
    assert load_fixed_by(session, actor=elsewhere, since=now - 20 * DAY) == ()


def test_school_is_found_by_words_and_by_its_whole_name(session, district):
    people.school(session, "Lincoln Elementary Annex")
    assert [school.name for school in find_schools(session, "lincoln")] == [
        "Lincoln Elementary",
        "Lincoln Elementary Annex",
    ]
    assert [school.name for school in find_schools(session, "Lincoln Elementary")] == ["Lincoln Elementary"]


def test_view_for_other_applications_has_the_newest_day(session, scored):
    rows = session.execute(text("SELECT * FROM reachability WHERE kind = 'school' ORDER BY school")).mappings().all()
    assert [(row["day"], row["school"], row["students"], row["textable"]) for row in rows] == [
        (people.TODAY, "Lincoln Elementary", 2, 1),
        (people.TODAY, "Roosevelt High", 1, 0),
    ]
    (teacher,) = session.execute(text("SELECT * FROM reachability WHERE kind = 'teacher'")).mappings()
    assert (teacher["staff_sourced_id"] is not None, teacher["grade"]) == (True, None)
