"""The weekly report: when it is due, and what a channel may read."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select
from support import people

from bot.db.models.slack import WeeklyPost
from bot.digests.weekly import enqueue_weekly, load_weekly, subscribe_weekly, unsubscribe_weekly
from bot.reachability.record import record_scores

ZONE = ZoneInfo("America/Chicago")
MONDAY = date(2026, 11, 23)
HOUR = timedelta(hours=1)


def at(day, hour, minute=0):
    return datetime.combine(day, datetime.min.time(), tzinfo=ZONE).replace(hour=hour, minute=minute).astimezone(UTC)


def subscribe(session, channel="C1", *, now=people.NOW - timedelta(days=7), school_id=None):
    return subscribe_weekly(session, channel, school_id=school_id, actor="UCLARA", now=now)


def enqueue(session, now):
    return enqueue_weekly(session, now=now, zone=ZONE)


@pytest.mark.parametrize(
    ("now", "number"),
    [
        (at(MONDAY, 7, 59), 0),
        (at(MONDAY, 8), 1),
        (at(MONDAY, 23, 59), 1),
        (at(MONDAY + timedelta(days=1), 8), 0),
        (at(MONDAY - timedelta(days=1), 8), 0),
        (at(date(2026, 3, 9), 8), 1),  # The day after the clocks went forward.
    ],
)
def test_report_is_due_on_mondays_from_eight(session, now, number):
    subscribe(session, now=now - timedelta(days=7))
    assert enqueue(session, now) == number


def test_report_is_due_once_a_week(session):
    subscribe(session)
    assert [enqueue(session, at(MONDAY, hour)) for hour in (8, 9, 20)] == [1, 0, 0]
    assert enqueue(session, at(MONDAY + timedelta(days=7), 8)) == 1


def test_channel_that_subscribes_on_monday_waits_a_week(session):
    subscribe(session, now=at(MONDAY, 8, 30))
    assert enqueue(session, at(MONDAY, 9)) == 0
    assert enqueue(session, at(MONDAY + timedelta(days=7), 8)) == 1


def test_new_subscription_of_the_same_day_does_not_post_again(session):
    subscribe(session)
    enqueue(session, at(MONDAY, 8))
    unsubscribe_weekly(session, "C1", actor="UCLARA", now=at(MONDAY, 9))
    assert session.scalars(select(WeeklyPost)).all() == []
    subscribe(session, now=at(MONDAY, 9))
    assert enqueue(session, at(MONDAY, 10)) == 0


def test_changed_school_counts_from_the_next_report_on(session, district):
    assert subscribe(session)
    assert not subscribe(session)
    assert subscribe(session, school_id=district.lincoln.id)
    enqueue(session, at(MONDAY, 8))
    assert session.scalars(select(WeeklyPost.school_id)).all() == [district.lincoln.id]


def add_students(session, school, number, *, grade="5", textable=True):
    for _ in range(number):
        student = people.student(session, grade=grade, at=school)
        if textable:
            people.contact(session, student)


def count(session):
    record_scores(session, people.TODAY, zone=ZONE, reachable_days=120)


def test_small_group_is_hidden(session, district):
    add_students(session, district.lincoln, 9)
    count(session)
    assert load_weekly(session, district.lincoln.id).is_hidden
    assert load_weekly(session, None).is_hidden
    add_students(session, district.lincoln, 1)
    count(session)
    assert not load_weekly(session, district.lincoln.id).is_hidden


def test_small_school_cannot_be_worked_out_from_the_others(session, district):
    schools = [people.school(session, f"School {number}") for number in range(3)]
    for school, number in zip(schools, (9, 20, 30), strict=True):
        add_students(session, school, number, textable=number == 9)
    count(session)
    assert [part.name for part in load_weekly(session, None).parts] == ["School 2"]


def test_parts_are_those_with_the_lowest_shares(session, district):
    for grade in ("1", "2", "3"):
        add_students(session, district.lincoln, 10, grade=grade, textable=grade != "2")
    add_students(session, district.lincoln, 5, grade="1", textable=False)
    count(session)
    parts = load_weekly(session, district.lincoln.id).parts
    assert [part.name for part in parts] == ["Grade 2", "Grade 1", "Grade 3"]


@pytest.mark.parametrize(("without_grade", "number"), [(0, 2), (1, 0), (9, 0), (10, 2)])
def test_few_students_in_no_part_cannot_be_worked_out(session, district, without_grade, number):
    for grade in ("1", "2"):
        add_students(session, district.lincoln, 12, grade=grade)
    add_students(session, district.lincoln, without_grade, grade=None)
    count(session)
    report = load_weekly(session, district.lincoln.id)
    assert report.group.score.students == 24 + without_grade
    assert len(report.parts) == number


def test_few_students_at_a_closed_school_cannot_be_worked_out(session, district):
    schools = [people.school(session, f"School {number}") for number in range(3)]
    for school in schools:
        add_students(session, school, 20 if school.name != "School 2" else 4)
    schools[2].active = False
    count(session)
    assert load_weekly(session, None).parts == ()


@pytest.mark.parametrize(("then", "is_compared"), [(9, False), (10, True)])
def test_score_of_a_group_that_was_small_is_not_compared(session, district, then, is_compared):
    add_students(session, district.lincoln, then)
    record_scores(session, people.TODAY - timedelta(weeks=4), zone=ZONE, reachable_days=120)
    add_students(session, district.lincoln, 10)
    count(session)
    for school_id in (district.lincoln.id, None):
        assert (load_weekly(session, school_id).group.before is not None) == is_compared


def test_report_waits_for_the_first_scores(session, district):
    assert load_weekly(session, None) is None
