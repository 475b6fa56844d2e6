"""The table that the database keeps is what the other tables say, whatever was written to them in whichever order."""

import re

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.orm import Session
from support import family_changes, people
from support.listed_students import expected_rows, stored_rows

from bot.db.models.listed_students import ALL_FIXED, WAITING
from bot.domain.sms_status import WORK_ORDER


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(transactions=st.lists(family_changes.transaction, min_size=1, max_size=8))
def test_rows_follow_every_change(empty_database, transactions):
    family_changes.start(empty_database)
    for changes in transactions:
        family_changes.apply(empty_database, changes)
        with empty_database.connect() as connection:
            assert stored_rows(connection) == expected_rows(connection)


def test_database_ranks_as_the_order_of_the_work(empty_database):
    """A migration holds the order as its own SQL: a new status needs another one."""
    with empty_database.connect() as connection:
        need = connection.scalar(
            text("SELECT generation_expression FROM information_schema.columns WHERE column_name = 'need'")
        )
        refresh = connection.scalar(text("SELECT string_agg(prosrc, ' ') FROM pg_proc WHERE prosrc LIKE '% worst%'"))
    assert f"(worst = {ALL_FIXED}) THEN {WAITING}" in need
    order = re.search(r"THEN (\d+)\s+ELSE array_position\(ARRAY\[(.*?)\]", refresh, re.DOTALL)
    assert int(order[1]) == ALL_FIXED
    assert re.findall(r"'(\w+)'", order[2]) == list(WORK_ORDER)


def test_two_people_change_contacts_of_one_student(empty_database):
    family_changes.start(empty_database)
    with empty_database.connect() as first, empty_database.connect() as second:
        first.execute(text("UPDATE contacts SET sis_method = 'call' WHERE id = 1"))
        second.execute(text("UPDATE contacts SET sis_method = 'call' WHERE id = 2"))
        second.commit()
        first.commit()
        assert stored_rows(first) == expected_rows(first)
        assert first.scalar(text("SELECT textable FROM listed_students WHERE student_id = 1")) == 0


def test_savepoint_that_is_rolled_back_leaves_its_changes_out(empty_database):
    family_changes.start(empty_database)
    with Session(empty_database) as session:
        with session.begin_nested() as savepoint:
            session.execute(text("UPDATE students SET grade = '6' WHERE id = 1"))
            savepoint.rollback()
        session.execute(text("UPDATE students SET grade = '7' WHERE id = 1"))
        session.commit()
        assert session.scalar(text("SELECT grade FROM listed_students WHERE student_id = 1")) == "7"


def test_many_students_at_once(session):
    for _ in range(30):
        child = people.student(session)
        people.list_contact(session, people.contact(session, child))
    session.commit()
    session.execute(text("UPDATE students SET grade = '6'"))
    session.commit()
    assert stored_rows(session.connection()) == expected_rows(session.connection())
    assert session.scalar(text("SELECT count(*) FROM listed_students WHERE grade = '6'")) == 30
