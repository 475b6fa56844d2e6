"""One sync from start to end: read, compare, hold, merge. Only one runs at a time; a second one fails at once.

Each table is merged in its own transaction. A sync that is killed leaves every table as it was before or as it is after, and the
next one, which compares again, completes it.
"""

import time
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from bot.cleanup_list.membership import refresh_entry_names
from bot.cleanup_list.noted_numbers import refresh_noted_numbers
from bot.db.advisory_locks import SYNC_LOCK, advisory_lock
from bot.db.models.roster import SyncState
from bot.errors import UserError
from bot.sis.rows import Source
from bot.sync import completeness, diff_merge, ended_rights, hold, identity, read, reconcile, report, runs
from bot.sync.diff_merge import TableChanges
from bot.sync.hold import Approval, SyncHeld
from bot.sync.hold_checks import Reason
from bot.sync.read import ReadResult
from bot.sync.report import SyncReport
from bot.sync.runs import LastSync, SyncContext
from bot.sync.stage import Progress

# The cleanup list is searched by names from these tables. Its copy of them is refreshed after each, in a transaction of its own,
# because it may have to wait for the list's lock. It reads the names of every entry, so only where some may differ.
_TABLES_WITH_ENTRY_NAMES = {"students", "contacts", "student_contacts"}
_APPROVED_ANOTHER = "The export is not the one that was approved before, so it needs a decision of its own."


def run_sync(
    engine: Engine,
    source: Source,
    *,
    contacts: Path | None = None,
    now: datetime,
    region: str,
    hold_percent: float,
    actor: str = "sync",
    progress: Progress | None = None,
    confirm: bool = False,
    approval: Approval | None = None,
    whole_every: timedelta = runs.WHOLE_EVERY,
    unless_same: bool = False,
    dry_run: bool = False,
) -> SyncReport:
    """Sync our roster with `source`, and with the CSV `contacts` beside it.

    `now` is in the district's time zone: its date decides which terms and roles are over. `region` is the country of numbers without a
    country code. `progress(step, done, total)` gets bytes for each file and rows for each table. `confirm` writes even where the sync
    would be held; `approval`, by a person for a held run, writes only the export that this person looked at; any other is held again.
    `whole_every`: in between, a source that reports changes is read by changes, and an export by the lines that changed. `unless_same`
    skips an export that is the one of the last sync. `dry_run` reports what would change, and why it would be held, and writes nothing.

    Raises:
        UserError: the source or a file that is needed cannot be read, there is no student, or another sync is running.
        SyncHeld: there are reasons (`hold.find_reasons`), which a person has to look at; nothing was written.
    """
    started = time.monotonic()
    with advisory_lock(engine, SYNC_LOCK) as connection:
        if connection is None:
            raise UserError(
                "sync.already_running", "Another sync is running. Wait until it ends, then try again.", permanent=False
            )
        fingerprint = runs.source_fingerprint(source, contacts=contacts, region=region)
        previous = runs.load_last_sync(connection, today=now.date())
        progress = progress or (lambda _step, _done, _total: None)
        context = SyncContext(connection, source.name, now, started, progress, previous, whole_every)
        if dry_run:
            result = read.read_source(context, source, contacts=contacts, region=region)
            changes = _check_and_compare(context, None, result)
            reasons = [] if confirm else _find_reasons(context, result, changes, hold_percent)
            dry_report = _build_report(context, None, result, changes)
            return replace(dry_report, hold_reasons=tuple(reasons), state=SyncState.HELD if reasons else SyncState.DONE)
        run_id = runs.begin(connection, source.name, now=now)
        try:
            if unless_same and fingerprint and previous and previous.fingerprint == fingerprint:
                return _finish_unchanged(context, run_id, previous)
            result = read.read_source(context, source, contacts=contacts, region=region)
            # A file that was replaced while it was read has no fingerprint.
            if runs.source_fingerprint(source, contacts=contacts, region=region) == fingerprint:
                result = replace(result, fingerprint=fingerprint)
            changes = _check_and_compare(context, run_id, result)
            is_approved = approval is not None and approval.covers(result.export_id, changes)
            if not confirm and not is_approved:
                _hold_if_needed(context, run_id, result, changes, hold_percent, approval=approval)
            return _merge(context, run_id, result, changes, actor)
        except SyncHeld:
            raise
        except BaseException as error:
            sentence = error.sentence if isinstance(error, UserError) else type(error).__name__
            runs.fail(connection, run_id, now=context.finished_at, error=sentence)
            raise


def _check_and_compare(context: SyncContext, run_id: int | None, result: ReadResult) -> dict[str, TableChanges]:
    """Return the differences. A read that is not complete enough fails, with its rejections stored."""
    try:
        completeness.require_files(context.connection, result.parts)
        changes = _compare(context, result)
        completeness.require_students(changes, result.parts)
    except UserError:
        if run_id is not None:
            runs.store_rejections(context.connection, run_id, now=context.finished_at)
        raise
    return changes


