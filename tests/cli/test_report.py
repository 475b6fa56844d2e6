"""`cleanup-bot report`: the newest scores for people and for programs."""

import json
from zoneinfo import ZoneInfo

import pytest
from support import people
from support.command_line import is_one_readable_line

from bot.db.session import transaction
from bot.reachability.record import record_scores


@pytest.fixture
def scored(empty_database):
    with transaction(empty_database) as session:
        lincoln, roosevelt = people.school(session), people.school(session, "Roosevelt High")
        people.contact(session, people.student(session, at=lincoln))
        people.student(session, grade="K", at=lincoln)
        people.student(session, grade="9", at=roosevelt)
        record_scores(session, people.TODAY, zone=ZoneInfo("America/Chicago"), reachable_days=120)


def groups(done):
    return [(group["kind"], group["name"], group["score"]["textable"]) for group in json.loads(done.stdout)["groups"]]


def test_json_has_the_district_and_its_schools(run, scored):
    done = run("report", "--json")
    assert json.loads(done.stdout)["day"] == "2026-11-23"
    assert groups(done) == [
        ("district", "All schools", 1),
        ("school", "Lincoln Elementary", 1),
        ("school", "Roosevelt High", 0),
    ]


def test_options_choose_a_school_and_a_kind(run, scored):
    assert groups(run("report", "--json", "--school", "lincoln")) == [
        ("school", "Lincoln Elementary", 1),
        ("grade", "Kindergarten", 0),
        ("grade", "Grade 5", 1),
    ]
    assert groups(run("report", "--json", "--kind", "grade", "--school", "Roosevelt")) == [("grade", "Grade 9", 0)]


def test_table_is_for_people(run, scored):
    lines = run("report").stdout.splitlines()
    assert lines[0] == "Scores of November 23, 2026"
    assert lines[1].split()[:4] == ["students", "can", "be", "texted"]
    assert [line.split()[:4] for line in lines[2:4]] == [
        ["All", "schools", "3", "33%"],
        ["Lincoln", "Elementary", "2", "50%"],
    ]


@pytest.mark.parametrize("options", [(), ("--school", "Nowhere")])
def test_missing_scores_or_school_is_one_readable_line(run, empty_database, options):
    done = run("report", *options)
    assert (done.returncode, is_one_readable_line(done.stderr)) == (1, True)


def test_past_day_without_scores_is_counted_once(run, scored):
    assert run("report", "--count", "2026-11-20").returncode == 0
    again = run("report", "--count", "2026-11-20")
    assert (again.returncode, "has scores" in again.stderr) == (1, True)
    assert "is not over" in run("report", "--count", "2099-01-01").stderr
