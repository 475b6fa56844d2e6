"""A list as a file against only reading its rows, and what the process holds while it is made, at 5,000 and 50,000 contacts."""

import subprocess
import sys
from pathlib import Path

import pytest
from serving import ended
from sqlalchemy import text

SCRIPT = Path(__file__).parent / "write_list.py"
_LISTED = (
    """
    INSERT INTO students (sourced_id, given_name, family_name, search, grade)
    SELECT 'S' || n, 'Sam', 'Student' || n, 'sam student' || n, (n % 12 + 1)::text FROM generate_series(1, :size) AS n
    """,
    """
    INSERT INTO contacts (sourced_id, given_name, family_name, sis_phone)
    SELECT 'C' || n, 'Maria', 'Parent' || n, '+1312' || lpad((2000000 + n)::text, 7, '0') FROM generate_series(1, :size) AS n
    """,
    """
    INSERT INTO student_contacts (student_id, contact_id, priority)
    SELECT s.id, c.id, 1 FROM students s JOIN contacts c ON c.sourced_id = 'C' || substr(s.sourced_id, 2)
    """,
    """
    INSERT INTO cleanup_list (contact_id, phone, status, since)
    SELECT id, sis_phone, (ARRAY['landline', 'turned_off', 'unconfirmed', 'blocked', 'inactive'])[id % 5 + 1], now() FROM contacts
    """,
    "ANALYZE",
)


@pytest.mark.parametrize("size", [5_000, 50_000])
def test_a_list_as_a_file(empty_database, database_url, tmp_path, size):
    with empty_database.begin() as connection:
        for statement in _LISTED:
            connection.execute(text(statement), {"size": size})
    floor = None
    for form in ("none", "csv", "xlsx"):
        command = [sys.executable, SCRIPT, database_url, form, tmp_path / f"list.{form}"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=SCRIPT.parents[2])
        seconds, most = ended(process)
        assert int(process.stdout.read()) == size
        process.stdout.close()
        floor = floor or seconds
        print(
            f"\n{size:6,} contacts, {form:4}: {seconds:5.1f} s ({seconds / floor:3.1f} x), memory {most:.0f} MB", end=""
        )
