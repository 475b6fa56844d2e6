"""The report of a sync, in numbers: for the terminal, and as JSON."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from bot.db.models.roster import SyncState
from bot.sis.rows import Part, Rejection
from bot.sync.diff_merge import SyncScope, TableChanges
from bot.sync.hold_checks import Reason
from bot.sync.identity import IdentityReport
from bot.sync.runs import TableCounts

# As many as a program may want; a terminal shows the first few.
_MAX_REJECTIONS = 10_000


@dataclass(frozen=True)
class FileCounts:
    """`read` lines below the header; `rejected` lines and cells; `mode` is `bulk`, `delta` or `unreadable`; `state` is `read`,
    `partly read` (a line of it was not), or `unreadable`.
    """

    read: int
    rejected: int
    mode: str
    state: str


@dataclass(frozen=True)
class SyncReport:
    """The outcome of one run; `run_id` is None for a dry run, which stores nothing.

    `totals` are the active students, contacts, staff, teachers and schools after it. Of `edits`, `absorbed` happened in this run;
    `conflict` and `pending` are all there are now. `rejections` are the first of `rejected`; `sync_rejections` has all.
    `notes` counts the contacts with a note beside their number by what follows from it; `kept` for those from which nothing does.
    `same_as` is set if the export was the one read then, and was not read again. A dry run has the `state` HELD and the
    `hold_reasons` if a sync would be held.
    """

    run_id: int | None
    source: str
    counts: dict[str, TableCounts]
    totals: dict[str, int]
    edits: dict[str, int]
    seconds: float
    files: dict[str, FileCounts] = field(default_factory=dict)
    rejections: tuple[Rejection, ...] = ()
    notes: dict[str, int] = field(default_factory=dict)
    same_as: datetime | None = None
    state: SyncState = SyncState.DONE
    identity: IdentityReport = field(default_factory=IdentityReport)
    hold_reasons: tuple[Reason, ...] = ()

    @property
    def rejected(self) -> int:
        return sum(table.rejected for table in self.counts.values())

    def as_json(self) -> dict[str, Any]:
        rejections = [rejection._asdict() for rejection in self.rejections]
        return asdict(self) | {"state": str(self.state), "rejected": self.rejected, "rejections": rejections}


def location(rejection: Rejection) -> str:
    """Return `users.csv:12 phone` or `users/G17 phone`, as far as it is known."""
    line = "" if rejection.line is None else f":{rejection.line}"
    return f"{rejection.file}{line} {rejection.column_name or ''}".strip()


_REJECTED_BY_TABLE = """
SELECT CASE WHEN kind = 'orgs' THEN 'schools'
            WHEN kind IN ('classes', 'academicSessions') THEN 'classes'
            WHEN kind = 'enrollments' THEN 'class_students'
            WHEN kind = 'roles' THEN 'staff_roles'
            WHEN kind = 'contacts' THEN 'contacts'
            WHEN column_name IN ('sms', 'phone') THEN 'contacts'
            WHEN column_name = 'agentSourcedIds' THEN 'student_contacts'
            WHEN column_name = 'email' THEN 'staff'
            ELSE 'students' END, count(*)
FROM (SELECT column_name, split_part(replace(file, '/', '.'), '.', 1) AS kind FROM stage_rejections) j GROUP BY 1
"""
_UNREAD_BY_KIND = "SELECT kind, count(*) FROM stage_unread GROUP BY kind"
_NOTES = """
SELECT kind, count(*) FROM (
    SELECT coalesce(sis_note_kind, 'kept') AS kind FROM target_contacts t
    WHERE (sis_phone_note IS NOT NULL OR sis_note_kind IS NOT NULL) AND ({in_target})
    UNION ALL
    SELECT coalesce(sis_note_kind, 'kept') FROM contacts
    WHERE active AND (sis_phone_note IS NOT NULL OR sis_note_kind IS NOT NULL) AND NOT ({in_table})
) notes GROUP BY kind ORDER BY kind
"""
_REJECTED_BY_FILE = "SELECT split_part(file, '/', 1), count(*) FROM stage_rejections GROUP BY 1"
_FIRST_REJECTIONS = f"""
SELECT file, line, column_name, reason FROM stage_rejections ORDER BY file, line, column_name LIMIT {_MAX_REJECTIONS}
"""
_TARGET_TEACHERS = """
SELECT count(*) FROM (
    SELECT staff FROM target_staff_roles WHERE role = 'teacher'
    UNION
    SELECT s.sourced_id FROM staff_roles r JOIN staff s ON s.id = r.staff_id WHERE r.role = 'teacher' AND NOT ({in_scope})
) teachers
"""
_CURRENT_TOTALS = """
SELECT (SELECT count(*) FROM students WHERE active) AS students,
       (SELECT count(*) FROM contacts WHERE active) AS contacts,
       (SELECT count(*) FROM staff WHERE active) AS staff,
       (SELECT count(DISTINCT staff_id) FROM staff_roles WHERE role = 'teacher') AS teachers,
       (SELECT count(*) FROM schools WHERE active) AS schools
"""


def table_counts(connection: Connection, changes: dict[str, TableChanges]) -> dict[str, TableCounts]:
    rejected = _count(connection, _REJECTED_BY_TABLE)
    return {
        table: TableCounts(
            read=change.after,
            added=change.count("added"),
            changed=change.count("changed"),
            inactive=change.count("inactive"),
            rejected=rejected.get(table, 0),
        )
        for table, change in changes.items()
    }


def file_counts(connection: Connection, parts: Sequence[Part]) -> dict[str, FileCounts]:
    rejected, unread = _count(connection, _REJECTED_BY_FILE), _count(connection, _UNREAD_BY_KIND)
    return {
        part.name: FileCounts(part.rows_read, rejected.get(part.name, 0), _mode(part), _state(part, unread))
        for part in parts
    }


def _state(part: Part, unread: dict[str, int]) -> str:
    if not part.is_readable:
        return "unreadable"
    return "partly read" if unread.get(part.kind) else "read"


def note_counts(connection: Connection, scope: SyncScope) -> dict[str, int]:
    """Return the notes beside numbers as they are after the merge."""
    covered = scope.covers("sourced_id")
    return _count(connection, _NOTES.format(in_target=covered, in_table=covered))


def _count(connection: Connection, statement: str) -> dict[str, int]:
    return {row[0]: row[1] for row in connection.exec_driver_sql(statement)}


def _mode(part: Part) -> str:
    if not part.is_readable:
        return "unreadable"
    return "delta" if part.is_delta else "bulk"


def target_totals(connection: Connection, changes: dict[str, TableChanges], scope: SyncScope) -> dict[str, int]:
    """Return the totals as they are after the merge."""
    teachers = connection.exec_driver_sql(_TARGET_TEACHERS.format(in_scope=scope.covers("s.sourced_id"))).scalar_one()
    totals = {table: changes[table].after for table in ("students", "contacts", "staff")}
    return {**totals, "teachers": teachers, "schools": changes["schools"].after}


def current_totals(connection: Connection) -> dict[str, int]:
    """Return the same totals from our tables."""
    return dict(connection.exec_driver_sql(_CURRENT_TOTALS).mappings().one())


def first_rejections(connection: Connection) -> tuple[Rejection, ...]:
    return tuple(Rejection(*row) for row in connection.exec_driver_sql(_FIRST_REJECTIONS))
