"""The log of syncs: one row in `sync_runs` for each, its rejections, and how much the next sync has to read.

An export is not read again if its fingerprint is that of the last sync, which must have been complete. It holds for the same
program only, and until the next date in the export, on which a role or term begins or ends.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from hashlib import file_digest, sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, insert, select, text, update

from bot.db.models.roster import SyncRun, SyncState
from bot.sis.rows import CountedPart, Kind, Part, Source
from bot.sync.stage import Progress

# A roster older than this is still shown, but marked as old.
STALE_AFTER = timedelta(hours=24)
# How long a source that reports changes is read by changes only: some do not report rows that they delete.
WHOLE_EVERY = timedelta(days=7)
# A week after Monday night is Monday night, even if that sync starts a minute earlier.
_SAME_NIGHT = timedelta(hours=12)
# How long the rejections of a run are kept. The run itself stays.
_REJECTIONS_KEPT = timedelta(days=30)

_INSERT_REJECTIONS = text("""
WITH rejected AS (SELECT DISTINCT file, line FROM stage_rejections),
people AS (
    SELECT file, line, min(sourced_id) AS sourced_id
    FROM (
        SELECT 'users.csv' AS file, line, sourced_id FROM stage_users
        UNION ALL SELECT file, line, person FROM stage_roles
        UNION ALL SELECT 'enrollments.csv', line, person FROM stage_enrollments
        UNION ALL SELECT 'contacts.csv', line, coalesce(nullif(contact, ''), student) FROM stage_contacts
        UNION ALL SELECT kind || '.csv', line, sourced_id FROM stage_unread WHERE sourced_id <> ''
    ) AS rows_of_people JOIN rejected USING (file, line) GROUP BY file, line
)
INSERT INTO sync_rejections (sync_run_id, file, line, column_name, reason, sourced_id)
SELECT :run_id, file, line, column_name, reason, coalesce(people.sourced_id, nullif(split_part(file, '/', 2), ''))
FROM stage_rejections LEFT JOIN people USING (file, line) ORDER BY file, line
""")
_DELETE_OLD_REJECTIONS = text("""
DELETE FROM sync_rejections WHERE sync_run_id IN (SELECT id FROM sync_runs WHERE started_at < :before)
""")
_NEXT_DATE = """
SELECT min(day) FROM (
    SELECT begins_on AS day FROM stage_terms UNION ALL SELECT ends_on FROM stage_terms
    UNION ALL SELECT begins_on FROM stage_roles UNION ALL SELECT ends_on FROM stage_roles
    UNION ALL SELECT begins_on FROM stage_enrollments UNION ALL SELECT ends_on FROM stage_enrollments
) days WHERE day > %(today)s
"""
_GROWTH = """
SELECT (SELECT count(*) FROM target_class_students) - (SELECT count(*) FROM class_students WHERE active)
     + (SELECT count(*) FROM target_class_teachers) - (SELECT count(*) FROM class_teachers WHERE active)
