"""Connections to the database: kept, and replaced after the server closed them; and rows fetched without SQLAlchemy's execution."""

import pytest
from sqlalchemy import Integer, Text, bindparam, func, insert, literal, select, text
from sqlalchemy.exc import DataError, OperationalError
from support.clock_processes import break_connection

from bot.db.engine import build_engine
from bot.db.models.roster import School
from bot.db.session import autocommit_session, fetch_rows, set_local, transaction

PID = text("SELECT pg_backend_pid()")
CONNECTIONS = text("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'ours'")
LABELED = select(literal(7).label("number"), bindparam("word", type_=Text).label("word"))
TERMINATE = select(func.pg_terminate_backend(func.pg_backend_pid()).label("ended"))
SCHOOLS = select(School.name)
DIVISION = select((1 / bindparam("number", type_=Integer)).label("quotient"))


@pytest.fixture
def ours(database_url):
    """An engine of its own, with two connections."""
    ours = build_engine(f"{database_url}&application_name=ours", pool_size=2)
    yield ours
    ours.dispose()


def pid_of(engine):
    with transaction(engine) as session:
        return session.scalar(PID)


def pool_pids(engine):
    """Return the process ids of both connections of the pool."""
    with engine.connect() as first, engine.connect() as second:
        return {first.scalar(PID), second.scalar(PID)}


def test_lost_connection_is_replaced_before_use(ours, engine):
    lost = pid_of(ours)
    break_connection(engine, lost)
    assert pid_of(ours) != lost


def test_fetched_rows_use_the_values_of_the_statement_and_given_ones(engine):
    with transaction(engine) as session:
        for word in ("one", "two"):
            (row,) = fetch_rows(session, LABELED, {"word": word})
            assert (row.number, row.word) == (7, word)


def test_missing_value_is_named_in_the_error(engine):
    with transaction(engine) as session, pytest.raises(KeyError, match="word"):
        fetch_rows(session, LABELED)


def test_fetched_rows_include_what_the_session_has_not_flushed(session):
    session.add(School(sourced_id="O1", name="Lincoln"))
    assert [row.name for row in fetch_rows(session, SCHOOLS)] == ["Lincoln"]


@pytest.mark.parametrize("opened", [transaction, autocommit_session])
def test_error_of_fetched_rows_holds_no_value(engine, opened):
    with pytest.raises(DataError) as failed, opened(engine) as session:
        fetch_rows(session, DIVISION, {"number": 0})
    assert failed.value.params is None
    assert not failed.value.connection_invalidated


def test_error_of_fetched_rows_holds_the_statement(engine):
    with pytest.raises(DataError, match="quotient") as failed, transaction(engine) as session:
        fetch_rows(session, DIVISION, {"number": 0})
    assert "$1" in failed.value.statement


@pytest.mark.parametrize("opened", [transaction, autocommit_session])
def test_connection_that_breaks_is_replaced_with_all_older_ones(ours, opened):
    old = pool_pids(ours)
    with pytest.raises(OperationalError) as failed, opened(ours) as session:
        fetch_rows(session, TERMINATE)
    assert failed.value.connection_invalidated
    assert not old & pool_pids(ours)


def test_connection_busy_during_a_break_is_replaced_once_free(ours, engine):
    for _ in range(5):
        with ours.connect() as busy:
            old = busy.scalar(PID)
            with pytest.raises(OperationalError), autocommit_session(ours) as session:
                fetch_rows(session, TERMINATE)
        assert old not in pool_pids(ours)
    with engine.connect() as connection:
        assert connection.scalar(CONNECTIONS) <= 4  # Two, and those that end at this moment.


def test_autocommit_session_commits_each_statement(empty_database):
    with autocommit_session(empty_database) as session:
        session.execute(insert(School).values(sourced_id="O1", name="Lincoln"))
        session.rollback()
    with transaction(empty_database) as session:
        assert session.scalar(select(func.count()).select_from(School)) == 1


def test_statements_stay_prepared_across_sessions_and_local_settings(ours):
    with autocommit_session(ours) as session:
        for _ in range(6):
            fetch_rows(session, LABELED, {"word": "one"})
    with autocommit_session(ours) as session:
        set_local(session, "random_page_cost = 1.5")
    with autocommit_session(ours) as session:
        prepared = session.scalars(text("SELECT statement FROM pg_prepared_statements")).all()
    assert any("AS word" in statement for statement in prepared)


@pytest.mark.parametrize("opened", [transaction, autocommit_session])
def test_local_setting_ends_with_its_session(ours, opened):
    with opened(ours) as session:
        set_local(session, "random_page_cost = 1.5")
        set_local(session, "plan_cache_mode = force_custom_plan")
        assert session.scalar(text("SHOW random_page_cost")) == "1.5"
    with opened(ours) as session:
        assert session.scalar(text("SHOW random_page_cost")) == "4"
        assert session.scalar(text("SHOW plan_cache_mode")) == "auto"
