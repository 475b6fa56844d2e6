"""The sync of a large district, compared with COPY of the same files into text tables, while a clerk edits contacts.

`STUDENTS=400000` measures another size; memory must not grow with it. The prober edits a contact every 20 ms, as a dialog does.
"""

import csv
import itertools
import os
import shutil
import threading
import time
from datetime import UTC, datetime

import big_district
import pytest
from serving import ended, started
from sqlalchemy import select, text
from sqlalchemy.orm import Session
from support import people

from bot.access.rights import AccessLevel
from bot.cleanup_list.membership import refresh_entry_names
from bot.contact_edits.change import change_contact
from bot.db.models.roster import ClassStudent, Contact, SchoolClass, Student
from bot.db.session import transaction

STUDENTS = int(os.environ.get("STUDENTS", "100000"))
EDIT_EVERY = 0.02
# One of twenty contacts, as `listed_district.py`.
_LISTED = """
INSERT INTO cleanup_list (contact_id, status, phone, since, names)
SELECT id, 'landline', sis_phone, now(), '' FROM contacts WHERE id % 20 = 0
"""
_numbers = itertools.count()


@pytest.fixture(scope="module")
def days(tmp_path_factory):
    folder = tmp_path_factory.mktemp("district")
    yield [big_district.write(folder / f"day{day}", students=STUDENTS, day=day) for day in (1, 2)]
    shutil.rmtree(folder)


def lines_of(file):
    with file.open(encoding="utf-8", newline="") as lines:
        yield from lines


def time_copy(engine, folder):
    """Return the seconds that COPY takes for the files of an export, unchanged, into tables of text."""
    with engine.begin() as connection:
        for file in folder.glob("*.csv"):
            columns = next(csv.reader(lines_of(file)))
            listed = ", ".join(f'"{column}" text' for column in columns)
            connection.exec_driver_sql(f'DROP TABLE IF EXISTS "raw_{file.stem}"')
            connection.exec_driver_sql(f'CREATE TABLE "raw_{file.stem}" ({listed})')
    began = time.perf_counter()
    with engine.begin() as connection:
        driver = connection.connection.dbapi_connection
        for file in folder.glob("*.csv"):
            statement = f'COPY "raw_{file.stem}" FROM STDIN (FORMAT csv, HEADER)'
            with file.open("rb") as raw, driver.cursor() as cursor, cursor.copy(statement) as copy:
                while chunk := raw.read(1 << 16):
                    copy.write(chunk)
    seconds = time.perf_counter() - began
    with engine.begin() as connection:
        for file in folder.glob("*.csv"):
            connection.exec_driver_sql(f'DROP TABLE "raw_{file.stem}"')
    return seconds


class Prober(threading.Thread):
    """Changes the numbers of contacts in turn; `times` are milliseconds until the commit."""

    def __init__(self, engine):
        super().__init__()
        self.engine, self.times, self.done = engine, [], threading.Event()
        with Session(engine) as session:
            dana = people.staff(session, "Dana", "Diaz", role="districtAdministrator")
            self.dana = people.actor_of(dana, level=AccessLevel.DISTRICT)
            contacts = select(Contact.id).where(Contact.active).order_by(Contact.search).limit(5000)
            self.contacts = session.scalars(contacts).all()
            session.rollback()

    def run(self):
        """Use new numbers only: an edit that changes nothing is refused."""
        for number, contact_id in zip(_numbers, itertools.cycle(self.contacts), strict=False):
            if self.done.wait(EDIT_EVERY):
                return
            began = time.perf_counter()
            with transaction(self.engine) as session:
                version = session.scalar(select(Contact.version).where(Contact.id == contact_id))
                change_contact(
                    session,
                    contact_id,
                    version=version,
                    phone=f"(773) {200 + number // 10_000}-{number % 10_000:04}",
                    method="text",
                    actor=self.dana,
                    region="US",
                    opt_in_number=None,
                    now=datetime.now(UTC),
                )
            self.times.append((time.perf_counter() - began) * 1000)

    def stop(self):
        self.done.set()
        self.join()
        waits = sorted(self.times) or [0.0]
        return f"edits p50 {waits[len(waits) // 2]:.1f} p99 {waits[len(waits) * 99 // 100]:.1f} max {waits[-1]:.0f} ms of {len(waits)}"


