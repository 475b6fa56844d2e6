"""A district whose list is not empty, written into an empty database: `python listed_district.py DATABASE_URL STUDENTS`.

For each student 2.5 contacts; for eight students one contact on the list. Of 1,000,000 students, 25,000 have every contact on it.
Tina teaches a class of 25, Clara works in the office of a school of 650, Paula is its principal, and Dana manages the district.
"""

import sys
from datetime import UTC, datetime, timedelta

from sqlalchemy import text
from support import people

from bot.cleanup_list.membership import refresh_entry_names
from bot.db.engine import build_engine
from bot.db.models.all_tables import METADATA
from bot.db.models.roster import School, SyncRun
from bot.db.models.slack import SlackUser
from bot.db.session import transaction

SYLLABLES = "ba ce di fo gu ha je ki lo mu na pe ri so tu va we xi yo zu"
OF_A_SCHOOL = 650
CLERKS = ("UCLARA", *(f"UCLERK{number}" for number in range(1, 50)))
CHANGES = 12_000
DELIVERIES_FOR_A_STUDENT = 1

# Twenty syllables make 400 given names of two and 8,000 family names of three.
_NAMED = """
CREATE TEMPORARY TABLE named ON COMMIT DROP AS
SELECT n, initcap(s[n % 20 + 1] || s[n / 20 % 20 + 1]) AS given,
       initcap(s[n * 7 % 20 + 1] || s[n * 3 / 20 % 20 + 1] || s[n / 400 % 20 + 1]) AS family
FROM generate_series(1, CAST(:contacts AS bigint)) AS n, string_to_array(:syllables, ' ') AS s
"""
_SCHOOLS = (
    "INSERT INTO schools (sourced_id, name) SELECT 'O' || n, 'School ' || n FROM generate_series(1, :schools) AS n"
)
_STUDENTS = """
INSERT INTO students (sourced_id, given_name, family_name, search, grade)
SELECT 'S' || n, given, family, lower(given || ' ' || family), (n * 7919 % 10007 % 12 + 1)::text FROM named WHERE n <= :students
"""
_AT_SCHOOL = """
INSERT INTO student_schools (student_id, school_id)
SELECT s.id, o.id FROM students s JOIN schools o ON o.sourced_id = 'O' || ((s.id - 1) / 650 + 1)
"""
_CLASSES = """
INSERT INTO classes (sourced_id, school_id, title, homeroom)
SELECT 'K' || n, (n * 25 - 1) / 650 + 1, 'Homeroom ' || n, true FROM generate_series(1, :students / 25) AS n
"""
_STAFF = """
INSERT INTO staff (sourced_id, given_name, family_name, email)
SELECT 'T' || n, given, family, 't' || n || '@district.example' FROM named WHERE n <= :students / 25
"""
_ROLES = """
INSERT INTO staff_roles (staff_id, school_id, role)
SELECT s.id, (s.id * 25 - 1) / 650 + 1, 'teacher' FROM staff s
"""
_TEACHING = """
INSERT INTO class_teachers (sourced_id, class_id, staff_id, is_primary)
SELECT 'ET' || n, c.id, t.id, true FROM generate_series(1, :students / 25) AS n
JOIN classes c ON c.sourced_id = 'K' || n JOIN staff t ON t.sourced_id = 'T' || n
"""
_LEARNING = """
INSERT INTO class_students (sourced_id, class_id, student_id)
SELECT 'ES' || s.id, c.id, s.id FROM students s JOIN classes c ON c.sourced_id = 'K' || ((s.id - 1) / 25 + 1)
"""
# One of 50 gets calls, one of 200 has no number.
_CONTACTS = """
INSERT INTO contacts (sourced_id, given_name, family_name, sis_phone, sis_method)
SELECT 'C' || n, given, family, CASE WHEN n % 200 <> 7 THEN '+1' || 3120000000 + n END,
       CASE WHEN n % 50 = 9 THEN 'call' ELSE 'text' END
FROM named
"""
# Two students have five contacts between them, three and two; one contact of 20 has a second child, in the next class.
_LINKS = """
INSERT INTO student_contacts (student_id, contact_id, relationship, priority)
SELECT (id - 1) * 2 / 5 + 1, id, 'parent', 1 FROM contacts WHERE (id - 1) * 2 / 5 + 1 <= :students
UNION ALL
SELECT (id - 1) * 2 / 5 + 26, id, 'parent', 2 FROM contacts WHERE id % 20 = 3 AND (id - 1) * 2 / 5 + 26 <= :students
"""
# The contacts of every 40th student, and one of 45 of the others.
_NUMBERS = """
INSERT INTO phone_numbers (phone, status, since)
SELECT sis_phone, (ARRAY['blocked', 'landline', 'turned_off', 'unconfirmed', 'inactive'])[id * 7919 % 10007 % 5 + 1], now()
FROM contacts WHERE sis_phone IS NOT NULL AND (((id - 1) * 2 / 5) % 40 = 0 OR id % 45 = 0)
"""
_LISTED = """
INSERT INTO cleanup_list (contact_id, status, phone, since)
SELECT c.id, coalesce(p.status, 'no_number'), p.phone, now()
FROM contacts c LEFT JOIN phone_numbers p ON p.phone = c.sis_phone
WHERE c.sis_method = 'text' AND (p.phone IS NOT NULL OR c.sis_phone IS NULL)
"""
_MESSAGE = """
INSERT INTO mass_messages (id, title, sent_at, settles_at, settled_at) VALUES ('snow', 'Snow day', now(), now(), now())
"""
# The list as this message left it: one of five contacts joined, and as many left it.
_MOVES = """
INSERT INTO list_changes (mass_message_id, contact_id, move, before, after, fixed_by)
SELECT 'snow', contact_id, 'joined', NULL, status, NULL FROM cleanup_list WHERE contact_id % 5 = 0
UNION ALL
SELECT 'snow', contact_id + 1, 'left', status, NULL, NULL FROM cleanup_list WHERE contact_id % 5 = 2
ON CONFLICT DO NOTHING
"""
_DELIVERIES = """
INSERT INTO deliveries (mass_message_id, contact_sourced_id, phone, provider, provider_id, outcome, final_at)
SELECT 'snow', c.sourced_id, c.sis_phone, 'twilio', 'SM' || c.id, coalesce(n.status, 'delivered'), now()
FROM contacts c LEFT JOIN phone_numbers n ON n.phone = c.sis_phone
WHERE c.sis_phone IS NOT NULL AND c.sis_method = 'text' AND c.id <= :students
"""
# Changes that the SIS does not have: two of three are numbers, the others removals; a hundred are Dana's.
_EDITS = """
INSERT INTO edits (contact_id, field, base, value, state, made_by, made_at)
SELECT contact_id, 'phone', phone, '+1' || 6300000000 + contact_id, CASE WHEN turn % 40 = 0 THEN 'conflict' ELSE 'pending' END,
       CASE WHEN turn <= 100 THEN 'UDANA' ELSE 'UCLERK' || turn % 49 + 1 END, now() - turn * interval '1 minute'
FROM (
    SELECT *, row_number() OVER (ORDER BY contact_id * 7919 % 10007, contact_id) AS turn FROM cleanup_list WHERE phone IS NOT NULL
) e WHERE turn <= :edits
"""
_MARKED = """
UPDATE cleanup_list e SET updated_at = d.made_at, updated_by = d.made_by FROM edits d WHERE d.contact_id = e.contact_id
"""
_REMOVALS = """
INSERT INTO removals (contact_id, student_id, reason, made_by, made_at)
SELECT contact_id, CASE WHEN turn % 2 = 0 THEN (contact_id - 1) * 2 / 5 + 1 END, 'has moved away',
       'UCLERK' || turn % 49 + 1, now() - turn * interval '1 minute'
FROM (
    SELECT *, row_number() OVER (ORDER BY contact_id * 7919 % 10007, contact_id) AS turn FROM cleanup_list
    WHERE contact_id NOT IN (SELECT contact_id FROM edits)
) e WHERE turn <= :removals
"""
_ALL = (
    *(_NAMED, _SCHOOLS, _STUDENTS, _AT_SCHOOL, _CLASSES, _STAFF, _ROLES, _TEACHING, _LEARNING),
    *(_CONTACTS, _LINKS, _NUMBERS, _LISTED, _MESSAGE, _MOVES, _DELIVERIES, _EDITS, _MARKED, _REMOVALS),
)


