"""The book of syncs: one row a run, its rejections beside it, and when the SIS was last read to the end."""

from dataclasses import asdict
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, insert, select, text, update
from sqlalchemy.orm import Session

from bot.models import SyncRun, SyncState
from bot.roster.report import TableCounts

FRESH = timedelta(hours=24)
"""What the SIS said longer ago is still shown, and said to be old."""
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
) -> None:
    """Close a run with its counts, and keep its rejections for `KEPT_DAYS`."""
    with connection.begin():
        connection.execute(_FORGET_OLD_REJECTIONS, {"before": now - timedelta(days=KEPT_DAYS)})
        connection.execute(_KEEP_REJECTIONS, {"run_id": run_id})
        told = {name: asdict(one) for name, one in counts.items()}
        closed = update(SyncRun).where(SyncRun.id == run_id)
        connection.execute(closed.values(state=state, finished_at=now, counts=told, error=error))


def fail(connection: Connection, run_id: int, *, now: datetime, error: str) -> None:
    """Close a run that could not go on."""
    with connection.begin():
        closed = update(SyncRun).where(SyncRun.id == run_id)
        connection.execute(closed.values(state=SyncState.FAILED, finished_at=now, error=error))


def last_sync(session: Session) -> datetime | None:
    """When the SIS was last read to the end, or None if it never was."""
    return session.scalar(select(func.max(SyncRun.finished_at)).where(SyncRun.state == SyncState.DONE))
