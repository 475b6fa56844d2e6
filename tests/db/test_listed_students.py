"""The table that the database keeps is what the other tables say, whatever was written to them in whichever order."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.orm import Session
from support import people
from support.listed_students import expected_rows, stored_rows

STUDENTS, CONTACTS, PHONES = (1, 2, 3), (1, 2, 3, 4), ("+13125550001", "+13125550002", "+13125550003")
student, contact, phone = st.sampled_from(STUDENTS), st.sampled_from(CONTACTS), st.sampled_from(PHONES)
status = st.sampled_from(("blocked", "landline", "inactive"))
method = st.sampled_from(("text", "call", "email"))

# A statement and the values of its parameters.
CHANGES = {
    "UPDATE students SET given_name = :name, grade = :grade, active = :active WHERE id = :student": {
        "name": st.sampled_from(("Sam", "Lea")),
        "grade": st.sampled_from((None, "K", "5", "12")),
        "active": st.booleans(),
        "student": student,
    },
    "UPDATE contacts SET sis_phone = :phone, sis_method = :method, email = :email, active = :active WHERE id = :contact": {
        "phone": st.none() | phone,
        "method": method,
        "email": st.none() | st.just("maria@home.example"),
        "active": st.booleans(),
        "contact": contact,
    },
    """
    INSERT INTO student_contacts (student_id, contact_id, active) VALUES (:student, :contact, :active)
    ON CONFLICT (student_id, contact_id) DO UPDATE SET active = :active
    """: {"student": student, "contact": contact, "active": st.booleans()},
    "DELETE FROM student_contacts WHERE student_id = :student AND contact_id = :contact": {
        "student": student,
        "contact": contact,
    },
    """
    INSERT INTO edits (contact_id, field, value, made_by, made_at)
    SELECT :contact, 'phone', CAST(:phone AS text), 'UCLARA', now()
    WHERE NOT EXISTS (SELECT FROM edits WHERE contact_id = :contact AND field = 'phone' AND state = 'pending')
    """: {"contact": contact, "phone": st.none() | phone},
    """
    INSERT INTO edits (contact_id, field, value, made_by, made_at)
    SELECT :contact, 'method', :method, 'UCLARA', now()
    WHERE NOT EXISTS (SELECT FROM edits WHERE contact_id = :contact AND field = 'method' AND state = 'pending')
    """: {"contact": contact, "method": method},
    "UPDATE edits SET state = 'undone' WHERE contact_id = :contact AND field = :field": {
        "contact": contact,
        "field": st.sampled_from(("phone", "method")),
    },
    """
    INSERT INTO removals (contact_id, student_id, reason, made_by, made_at)
    VALUES (:contact, :student, 'asked', 'UCLARA', now()) ON CONFLICT DO NOTHING
    """: {"contact": contact, "student": st.none() | student},
    "UPDATE removals SET undone_at = now() WHERE contact_id = :contact": {"contact": contact},
    """
    INSERT INTO phone_numbers (phone, status, opted_out_at)
    VALUES (:phone, :status, CASE WHEN :opted_out THEN now() END)
    ON CONFLICT (phone) DO UPDATE SET status = excluded.status, opted_out_at = excluded.opted_out_at
    """: {"phone": phone, "status": st.none() | status, "opted_out": st.booleans()},
    "DELETE FROM phone_numbers WHERE phone = :phone": {"phone": phone},
    """
    INSERT INTO cleanup_list (contact_id, status, since) VALUES (:contact, :status, now())
    ON CONFLICT (contact_id) DO UPDATE SET status = :status
    """: {"contact": contact, "status": status},
    "DELETE FROM cleanup_list WHERE contact_id = :contact": {"contact": contact},
}
change = st.one_of(
    *(st.tuples(st.just(statement), st.fixed_dictionaries(values)) for statement, values in CHANGES.items())
)
transaction = st.lists(change, min_size=1, max_size=4)


@pytest.fixture
def families(engine):
    """Replace everything by three students and four contacts, two of them listed."""

    def start():
        with engine.begin() as connection:
            connection.execute(
                text("TRUNCATE students, contacts, phone_numbers, cleanup_list, listed_students CASCADE")
            )
            connection.execute(
                text(
                    "INSERT INTO students (id, sourced_id, given_name, family_name, search, grade)"
                    " OVERRIDING SYSTEM VALUE SELECT n, 'S' || n, 'Sam', 'Rivera', '', '5' FROM unnest(:ids) AS n"
                ),
                {"ids": list(STUDENTS)},
            )
            connection.execute(
                text(
                    "INSERT INTO contacts (id, sourced_id, given_name, family_name, sis_phone)"
                    " OVERRIDING SYSTEM VALUE SELECT n, 'C' || n, 'Maria', 'Rivera', :phone FROM unnest(:ids) AS n"
                ),
                {"ids": list(CONTACTS), "phone": PHONES[0]},
            )
            connection.execute(
                text("INSERT INTO student_contacts (student_id, contact_id) VALUES (1, 1), (1, 2), (2, 2), (2, 3)")
            )
            connection.execute(
                text("INSERT INTO cleanup_list (contact_id, status, since) VALUES (1, 'blocked', now())")
            )

    return start


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(transactions=st.lists(transaction, min_size=1, max_size=8))
def test_rows_follow_every_change(empty_database, families, transactions):
    families()
    for changes in transactions:
        with empty_database.begin() as connection:
            for statement, values in changes:
                connection.execute(text(statement), values)
        with empty_database.connect() as connection:
            assert stored_rows(connection) == expected_rows(connection)


def test_two_people_change_contacts_of_one_student(empty_database, families):
    families()
    with empty_database.connect() as first, empty_database.connect() as second:
        first.execute(text("UPDATE contacts SET sis_method = 'call' WHERE id = 1"))
        second.execute(text("UPDATE contacts SET sis_method = 'call' WHERE id = 2"))
        second.commit()
        first.commit()
        assert stored_rows(first) == expected_rows(first)
        assert first.scalar(text("SELECT textable FROM listed_students WHERE student_id = 1")) == 0


def test_savepoint_that_is_rolled_back_leaves_its_changes_out(empty_database, families):
    families()
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