def build(engine, students):
    """Replace everything in a database by a district of so many students."""
    sizes = {"students": students, "contacts": students * 5 // 2, "schools": -(-students // OF_A_SCHOOL)}
    changes = min(CHANGES, students * 12 // 1000)
    with engine.begin() as connection:
        tables = ", ".join(f'"{table.name}"' for table in METADATA.sorted_tables)
        connection.execute(text(f"TRUNCATE {tables} RESTART IDENTITY CASCADE"))
    with transaction(engine) as session:
        values = {**sizes, "syllables": SYLLABLES, "edits": changes * 2 // 3, "removals": changes // 3}
        for statement in _ALL:
            session.execute(text(statement), values)
        _add_people(session)
        session.add(SyncRun(source="x", started_at=people.NOW, finished_at=people.NOW, state="done"))
    _vacuum(engine)
    with engine.begin() as connection:
        refresh_entry_names(connection)
    _vacuum(engine)


def _add_people(session):
    schools = session.query(School).order_by(School.id).limit(len(CLERKS)).all()
    emails = {
        user_id: people.staff(session, "Clara", f"Clerk {school.id}", role="siteAdministrator", at=school).email
        for user_id, school in zip(CLERKS, schools, strict=False)
    }
    emails["UPAULA"] = people.staff(session, "Paula", "Principal", role="principal", at=schools[0]).email
    emails["UDANA"] = people.staff(session, "Dana", "Diaz", role="districtAdministrator").email
    emails["UTINA"] = "t2@district.example"
    later = datetime(2100, 1, 1, tzinfo=UTC)
    for user_id, email in emails.items():
        session.add(SlackUser(user_id=user_id, email=email, full_member=True, checked_at=later))
    visited = datetime.now(UTC) - timedelta(days=2)
    session.execute(
        text("INSERT INTO home_tabs (user_id, filter_text, looked_at, opened_at) VALUES (:user, 'all', :at, :at)"),
        [{"user": user_id, "at": visited} for user_id in emails],
    )


def _vacuum(engine):
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))


if __name__ == "__main__":
    build(build_engine(sys.argv[1]), int(sys.argv[2]))
