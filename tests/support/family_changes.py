"""Random changes to a few families, as SQL, to compare what is kept or computed in two ways.

Three students of one school; four contacts, two of them linked to two students, and one on the list.
"""

from hypothesis import strategies as st
from sqlalchemy import text
from support.empty_tables import empty_tables

STUDENTS, CONTACTS, PHONES = (1, 2, 3), (1, 2, 3, 4), ("+13125550001", "+13125550002", "+13125550003")
student, contact, phone = st.sampled_from(STUDENTS), st.sampled_from(CONTACTS), st.sampled_from(PHONES)
status = st.sampled_from(("blocked", "landline", "inactive", "wrong_person", "opt_out"))
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
    INSERT INTO phone_numbers (phone, status, opted_out_at, wrong_person_at)
    VALUES (:phone, :status, CASE WHEN :opted_out THEN now() END, CASE WHEN :wrong_person THEN now() END)
    ON CONFLICT (phone) DO UPDATE SET
        status = excluded.status, opted_out_at = excluded.opted_out_at, wrong_person_at = excluded.wrong_person_at
    """: {"phone": phone, "status": st.none() | status, "opted_out": st.booleans(), "wrong_person": st.booleans()},
    """
    INSERT INTO phone_numbers (phone, noted) VALUES (:phone, :noted)
    ON CONFLICT (phone) DO UPDATE SET noted = excluded.noted
    """: {"phone": phone, "noted": st.none() | st.sampled_from(("refused", "dead", "impossible"))},
    "DELETE FROM phone_numbers WHERE phone = :phone": {"phone": phone},
    "INSERT INTO tried_numbers (contact_id, phone) VALUES (:contact, :phone) ON CONFLICT DO NOTHING": {
        "contact": contact,
        "phone": phone,
    },
    """
    INSERT INTO tried_numbers (contact_id, phone, proved_at) SELECT id, coalesce(:phone, sis_phone), now() FROM contacts
    WHERE id = :contact AND coalesce(:phone, sis_phone) IS NOT NULL
    ON CONFLICT (contact_id, phone) DO UPDATE SET proved_at = now()
    """: {"contact": contact, "phone": st.none() | phone},
    "UPDATE tried_numbers SET proved_at = NULL WHERE phone = :phone": {"phone": phone},
    """
    INSERT INTO cleanup_list (contact_id, status, since) VALUES (:contact, :status, now())
    ON CONFLICT (contact_id) DO UPDATE SET status = :status
    """: {"contact": contact, "status": status},
    "DELETE FROM cleanup_list WHERE contact_id = :contact": {"contact": contact},
    "UPDATE cleanup_list SET updated_at = now() WHERE contact_id = :contact": {"contact": contact},
    "UPDATE cleanup_list SET updated_at = NULL WHERE contact_id = :contact": {"contact": contact},
}
change = st.one_of(
    *(st.tuples(st.just(statement), st.fixed_dictionaries(values)) for statement, values in CHANGES.items())
)
transaction = st.lists(change, min_size=1, max_size=4)

FAMILIES = f"""
INSERT INTO schools (id, sourced_id, name) OVERRIDING SYSTEM VALUE VALUES (1, 'O1', 'Lincoln');
INSERT INTO students (id, sourced_id, given_name, family_name, search, grade)
OVERRIDING SYSTEM VALUE SELECT n, 'S' || n, 'Sam', 'Rivera', 'sam rivera', '5' FROM generate_series(1, 3) AS n;
INSERT INTO student_schools (school_id, student_id) VALUES (1, 1), (1, 2), (1, 3);
INSERT INTO contacts (id, sourced_id, given_name, family_name, sis_phone)
OVERRIDING SYSTEM VALUE SELECT n, 'C' || n, 'Maria', 'Rivera', '{PHONES[0]}' FROM generate_series(1, 4) AS n;
INSERT INTO student_contacts (student_id, contact_id) VALUES (1, 1), (1, 2), (2, 2), (2, 3);
INSERT INTO cleanup_list (contact_id, status, since) VALUES (1, 'blocked', now());
"""


def start(engine):
    """Replace everything by the families."""
    empty_tables(engine)
    with engine.begin() as connection:
        connection.execute(text(FAMILIES))


def apply(engine, changes):
    """Apply changes, drawn from `transaction`, in one transaction."""
    with engine.begin() as connection:
        for statement, values in changes:
            connection.execute(text(statement), values)
