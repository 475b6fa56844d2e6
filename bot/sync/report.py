"""What a sync did, in numbers: for the person who watches it, for machines, and for `sync_runs`."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from bot.db.models.roster import SyncState
from bot.sis.rows import Part, Rejection
from bot.sync.diff_merge import TableChanges
from bot.sync.scope import SyncScope

SHOWN_REJECTIONS = 10_000  # For machines; people see the first few.


@dataclass(frozen=True)
class TableCounts:
    """`read` rows stand in the bundle; `added`, `changed` (revived too) and `inactive` (for links also: deleted) are what it
    changed; `rejected` are the rejections of the rows and cells this table would have come from.
    """

    read: int
    added: int
    changed: int
    inactive: int
    rejected: int


@dataclass(frozen=True)
class FileCounts:
    """`read` lines below the header; `rejected` lines and cells; `mode` is `bulk`, `delta` or `unreadable`."""

    read: int
    rejected: int
    mode: str


@dataclass(frozen=True)
class SyncReport:
    """The outcome of one run; `run_id` is null for a dry run, which leaves no trace.

    `totals` are the active students, contacts, staff, teachers and schools after it. `rejections` are the first
    `SHOWN_REJECTIONS`, `rejected` is how many there are; all of them stand in `sync_rejections`. Of `edits`, `absorbed`
    happened in this run; `conflict` and `pending` are all that stand so now. `same_as`: the export was the one read then, and
    was not read again.
    """

    run_id: int | None
    source: str
    state: SyncState
    files: dict[str, FileCounts]
    counts: dict[str, TableCounts]
    totals: dict[str, int]
    rejections: tuple[Rejection, ...]
    rejected: int
    edits: dict[str, int]
    seconds: float
    same_as: datetime | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain values for machines."""
        return asdict(self) | {"state": str(self.state), "rejections": [one._asdict() for one in self.rejections]}


def where(rejection: Rejection) -> str:
    """`users.csv:12 phone` or `users/G17 phone`, as far as it is known."""
    line = "" if rejection.line is None else f":{rejection.line}"
    return f"{rejection.file}{line} {rejection.column_name or ''}".strip()


_TABLE_OF_REJECTION = """
SELECT CASE WHEN kind = 'orgs' THEN 'schools'
            WHEN kind IN ('classes', 'academicSessions') THEN 'classes'
            WHEN kind = 'enrollments' THEN 'class_students'
            WHEN kind = 'roles' THEN 'staff_roles'
            WHEN kind = 'contacts' THEN 'contacts'
            WHEN column_name IN ('sms', 'phone') THEN 'contacts'
            WHEN column_name = 'agentSourcedIds' THEN 'student_contacts'
            ELSE 'students' END AS table_name, count(*) AS rejections
FROM (SELECT column_name, split_part(replace(file, '/', '.'), '.', 1) AS kind FROM stage_rejections) j GROUP BY 1
"""

_REJECTIONS_OF_FILES = """
SELECT split_part(file, '/', 1) AS file, count(*) AS rejections FROM stage_rejections GROUP BY 1
"""

_TEACHERS = """
SELECT count(*) FROM (
    SELECT staff FROM wanted_staff_roles WHERE role = 'teacher'
    UNION
    SELECT s.sourced_id FROM staff_roles r JOIN staff s ON s.id = r.staff_id WHERE r.role = 'teacher' AND NOT ({in_scope})
) teachers
"""


_HELD = """
SELECT (SELECT count(*) FROM students WHERE active) AS students,
       (SELECT count(*) FROM contacts WHERE active) AS contacts,
       (SELECT count(*) FROM staff WHERE active) AS staff,
       (SELECT count(DISTINCT staff_id) FROM staff_roles WHERE role = 'teacher') AS teachers,
       (SELECT count(*) FROM schools WHERE active) AS schools
"""


def table_counts(connection: Connection, changes: dict[str, TableChanges]) -> dict[str, TableCounts]:
    counted = connection.exec_driver_sql(_TABLE_OF_REJECTION)
    rejected = {row.table_name: row.rejections for row in counted}
    return {
        name: TableCounts(one.wanted, one.of("added"), one.of("changed"), one.of("inactive"), rejected.get(name, 0))
        for name, one in changes.items()
    }


def file_counts(connection: Connection, parts: Sequence[Part]) -> dict[str, FileCounts]:
    counted = connection.exec_driver_sql(_REJECTIONS_OF_FILES)
    rejected = {row.file: row.rejections for row in counted}
    return {part.name: FileCounts(part.rows_read, rejected.get(part.name, 0), _mode(part)) for part in parts}


def _mode(part: Part) -> str:
    if not part.is_readable:
        return "unreadable"
    return "delta" if part.is_delta else "bulk"


def totals(connection: Connection, changes: dict[str, TableChanges], scope: SyncScope) -> dict[str, int]:
    teachers = connection.exec_driver_sql(_TEACHERS.format(in_scope=scope.holds("s.sourced_id"))).scalar_one()
    counted = {what: changes[what].wanted for what in ("students", "contacts", "staff")}
    return {**counted, "teachers": teachers, "schools": changes["schools"].wanted}


def held(connection: Connection) -> dict[str, int]:
    """The same totals, of the tables that everybody reads."""
    return dict(connection.exec_driver_sql(_HELD).mappings().one())


def first_rejections(connection: Connection) -> tuple[Rejection, ...]:
    rows = connection.exec_driver_sql(
        "SELECT file, line, column_name, reason FROM stage_rejections "
        f"ORDER BY file, line, column_name LIMIT {SHOWN_REJECTIONS}"
    )
    return tuple(Rejection(*row) for row in rows)
