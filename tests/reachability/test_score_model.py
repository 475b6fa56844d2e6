"""The stored scores of any group equal those of a model in plain Python, after random changes.

`HISTORIES=10000` for a long run; the suite does thirty.
"""

import os
from datetime import timedelta
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text
from support import people, score_model

from bot.db.models.roster import Student, StudentSchool
from bot.db.models.scores import ReachabilityScore
from bot.reachability.count import NUMBERS, count_of, window_of
from bot.reachability.record import record_scores
from bot.reachability.score import Group, GroupKind, Score

HISTORIES = int(os.environ.get("HISTORIES", "30"))
CHICAGO = ZoneInfo("America/Chicago")
WEEK = {"zone": CHICAGO, "reachable_days": 7}
NONE = Score(*[0] * len(NUMBERS))
days = st.sampled_from([0, 0, 0, 1, 6, 30])


def stored_scores(session, day):
    rows = session.scalars(select(ReachabilityScore).where(ReachabilityScore.day == day))
    return {
        Group(GroupKind(row.kind), row.school_id or None, row.grade or None, row.staff_id or None): Score(
            *(getattr(row, name) for name in NUMBERS)
        )
        for row in rows
    }


def students_at(session, school_id):
    at_school = select(StudentSchool.student_id).where(StudentSchool.school_id == school_id)
    return session.scalars(select(Student.id).where(Student.active, Student.id.in_(at_school))).all()


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    max_examples=HISTORIES,
    deadline=None,
)
@given(histories=st.lists(st.lists(score_model.change, min_size=1, max_size=8), min_size=1, max_size=3), ago=days)
def test_scores_are_those_of_the_model(session, histories, ago):
    day = people.TODAY - timedelta(days=ago)
    savepoint = session.begin_nested()
    score_model.start(session.connection())
    for changes in histories:
        for statement, values in changes:
            session.execute(text(statement), values)
        expected = score_model.expected_scores(session, day, **WEEK)
        assert record_scores(session, day, **WEEK) == len(expected)
        assert stored_scores(session, day) == expected
        school = count_of(session, students_at(session, 1), window_of(day, **WEEK))
        assert school == expected.get(Group(GroupKind.SCHOOL, 1), NONE)
    savepoint.rollback()
    session.expunge_all()
