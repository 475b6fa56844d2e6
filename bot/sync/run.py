"""One sync from start to end: stage, work out, compare, brake, merge. One at a time; a second one says so.

Each table is merged in a transaction of its own. A sync killed at any point leaves every table as before or as after, and
the next one, which compares again with what is there, completes it.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from bot.cleanup_list.entry_names import refresh_entry_names
from bot.db.models.roster import SyncState
from bot.db.session import advisory_lock
from bot.errors import UserError
from bot.sis.rows import Part, Source
from bot.sync import diff_merge, hold, report, runs
from bot.sync import read as sync_read
from bot.sync.diff_merge import Table, TableChanges
from bot.sync.fingerprint import LastSync, holds_until, load_last_sync, source_fingerprint
from bot.sync.hold import SyncHeld
from bot.sync.read import Read, Run, remember
from bot.sync.reconcile import count_edits, count_verdicts, prepare_reconcile, reconcile_edits
from bot.sync.report import SyncReport
from bot.sync.scope import SyncScope
from bot.sync.stage import Progress

_NAMING = {"students", "contacts", "student_contacts"}
"""The tables by whose names the list is searched. It follows each at once, but after it, because it may have to wait its turn."""


def run_sync(
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

    `now` is in the district's time zone: its date decides which terms and roles are over. `region` is the country
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
    with advisory_lock(engine, "roster.sync") as connection:
        if connection is None:
            raise UserError(
                "sync.another", "Another sync is running. Wait until it ends, then try again.", permanent=False
            )
        fingerprint = source_fingerprint(source, contacts, region)
        before = load_last_sync(connection, today=now.date())
        this = Run(connection, source.name, now, began, progress or _silent, before, whole_every)
        if dry_run:
            read = sync_read.read(this, source, contacts, region)
            return _report(this, None, read, _compare(this, read.scope))
        run_id = runs.begin(connection, source.name, now=now)
        try:
            if unless_same and fingerprint and before and before.fingerprint == fingerprint:
                return _as_before(this, run_id, before)
            read = sync_read.read(this, source, contacts, region)
            if source_fingerprint(source, contacts, region) == fingerprint:  # It was not replaced while we read it.
                read = replace(read, fingerprint=fingerprint)
            changes = _compare(this, read.scope)
            if not confirm and not hold.is_within(changes, seen):
                _brake(this, run_id, read.parts, changes, brake_percent)
            return _merge(this, run_id, read, changes, actor)
        except SyncHeld:
            raise
        except UserError as problem:
            runs.fail(connection, run_id, now=this.finished_at, error=problem.sentence)
            raise
        except BaseException as problem:
            runs.fail(connection, run_id, now=this.finished_at, error=type(problem).__name__)
            raise


def _silent(_step: str, _done: int, _total: int) -> None:
    """Nobody watches."""


def _compare(this: Run, scope: SyncScope) -> dict[str, TableChanges]:
    return {table.name: diff_merge.compare(this.connection, table, scope) for table in diff_merge.TABLES}


def _brake(this: Run, run_id: int, parts: Sequence[Part], changes: dict[str, TableChanges], percent: float) -> None:
    try:
        hold.check(this.connection, changes, parts=parts, percent=percent)
    except SyncHeld as stop:
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
        raise SyncHeld(stop.sentence, run_id=run_id) from None


def _merge(this: Run, run_id: int, read: Read, changes: dict[str, TableChanges], actor: str) -> SyncReport:
    told = _report(this, run_id, read, changes)
    for table in diff_merge.TABLES:
        with this.connection.begin():
            if table.name == "contacts":
                edits = _merge_contacts(this, table, actor)
            else:
                diff_merge.apply(this.connection, table)
        if table.name in _NAMING:
            with this.connection.begin():
                refresh_entry_names(this.connection)
        changed = sum(changes[table.name].kinds.values())
        this.progress(table.name, changed, changed)
    frame = remember(this, read)
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
        holds_until=holds_until(this.connection, known, today=this.now.date()),
        is_whole=read.scope.is_whole,
    )
    return replace(told, edits=edits, seconds=this.seconds)


def _as_before(this: Run, run_id: int, before: LastSync) -> SyncReport:
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
            edits=count_edits(this.connection),
            seconds=this.seconds,
            same_as=before.read_at,
        )


def _merge_contacts(this: Run, table: Table, actor: str) -> dict[str, int]:
    prepare_reconcile(this.connection)
    diff_merge.apply(this.connection, table)
    edits = count_verdicts(this.connection)
    reconcile_edits(this.connection, now=this.now, actor=actor)
    return edits


def _report(this: Run, run_id: int | None, read: Read, changes: dict[str, TableChanges]) -> SyncReport:
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
            edits=count_verdicts(connection),
            seconds=this.seconds,
        )