def vacuum(engine):
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))


def measure(label, engine, database_url, folder, *options):
    """Run one sync from the command line, after COPY of the same files."""
    copy_seconds = time_copy(engine, folder)
    with Session(engine) as session:
        is_first = session.scalar(select(Contact.id).limit(1)) is None
    prober = None if is_first else Prober(engine)
    if prober:
        prober.start()
    seconds, memory = ended(started(database_url, "sync", str(folder), *options, quiet=True))
    waits = f"; {prober.stop()}" if prober else ""
    print(
        f"\n{label}: {seconds:6.1f} s, COPY {copy_seconds:4.1f} s, ratio {seconds / copy_seconds:4.1f}; memory {memory:.0f} MB{waits}",
        end="",
    )


def test_district_and_its_next_day(empty_database, database_url, days):
    print(f"\n{STUDENTS:,} students", end="")
    first, second = days
    measure("first load ", empty_database, database_url, first)
    with empty_database.begin() as connection:
        connection.execute(text(_LISTED))
        refresh_entry_names(connection)
    vacuum(empty_database)
    measure("same export", empty_database, database_url, first, "--unless-same")
    measure("unchanged  ", empty_database, database_url, first)
    measure("next day   ", empty_database, database_url, second)
    with Session(empty_database) as session:
        assert session.scalar(text("SELECT count(*) FROM students WHERE active")) == STUDENTS


def merge_with_orm(engine, folder):
    """Look up each person and enrollment by its sourcedId, and change or add it. Return the seconds."""
    began = time.perf_counter()
    with Session(engine) as session:
        ids = {"": None}
        for row in rows(folder, "classes"):
            ids[row["sourcedId"]] = _upsert(session, SchoolClass, row["sourcedId"], title=row["title"]).id
        for row in rows(folder, "users"):
            names = {"given_name": row["givenName"], "family_name": row["familyName"]}
            if row["identifier"]:
                person = _upsert(session, Student, row["sourcedId"], search=row["familyName"], **names)
            else:
                person = _upsert(session, Contact, row["sourcedId"], sis_phone_written=row["sms"], **names)
            ids[row["sourcedId"]] = person.id
        for row in rows(folder, "enrollments"):
            if row["role"] == "student":
                parents = {"class_id": ids[row["classSourcedId"]], "student_id": ids[row["userSourcedId"]]}
                _upsert(session, ClassStudent, row["sourcedId"], **parents)
        session.commit()
    return time.perf_counter() - began


def rows(folder, name):
    return csv.DictReader(lines_of(folder / f"{name}.csv"))


def _upsert(session, table, sourced_id, **values):
    row = session.scalars(select(table).where(table.sourced_id == sourced_id)).one_or_none()
    if row is None:
        row = table(sourced_id=sourced_id, **values)
        session.add(row)
        session.flush()
    for name, value in values.items():
        setattr(row, name, value)
    return row


def test_orm_merge_of_a_tenth(empty_database, database_url, tmp_path):
    tenth = big_district.write(tmp_path / "tenth", students=STUDENTS // 10)
    print(f"\n{STUDENTS // 10:,} students", end="")
    measure("set-wise   ", empty_database, database_url, tenth)
    people.reset_counter()
    with empty_database.begin() as connection:
        connection.execute(text("TRUNCATE students, contacts, classes, class_students CASCADE"))
    seconds = merge_with_orm(empty_database, tenth)
    print(f"\nby the ORM : {seconds:6.1f} s, without staff, roles, links, rejections and missing rows", end="")
