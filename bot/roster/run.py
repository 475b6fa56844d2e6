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
from bot.roster import (
    brake,
    doubts,
    lines,
    merge,
    places,
    reconcile,
    report,
    runs,
    same,
    seed,
    side_file,
    staging,
    touched,
    wanted,
)
from bot.roster.merge import Changes
from bot.roster.report import SyncReport
from bot.roster.staging import Progress
from bot.roster.touched import EVERYBODY, Scope
from bot.sis import LinedPart, Part, Source, contacts_csv


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
    more is about to change than that person saw. Everything is read after `whole_every`; between, of a source that tells
    changes those, and of an export the lines that say something else than last time. `unless_same` leaves out an export that is
    the one of last time. `dry_run` reports what would change and writes nothing at all.

    Raises:
        UserError: the source cannot be read, or another sync runs.
        Braked: more than `brake_percent` would vanish; nothing was written.
    """
    began = time.monotonic()
    with _alone(engine) as connection:
        fingerprint = same.fingerprint(source, contacts, region)
        before = same.last_time(connection, today=now.date())
        this = _Run(connection, source.name, now, began, progress or _silent, before, whole_every)
        if dry_run:
            read = _prepare(this, source, contacts, region)
            return _report(this, None, read, _compare(this, read.scope))
        run_id = runs.begin(connection, source.name, now=now)
        try:
            if unless_same and fingerprint and before and before.fingerprint == fingerprint:
                return _as_before(this, run_id, before)
            read = _prepare(this, source, contacts, region)
            if same.fingerprint(source, contacts, region) == fingerprint:  # It was not replaced while we read it.
                read = replace(read, fingerprint=fingerprint)
            changes = _compare(this, read.scope)
            if not confirm and not brake.is_within(changes, seen):
                _brake(this, run_id, read.parts, changes, brake_percent)
            return _merge(this, run_id, read, changes, actor)
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
    before: same.Before | None
    whole_every: timedelta

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    @property
    def finished_at(self) -> datetime:
        return self.now + timedelta(seconds=self.seconds)


@dataclass(frozen=True)
class _Read:
    """What was read of the source: whom it is about, and what the next sync may compare it with."""

    parts: Sequence[Part]
    scope: Scope
    frame: str | None
    fingerprint: str | None = None


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


def _prepare(this: _Run, source: Source, contacts: Path | None, region: str) -> _Read:
    """Everything the source says of those whom this sync is about, as the `wanted_…` tables."""
    staging.prepare(this.connection)
    marks = runs.marks(this.connection, source.name, now=this.now, whole_every=this.whole_every)
    with source.opened(region=region, marks=marks) as files:
        parts = [*files, *([contacts_csv.opened(contacts, region=region)] if contacts else [])]
        frame = lines.stage(this.connection, parts, program=same.program(region), progress=this.progress)
        scope = _narrowed(this, parts, frame) or EVERYBODY
        for part in parts:
            if scope.is_whole or part.kind not in lines.PEOPLE:
                staging.fill(this.connection, part, progress=this.progress)
    seed.fill_gaps(this.connection, parts)
    staging.analyze(this.connection)
    side_file.work_in(this.connection, parts)
    wanted.work_out(this.connection, today=this.now.date())
    doubts.report(this.connection)
    places.name(this.connection, parts)
    return _Read(parts, scope, frame)


def _narrowed(this: _Run, parts: Sequence[Part], frame: str | None) -> Scope | None:
    """Whom the lines that changed are about, and those lines staged; None where everything has to be read."""
    connection, before = this.connection, this.before
    if frame is None or before is None or before.frame != frame or side_file.is_held(connection):
        return None
    if runs.is_whole_due(connection, None, now=this.now, whole_every=this.whole_every) or not lines.compare(connection):
        return None
    scope = touched.read(connection, parts)
    if scope is None:
        staging.empty(connection)
    return scope


def _compare(this: _Run, scope: Scope) -> dict[str, Changes]:
    return {table.name: merge.compare(this.connection, table, scope) for table in merge.TABLES}


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


def _merge(this: _Run, run_id: int, read: _Read, changes: dict[str, Changes], actor: str) -> SyncReport:
    told = _report(this, run_id, read, changes)
    for table in merge.TABLES:
        with this.connection.begin():
            if table.name == "contacts":
                edits = _merge_contacts(this, table, actor)
            else:
                merge.apply(this.connection, table)
        changed = sum(changes[table.name].kinds.values())
        this.progress(table.name, changed, changed)
    frame = _remember(this, read)
    known = None if read.scope.is_whole else this.before
    runs.finish(
        this.connection,
        run_id,
        state=SyncState.DONE,
        now=this.finished_at,
        counts=told.counts,
        parts=read.parts,
        fingerprint=read.fingerprint,
        frame=frame,
        holds_until=same.holds_until(this.connection, known, today=this.now.date()),
        is_whole=read.scope.is_whole,
    )
    return replace(told, edits=edits, seconds=this.seconds)


def _remember(this: _Run, read: _Read) -> str | None:
    """Keep the lines for the next sync to compare with; gives their frame, or None where it cannot."""
    is_plain = all(part.is_plain for part in read.parts if isinstance(part, LinedPart))
    if read.frame is None or read.fingerprint is None or not is_plain:
        lines.forget(this.connection)
        return None
    lines.remember(this.connection, all_read=read.scope.is_whole)
    return read.frame


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


def _report(this: _Run, run_id: int | None, read: _Read, changes: dict[str, Changes]) -> SyncReport:
    connection = this.connection
    with connection.begin():
        counts = report.table_counts(connection, changes)
        return SyncReport(
            run_id=run_id,
            source=this.source,
            state=SyncState.DONE,
            files=report.file_counts(connection, read.parts),
            counts=counts,
            totals=report.totals(connection, changes, read.scope),
            rejections=report.first_rejections(connection),
            rejected=sum(one.rejected for one in counts.values()),
            edits=reconcile.verdicts(connection),
            seconds=this.seconds,
        )
