"""The book of syncs: one row a run, its rejections beside it, and when the SIS was last read to the end."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime, timedelta

from sqlalchemy import Connection, func, insert, select, text, update

from bot.db.models.roster import SyncRun, SyncState
from bot.sis.rows import Part
from bot.sync.fingerprint import LastSync
from bot.sync.report import TableCounts

FRESH = timedelta(hours=24)
"""What the SIS said longer ago is still shown, and said to be old."""
WHOLE_EVERY = timedelta(days=7)
"""How long a source that tells changes is trusted with them: some say nothing of a row that they delete."""
_SAME_NIGHT = timedelta(hours=12)
"""A week after Monday night is Monday night, though it may begin a minute earlier."""
KEPT_DAYS = 30
"""How long the rejections of a run are kept; the run itself stays."""

_KEEP_REJECTIONS = text("""
INSERT INTO sync_rejections (sync_run_id, file, line, column_name, reason)
SELECT :run_id, file, line, column_name, reason FROM stage_rejections ORDER BY file, line
""")
_FORGET_OLD_REJECTIONS = text("""
DELETE FROM sync_rejections WHERE sync_run_id IN (SELECT id FROM sync_runs WHERE started_at < :before)
""")


def begin(connection: Connection, source: str, *, now: datetime) -> int:
    """Open a run. Whoever calls this holds the lock, so a run that still seems to be under way was killed."""
    with connection.begin():
        killed = update(SyncRun).where(SyncRun.state == SyncState.RUNNING)
        connection.execute(killed.values(state=SyncState.FAILED, finished_at=now, error="The sync was cut short."))
        opened = insert(SyncRun).values(source=source, started_at=now, state=SyncState.RUNNING).returning(SyncRun.id)
        return connection.execute(opened).scalar_one()


def finish(
    connection: Connection,
    run_id: int,
    *,
    state: SyncState,
    now: datetime,
    counts: dict[str, TableCounts],
    error: str | None = None,
    parts: Sequence[Part] = (),
    fingerprint: str | None = None,
    frame: str | None = None,
    holds_until: date | None = None,
    is_whole: bool = True,
) -> None:
    """Close a run with its counts, what it read and how far, and keep its rejections for `KEPT_DAYS`."""
    with connection.begin():
        connection.execute(_FORGET_OLD_REJECTIONS, {"before": now - timedelta(days=KEPT_DAYS)})
        connection.execute(_KEEP_REJECTIONS, {"run_id": run_id})
        told = {name: asdict(one) for name, one in counts.items()}
        closed = update(SyncRun).where(SyncRun.id == run_id)
        connection.execute(
            closed.values(
                state=state,
                finished_at=now,
                counts=told,
                error=error,
                # A change that a server dates tomorrow must not hide those of today.
                marks={part.name: min(part.watermark, now).isoformat() for part in parts if part.watermark},
                is_whole=is_whole and not any(part.is_delta for part in parts),
                fingerprint=fingerprint,
                frame=frame,
                holds_until=holds_until,
            )
        )


def finish_as_before(connection: Connection, run_id: int, before: LastSync, *, now: datetime) -> dict[str, TableCounts]:
    """Close a run that found the export of last time: the same was read, and nothing came of it. Gives its counts."""
    counts = {name: TableCounts(one["read"], 0, 0, 0, one["rejected"]) for name, one in before.counts.items()}
    with connection.begin():
        closed = update(SyncRun).where(SyncRun.id == run_id)
        connection.execute(
            closed.values(
                state=SyncState.DONE,
                finished_at=now,
                counts={name: asdict(one) for name, one in counts.items()},
                fingerprint=before.fingerprint,
                frame=before.frame,
                holds_until=before.holds_until,
                is_whole=False,
            )
        )
    return counts


def fail(connection: Connection, run_id: int, *, now: datetime, error: str) -> None:
    """Close a run that could not go on."""
    with connection.begin():
        closed = update(SyncRun).where(SyncRun.id == run_id)
        connection.execute(closed.values(state=SyncState.FAILED, finished_at=now, error=error))


def marks(connection: Connection, source: str, *, now: datetime, whole_every: timedelta) -> dict[str, datetime]:
    """How far each part was read by the last sync; nothing if that read another source, or if it is time to read all."""
    with connection.begin():
        done = select(SyncRun.source, SyncRun.marks).where(SyncRun.state == SyncState.DONE)
        last = connection.execute(done.order_by(SyncRun.started_at.desc()).limit(1)).one_or_none()
    if last is None or last.source != source or is_whole_due(connection, source, now=now, whole_every=whole_every):
        return {}
    return {name: datetime.fromisoformat(told) for name, told in last.marks.items()}


def is_whole_due(connection: Connection, source: str | None, *, now: datetime, whole_every: timedelta) -> bool:
    """Whether `source`, or any, was not read whole for so long that it is time to."""
    with connection.begin():
        whole = select(func.max(SyncRun.started_at)).where(SyncRun.state == SyncState.DONE, SyncRun.is_whole)
        read_whole = connection.scalar(whole.where(SyncRun.source == source) if source else whole)
    return read_whole is None or now - read_whole >= whole_every - _SAME_NIGHT
