"""One sync from start to end: stage, work out, compare, brake, merge. One at a time; a second one says so.

Each table is merged in a transaction of its own. A sync killed at any point leaves every table as before or as after, and
the next one, which compares again with what is there, completes it.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from bot.errors import UserError
from bot.models import SyncState
from bot.roster import brake, doubts, merge, places, reconcile, report, runs, same, seed, side_file, staging, wanted
from bot.roster.merge import Changes
from bot.roster.report import SyncReport
from bot.roster.staging import Progress
from bot.sis import Part, Source, contacts_csv


def sync(
    engine: Engine,
    source: Source,
    *,
    contacts: Path | None = None,
    now: datetime,
    region: str,
    brake_percent: float,
    actor: str = "sync",
    progress: Progress | None = None,
    confirm: bool = False,
    seen: Mapping[str, Any] | None = None,
    whole_every: timedelta = runs.WHOLE_EVERY,
    unless_same: bool = False,
    dry_run: bool = False,
) -> SyncReport:
    """Bring the roster of `source` into our tables, and `contacts`, a CSV beside it, with it.

    `now` is in the district's time zone or UTC; its date decides which terms and roles are over. `region` is the country
    of numbers without a code. `progress(step, done, total)` is told of bytes of each file and rows of each table.
    `confirm` goes on where the brake would stop; `seen`, the counts of a braked run that a person confirmed, does so where no
    more is about to change than that person saw. A source that tells changes is read whole after `whole_every`, and by
    its changes between. `unless_same` leaves out an export that is the one of last time. `dry_run` reports what would change and writes nothing at all.

    Raises:
        UserError: the source cannot be read, or another sync runs.
        Braked: more than `brake_percent` would vanish; nothing was written.
    """
    began = time.monotonic()
    with _alone(engine) as connection:
        fingerprint = same.fingerprint(source, contacts, region)
        this = _Run(connection, source.name, now, began, progress or _silent, fingerprint)
        marks = runs.marks(connection, source.name, now=now, whole_every=whole_every)
        if dry_run:
            parts = _prepare(this, source, contacts, region, marks)
            return _report(this, None, parts, _compare(this))
        before = same.last_time(connection, fingerprint, today=now.date()) if unless_same and fingerprint else None
        run_id = runs.begin(connection, source.name, now=now)
        try:
            if before:
                return _as_before(this, run_id, before)
            parts = _prepare(this, source, contacts, region, marks)
            if same.fingerprint(source, contacts, region) != fingerprint:  # It was replaced while we read it.
                this = replace(this, fingerprint=None)
            changes = _compare(this)
            if not confirm and not brake.is_within(changes, seen):
                _brake(this, run_id, parts, changes, brake_percent)
            return _merge(this, run_id, parts, changes, actor)
        except brake.Braked:
            raise
        except UserError as problem:
            runs.fail(connection, run_id, now=this.finished_at, error=problem.sentence)
            raise
        except BaseException as problem:
            runs.fail(connection, run_id, now=this.finished_at, error=type(problem).__name__)
            raise


@dataclass(frozen=True)
class _Run:
    """What every step of one sync has at hand."""

    connection: Connection
    source: str
    now: datetime
    began: float
    progress: Progress
    fingerprint: str | None

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    @property
    def finished_at(self) -> datetime:
        return self.now + timedelta(seconds=self.seconds)


@contextmanager
def _alone(engine: Engine) -> Iterator[Connection]:
    """A connection of our own: closing it, or dying, drops the staging tables and lets the next sync in."""
    with engine.connect() as connection:
        connection.detach()
        with connection.begin():
            locked = connection.exec_driver_sql("SELECT pg_try_advisory_lock(hashtextextended('roster.sync', 0))")
            if not locked.scalar_one():
                raise UserError("Another sync is running. Wait until it ends, then try again.", permanent=False)
        try:
            yield connection
        finally:
            # A server lets go of a closed connection's lock only a moment later, when the next sync may have asked already.
            with suppress(SQLAlchemyError):
                connection.exec_driver_sql("SELECT pg_advisory_unlock_all()")


def _silent(_step: str, _done: int, _total: int) -> None:
    """Nobody watches."""


def _prepare(
    this: _Run, source: Source, contacts: Path | None, region: str, marks: Mapping[str, datetime]
) -> Sequence[Part]:
    """Everything the source says, as the `wanted_…` tables."""
    staging.prepare(this.connection)
    with source.opened(region=region, marks=marks) as files:
        parts = [*files, *([contacts_csv.opened(contacts, region=region)] if contacts else [])]
        for part in parts:
            staging.fill(this.connection, part, progress=this.progress)
    seed.fill_gaps(this.connection, parts)
    staging.analyze(this.connection)
    side_file.work_in(this.connection, parts)
    wanted.work_out(this.connection, today=this.now.date())
    doubts.report(this.connection)
    places.name(this.connection, parts)
    return parts


def _compare(this: _Run) -> dict[str, Changes]:
    return {table.name: merge.compare(this.connection, table) for table in merge.TABLES}


def _brake(this: _Run, run_id: int, parts: Sequence[Part], changes: dict[str, Changes], percent: float) -> None:
    try:
        brake.check(this.connection, changes, parts=parts, percent=percent)
    except brake.Braked as stop:
        with this.connection.begin():
            counts = report.table_counts(this.connection, changes)
        runs.finish(
            this.connection,
            run_id,
            state=SyncState.BRAKED,
            now=this.finished_at,
            counts=counts,
            error=stop.sentence,
        )
        raise brake.Braked(stop.sentence, run_id=run_id) from None


def _merge(this: _Run, run_id: int, parts: Sequence[Part], changes: dict[str, Changes], actor: str) -> SyncReport:
    told = _report(this, run_id, parts, changes)
    for table in merge.TABLES:
        with this.connection.begin():
            if table.name == "contacts":
                edits = _merge_contacts(this, table, actor)
            else:
                merge.apply(this.connection, table)
        changed = sum(changes[table.name].kinds.values())
        this.progress(table.name, changed, changed)
    runs.finish(
        this.connection,
        run_id,
        state=SyncState.DONE,
        now=this.finished_at,
        counts=told.counts,
        parts=parts,
        fingerprint=this.fingerprint,
        holds_until=same.holds_until(this.connection, today=this.now.date()),
    )
    return replace(told, edits=edits, seconds=this.seconds)


def _as_before(this: _Run, run_id: int, before: same.Before) -> SyncReport:
    counts = runs.finish_as_before(this.connection, run_id, before, now=this.finished_at)
    with this.connection.begin():
        return SyncReport(
            run_id=run_id,
            source=this.source,
            state=SyncState.DONE,
            files={},
            counts=counts,
            totals=report.held(this.connection),
            rejections=(),
            rejected=sum(one.rejected for one in counts.values()),
            edits=reconcile.standing(this.connection),
            seconds=this.seconds,
            same_as=before.read_at,
        )


def _merge_contacts(this: _Run, table: merge.Table, actor: str) -> dict[str, int]:
    reconcile.before_contacts(this.connection)
    merge.apply(this.connection, table)
    edits = reconcile.verdicts(this.connection)
    reconcile.after_contacts(this.connection, now=this.now, actor=actor)
    return edits


def _report(this: _Run, run_id: int | None, parts: Sequence[Part], changes: dict[str, Changes]) -> SyncReport:
    connection = this.connection
    with connection.begin():
        counts = report.table_counts(connection, changes)
        return SyncReport(
            run_id=run_id,
            source=this.source,
            state=SyncState.DONE,
            files=report.file_counts(connection, parts),
            counts=counts,
            totals=report.totals(connection),
            rejections=report.first_rejections(connection),
            rejected=sum(one.rejected for one in counts.values()),
            edits=reconcile.verdicts(connection),
            seconds=this.seconds,
        )