def _compare(context: SyncContext, result: ReadResult) -> dict[str, TableChanges]:
    return {table.name: diff_merge.compare(context.connection, table, result.scope) for table in diff_merge.TABLES}


def _find_reasons(
    context: SyncContext, result: ReadResult, changes: dict[str, TableChanges], percent: float
) -> list[Reason]:
    with context.connection.begin():
        people = identity.load_report(context.connection)
    return hold.find_reasons(
        context.connection,
        changes,
        parts=result.parts,
        percent=percent,
        today=context.now.date(),
        changes_at_risk=people.at_risk,
    )


def _hold_if_needed(
    context: SyncContext,
    run_id: int,
    result: ReadResult,
    changes: dict[str, TableChanges],
    percent: float,
    *,
    approval: Approval | None,
) -> None:
    connection = context.connection
    reasons = _find_reasons(context, result, changes, percent)
    if not reasons:
        return
    sentence = hold.hold_sentence(reasons)
    if approval is not None:
        sentence = f"{_APPROVED_ANOTHER} {sentence}"
    sentence += ended_rights.end_rights(
        connection,
        changes,
        parts=result.parts,
        percent=percent,
        today=context.now.date(),
        doubts_staff=any(reason.doubts_staff for reason in reasons),
    )
    with connection.begin():
        counts = report.table_counts(connection, changes)
        people = identity.load_report(connection)
    runs.finish(
        connection,
        run_id,
        state=SyncState.HELD,
        now=context.finished_at,
        counts=counts,
        error=sentence,
        hold_reasons=[asdict(reason) for reason in reasons],
        fingerprint=result.export_id,
        identity=asdict(people),
    )
    raise SyncHeld(sentence, run_id=run_id)


def _merge(
    context: SyncContext, run_id: int, result: ReadResult, changes: dict[str, TableChanges], actor: str
) -> SyncReport:
    connection = context.connection
    sync_report = _build_report(context, run_id, result, changes)
    for table in diff_merge.TABLES:
        with connection.begin():
            if table.name == "contacts":
                reconcile.prepare_reconcile(connection)
                diff_merge.apply(connection, table)
                edits = reconcile.count_verdicts(connection)
                reconcile.reconcile_edits(connection, now=context.now, actor=actor)
            else:
                diff_merge.apply(connection, table)
            if table.name == "student_contacts":
                reconcile.end_agreed_removals(connection, now=context.now, actor=actor)
        diff_merge.analyze_if_grown(connection, table, changes[table.name])
        changed = sum(changes[table.name].counts.values())
        # The last sync may have been killed between the table and its names.
        if table.name in _TABLES_WITH_ENTRY_NAMES and (changed or context.previous is None):
            with connection.begin():
                refresh_entry_names(connection)
        context.progress(table.name, changed, changed)
    identity.store_ids(connection, now=context.now, actor=actor)
    with connection.begin(), Session(connection) as session:
        refresh_noted_numbers(session, now=context.now)
        session.flush()
    layout_hash = read.save_lines(context, result)
    # Read whole, every date in the export was staged; otherwise, the previous sync knew the other dates.
    previous = None if result.scope.is_whole else context.previous
    runs.finish(
        connection,
        run_id,
        state=SyncState.DONE,
        now=context.finished_at,
        counts=sync_report.counts,
        parts=result.parts,
        is_whole=result.scope.is_whole,
        fingerprint=result.fingerprint,
        layout_hash=layout_hash,
        identity=asdict(sync_report.identity),
        valid_until=runs.next_date(connection, previous, today=context.now.date()),
    )
    return replace(sync_report, edits=edits, seconds=context.seconds)


def _build_report(
    context: SyncContext, run_id: int | None, result: ReadResult, changes: dict[str, TableChanges]
) -> SyncReport:
    connection = context.connection
    with connection.begin():
        return SyncReport(
            run_id=run_id,
            source=context.source,
            counts=report.table_counts(connection, changes),
            totals=report.target_totals(connection, changes, result.scope),
            edits=reconcile.count_verdicts(connection),
            seconds=context.seconds,
            files=report.file_counts(connection, result.parts),
            rejections=report.first_rejections(connection),
            notes=report.note_counts(connection, result.scope),
            identity=identity.load_report(connection),
        )


def _finish_unchanged(context: SyncContext, run_id: int, previous: LastSync) -> SyncReport:
    connection = context.connection
    counts = runs.finish_unchanged(connection, run_id, previous, now=context.finished_at)
    with connection.begin():
        return SyncReport(
            run_id=run_id,
            source=context.source,
            counts=counts,
            totals=report.current_totals(connection),
            edits=reconcile.count_edits(connection),
            seconds=context.seconds,
            same_as=previous.started_at,
        )
