"""Connections to the database: kept, and replaced when the other end is gone."""

import pytest
from clocks import break_line
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from bot import db


def _pid(engine):
    with db.transaction(engine) as session:
        return session.scalar(text("SELECT pg_backend_pid()"))


@pytest.fixture
def ours(database_url):
    made = db.engine(database_url, pool_size=2)
    yield made
    made.dispose()


def test_a_connection_that_went_away_meanwhile_is_replaced(ours, engine, monkeypatch):
    gone = _pid(ours)
    break_line(engine, gone)
    monkeypatch.setattr(db, "_A_MOMENT", 0.0)
    assert _pid(ours) != gone


def test_one_that_goes_away_within_a_moment_costs_one_try_and_all_others_are_replaced(ours, engine):
    with ours.connect(), ours.connect():
        pass
    gone = _pid(ours)
    break_line(engine, gone)
    with pytest.raises(OperationalError):
        [_pid(ours) for _ in range(2)]
    assert gone not in {_pid(ours) for _ in range(3)}