"""


@dataclass(frozen=True)
class TableCounts:
    """The counts of one table in `SyncRun.counts`.

    `read` rows are in the export; `added`, `changed` (revived, too) and `inactive` (for some links: deleted) rows differed;
    `rejected` are the rejected rows and cells that belong to this table.
    """

    read: int
    added: int
    changed: int
    inactive: int
    rejected: int


@dataclass(frozen=True)
class LastSync:
    """The last sync, if it was complete: its counts, what it read, and until when the same export means the same."""

    started_at: datetime
    counts: Mapping[str, Any]
    fingerprint: str | None
    valid_until: date | None
    layout_hash: str | None


@dataclass(frozen=True)
class SyncContext:
    """The values that every step of one sync needs. `started` is a reading of the monotonic clock."""

    connection: Connection
    source: str
    now: datetime
    started: float
    progress: Progress
    previous: LastSync | None
    whole_every: timedelta

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started

    @property
    def finished_at(self) -> datetime:
        return self.now.astimezone(UTC) + timedelta(seconds=self.seconds)


def begin(connection: Connection, source: str, *, now: datetime) -> int:
    """Insert a run and return its id. The caller holds the lock, so a run that is still `running` was killed."""
    with connection.begin():
        killed = update(SyncRun).where(SyncRun.state == SyncState.RUNNING)
        connection.execute(
            killed.values(state=SyncState.FAILED, finished_at=now, error="The sync was stopped before it ended.")
        )
        new = insert(SyncRun).values(source=source, started_at=now, state=SyncState.RUNNING).returning(SyncRun.id)
        return connection.execute(new).scalar_one()


def finish(
    connection: Connection,
    run_id: int,
    *,
    state: SyncState,
    now: datetime,
    counts: dict[str, TableCounts],
    parts: Sequence[Part] = (),
    is_whole: bool = True,
    **values: Any,
) -> None:
    """Store the outcome of a run, its rejections, and the watermarks and totals of its parts; `values` are further columns."""
    # A change that a server dates in the future must not hide those of today.
    watermarks = {part.name: min(part.watermark, now).isoformat() for part in parts if part.watermark}
    totals = {part.name: part.total for part in parts if isinstance(part, CountedPart) and part.total is not None}
    is_whole = is_whole and not any(part.is_delta for part in parts)
    store_rejections(connection, run_id, now=now)
    with connection.begin():
        _update(
            connection,
            run_id,
            state,
            now,
            counts=_as_json(counts),
            watermarks=watermarks,
            source_totals=totals,
            is_whole=is_whole,
            **values,
        )


def store_rejections(connection: Connection, run_id: int, *, now: datetime) -> None:
    with connection.begin():
        connection.execute(_DELETE_OLD_REJECTIONS, {"before": now - _REJECTIONS_KEPT})
        connection.execute(_INSERT_REJECTIONS, {"run_id": run_id})


def finish_unchanged(
    connection: Connection, run_id: int, previous: LastSync, *, now: datetime
) -> dict[str, TableCounts]:
    """Store that a run found the export of the last one, and return its counts: the same rows, no changes."""
    counts = {table: TableCounts(row["read"], 0, 0, 0, row["rejected"]) for table, row in previous.counts.items()}
    with connection.begin():
        _update(
            connection,
            run_id,
            SyncState.DONE,
            now,
            counts=_as_json(counts),
            fingerprint=previous.fingerprint,
            layout_hash=previous.layout_hash,
            valid_until=previous.valid_until,
            is_whole=False,
        )
    return counts


def fail(connection: Connection, run_id: int, *, now: datetime, error: str) -> None:
    with connection.begin():
        _update(connection, run_id, SyncState.FAILED, now, error=error)


def _update(connection: Connection, run_id: int, state: SyncState, finished_at: datetime, **values: Any) -> None:
    run = update(SyncRun).where(SyncRun.id == run_id)
    connection.execute(run.values(state=state, finished_at=finished_at, **values))


def _as_json(counts: dict[str, TableCounts]) -> dict[str, dict[str, int]]:
    return {table: asdict(table_counts) for table, table_counts in counts.items()}


def load_watermarks(
    connection: Connection, source: str, *, now: datetime, whole_every: timedelta
) -> dict[str, datetime]:
    """Return how far the last sync read each part; empty if it read another source, or if a whole read is due."""
    with connection.begin():
        done = select(SyncRun.source, SyncRun.watermarks).where(SyncRun.state == SyncState.DONE)
        last = connection.execute(done.order_by(SyncRun.started_at.desc()).limit(1)).one_or_none()
    if last is None or last.source != source or is_whole_due(connection, source, now=now, whole_every=whole_every):
        return {}
    return {name: datetime.fromisoformat(watermark) for name, watermark in last.watermarks.items()}


def has_silent_deletions(connection: Connection, source: str, parts: Sequence[Part]) -> bool:
    """Return whether a source of which only the changes were read has deleted enrollments without a mark: since the last sync, its
    number of rows grew by less than the target tables, which hold the changes.
    """
    enrollments = next((part for part in parts if part.kind is Kind.ENROLLMENTS and part.is_delta), None)
    if not isinstance(enrollments, CountedPart) or enrollments.total is None:
        return False
    with connection.begin():
        done = select(SyncRun.source_totals).where(SyncRun.state == SyncState.DONE, SyncRun.source == source)
        totals = connection.scalar(done.order_by(SyncRun.started_at.desc()).limit(1)) or {}
        growth: int = connection.exec_driver_sql(_GROWTH).scalar_one()
    total = totals.get(enrollments.name)
    return total is not None and enrollments.total - total < growth


def is_whole_due(connection: Connection, source: str | None, *, now: datetime, whole_every: timedelta) -> bool:
    """Return whether the last whole read (of `source`, or of any) was `whole_every` ago."""
    with connection.begin():
        whole = select(func.max(SyncRun.started_at)).where(SyncRun.state == SyncState.DONE, SyncRun.is_whole)
        last_whole = connection.scalar(whole.where(SyncRun.source == source) if source else whole)
    return last_whole is None or now - last_whole >= whole_every - _SAME_NIGHT


def load_last_sync(connection: Connection, *, today: date) -> LastSync | None:
    """Return the last sync, or None if it was not complete, or if a date in its export has come since."""
    with connection.begin():
        last = connection.execute(select(SyncRun).order_by(SyncRun.id.desc()).limit(1)).one_or_none()
    if last is None or last.state != SyncState.DONE or (last.valid_until and last.valid_until <= today):
        return None
    return LastSync(last.started_at, last.counts, last.fingerprint, last.valid_until, last.layout_hash)


def next_date(connection: Connection, previous: LastSync | None, *, today: date) -> date | None:
    """Return the next date in the staged rows, or in those of `previous` that were not read again."""
    with connection.begin():
        staged: date | None = connection.exec_driver_sql(_NEXT_DATE, {"today": today}).scalar_one()
    days = [day for day in (staged, previous and previous.valid_until) if day]
    return min(days, default=None)


def source_fingerprint(source: Source, *, contacts: Path | None, region: str) -> str | None:
    """Return a hash of all that a sync would read, and of the program; None if only reading can tell."""
    export = source.fingerprint()
    if export is None:
        return None
    try:
        overlay = _digest(contacts) if contacts else ""
    except OSError:
        return None
    return sha256(f"{export}\n{overlay}\n{reader_version(region)}".encode()).hexdigest()


def reader_version(region: str) -> str:
    """Identify the program that reads rows: another version may read the same rows differently."""
    return f"{region}\n{_program_version()}"


# Cached, because a running program stays what it was when it started, even if its files are replaced.
@cache
def _program_version() -> str:
    """Return the hashes of our own files, and the version of the numbering plans."""
    files = sorted(Path(__file__).parents[1].rglob("*.py"))
    return "".join([*map(_digest, files), version("phonenumbers")])


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
