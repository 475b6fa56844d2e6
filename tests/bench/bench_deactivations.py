"""A carriers' file of 100,000 numbers against 1,000,000 contacts: seconds and memory, as a share of known numbers grows."""

import resource
import time
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import text

from bot.db.session import transaction
from bot.mass_messages.deactivations import import_deactivations

CONTACTS, LINES = 1_000_000, 100_000
_STUDENTS = """
INSERT INTO students (sourced_id, given_name, family_name, search, grade)
SELECT 'S' || n, 'Sam', 'Student' || n, 'sam student' || n, '5' FROM generate_series(1, :contacts / 2) AS n
"""
_CONTACTS = """
INSERT INTO contacts (sourced_id, given_name, family_name, sis_phone, sis_method)
SELECT 'C' || n, 'Maria', 'Contact' || n, '+1312' || lpad((2000000 + n)::text, 7, '0'), 'text'
FROM generate_series(1, :contacts) AS n
"""
_LINKS = "INSERT INTO student_contacts (student_id, contact_id, priority) SELECT (id + 1) / 2, id, 1 FROM contacts"


@pytest.mark.parametrize("known", [1_000, 20_000])
def test_large_file(empty_database, tmp_path, known):
    with transaction(empty_database) as session:
        for statement in (_STUDENTS, _CONTACTS, _LINKS):
            session.execute(text(statement), {"contacts": CONTACTS} if ":contacts" in statement else {})
    with empty_database.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
    path = tmp_path / "deactivations.csv"
    ours = (f"+1312{2_000_001 + number * (CONTACTS // known):07d}" for number in range(known))
    strangers = (f"+1415{2_000_000 + number:07d}" for number in range(LINES - known))
    path.write_text("".join(f"{number},2026-11-20\n" for numbers in (ours, strangers) for number in numbers))
    for attempt in ("first", "again"):
        began = time.perf_counter()
        with transaction(empty_database) as session:
            counts = import_deactivations(
                session, path, day=date(2026, 11, 20), region="US", zone=UTC, now=datetime.now(UTC)
            )
        seconds, peak = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        assert (counts.parked + counts.already, counts.strangers) == (known, LINES - known)
        print(f"\n{LINES:,} lines, {known:>6,} of contacts, {attempt}: {seconds:.1f} s, peak {peak:.0f} MB", end="")
