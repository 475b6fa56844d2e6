"""Connections to the database: kept, and replaced when the other end is gone."""

import pytest
from sqlalchemy import Integer, Text, bindparam, func, insert, literal, select, text
from sqlalchemy.exc import DataError, OperationalError
from support.clock_processes import break_line

from bot.db import engine as db_engine
from bot.db.engine import build_engine
from bot.db.fast_rows import fetch_rows
from bot.db.models.roster import School
from bot.db.session import autocommit_session, set_local, transaction

PID = text("SELECT pg_backend_pid()")
OPEN = text("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'ours'")


def _pid(engine):
    with transaction(engine) as session:
        return session.scalar(PID)


@pytest.fixture
def ours(database_url):
    made = build_engine(f"{database_url}&application_name=ours", pool_size=2)
    yield made
    made.dispose()


def test_a_connection_that_went_away_meanwhile_is_replaced(ours, engine, monkeypatch):
    gone = _pid(ours)
    break_line(engine, gone)
    monkeypatch.setattr(db_engine, "_A_MOMENT", 0.0)
    assert _pid(ours) != gone


def test_one_that_goes_away_within_a_moment_costs_one_try_and_all_others_are_replaced(ours, engine):
    with ours.connect(), ours.connect():
        pass
    gone = _pid(ours)
    break_line(engine, gone)
    with pytest.raises(OperationalError):
        [_pid(ours) for _ in range(2)]
    assert gone not in {_pid(ours) for _ in range(3)}


NUMBERED = select(literal(7).label("number"), bindparam("word", type_=Text).label("word"))
ENDING = select(func.pg_terminate_backend(func.pg_backend_pid()).label("ended"))
SCHOOLS = select(School.name)
DIVIDING = select((1 / bindparam("number", type_=Integer)).label("quotient"))


def test_rows_are_asked_with_the_statement_s_own_values_and_those_given(engine):
    with transaction(engine) as session:
        for word in ("one", "two"):
            (row,) = fetch_rows(session, NUMBERED, {"word": word})
            assert (row.number, row.word) == (7, word)


def test_rows_without_a_value_are_refused_by_its_name(engine):
    with transaction(engine) as session, pytest.raises(KeyError, match="word"):
        fetch_rows(session, NUMBERED)


def test_what_a_session_has_not_written_yet_is_in_its_rows(session):
    session.add(School(sourced_id="O1", name="Lincoln"))
    assert [row.name for row in fetch_rows(session, SCHOOLS)] == ["Lincoln"]


@pytest.mark.parametrize("opened", [transaction, autocommit_session])
def test_rows_fail_as_sqlalchemy_does_without_a_value_in_the_error(engine, opened):
    with pytest.raises(DataError) as failed, opened(engine) as session:
        fetch_rows(session, DIVIDING, {"number": 0})
    assert failed.value.params is None
    assert not failed.value.connection_invalidated


@pytest.mark.parametrize("opened", [transaction, autocommit_session])
def test_a_line_that_breaks_while_rows_are_asked_is_not_used_again_nor_any_as_old(ours, engine, opened):
    with ours.connect() as one, ours.connect() as other:
        old = {line.scalar(PID) for line in (one, other)}
    with pytest.raises(OperationalError) as failed, opened(ours) as session:
        fetch_rows(session, ENDING)
    assert failed.value.connection_invalidated
    with ours.connect() as one, ours.connect() as other:
        assert not old & {line.scalar(PID) for line in (one, other)}


def test_lines_that_are_busy_while_one_breaks_are_replaced_when_they_are_free_and_not_added_to(ours, engine):
    for _ in range(5):
        with ours.connect() as busy:
            old = busy.scalar(PID)
            with pytest.raises(OperationalError), autocommit_session(ours) as session:
                fetch_rows(session, ENDING)
        with ours.connect() as one, ours.connect() as other:
            assert old not in {one.scalar(PID), other.scalar(PID)}
    with engine.connect() as connection:
        assert connection.scalar(OPEN) <= 4  # Two, and those that end at this moment.


def test_without_a_transaction_each_statement_stands_by_itself(empty_database):
    with autocommit_session(empty_database) as session:
        session.execute(insert(School).values(sourced_id="O1", name="Lincoln"))
        session.rollback()
    with transaction(empty_database) as session:
        assert session.scalar(select(func.count()).select_from(School)) == 1


def test_statements_stay_prepared_where_some_are_planned_with_a_setting_and_where_only_the_state_is_asked(ours):
    with autocommit_session(ours) as session:
        for _ in range(6):
            fetch_rows(session, NUMBERED, {"word": "one"})
    with autocommit_session(ours) as session:
        set_local(session, "random_page_cost = 1.5")
    with autocommit_session(ours) as session:
        prepared = session.scalars(text("SELECT statement FROM pg_prepared_statements")).all()
    assert any("AS word" in one for one in prepared)


def test_a_failed_statement_stands_in_its_error_without_its_values(engine):
    with pytest.raises(DataError, match="quotient") as failed, transaction(engine) as session:
        fetch_rows(session, DIVIDING, {"number": 0})
    assert "$1" in failed.value.statement


@pytest.mark.parametrize("opened", [transaction, autocommit_session])
def test_a_setting_of_the_planner_holds_until_the_session_ends_and_no_longer(ours, opened):
    with opened(ours) as session:
        set_local(session, "random_page_cost = 1.5")
        set_local(session, "plan_cache_mode = force_custom_plan")
        assert session.scalar(text("SHOW random_page_cost")) == "1.5"
    with opened(ours) as session:
        assert session.scalar(text("SHOW random_page_cost")) == "4"
        assert session.scalar(text("SHOW plan_cache_mode")) == "auto"
