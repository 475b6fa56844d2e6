"""Notices on their way: at most one for each (sync, person), claimed and committed before Slack is called.

Who dies in between, or does not hear Slack's answer, leaves a report unsent rather than sent twice; only that the brake
holds is told again, because nothing is synced until somebody has read it.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import case, exists, literal, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased

from bot import access
from bot.db import outbox
from bot.db.models.edits import Edit, EditState
from bot.db.models.notices import NoticeKind, NoticeState, SyncNotice
from bot.db.models.roster import Staff, StaffRole, SyncRun, SyncState

LEASE = timedelta(minutes=2)
"""Longer than a call to Slack takes."""
_STALE = timedelta(hours=26)
"""A day, and the time that the next night's sync may take."""
_RECENT = timedelta(days=2)


def enqueue_notices(session: Session, *, admins: Sequence[str], now: datetime) -> int:
    """Put on their way what is to be told of the syncs that ended lately; `admins` are e-mails, and where there are none those
    whom the SIS calls administrators of the district read it. The same again adds none.

    Returns how many are new.
    """
    admins = admins or _managers(session)
    recent = select(SyncRun).where(SyncRun.finished_at > now - _RECENT, SyncRun.state != SyncState.RUNNING)
    new = 0
    for run in session.scalars(recent.order_by(SyncRun.id)).all():
        if _is_news(session, run):
            new += _add(session, run, NoticeKind.REPORT, admins, now=now)
        new += _add(session, run, NoticeKind.EDITS, _editors(session, run), now=now)
    return new + _enqueue_stale(session, admins, now)


def _managers(session: Session) -> Sequence[str]:
    of_district = select(Staff.email).join(StaffRole, StaffRole.staff_id == Staff.id)
    known = of_district.where(StaffRole.role.in_(access.DISTRICT_ROLES), Staff.active, Staff.email.is_not(None))
    return [email for email in session.scalars(known.distinct().order_by(Staff.email)) if email]


def _is_news(session: Session, run: SyncRun) -> bool:
    """A night in which nothing changed is none, nor the same failure or the same rejections again."""
    earlier = select(SyncRun).where(SyncRun.id < run.id, SyncRun.state != SyncState.RUNNING)
    before = session.scalar(earlier.order_by(SyncRun.id.desc()).limit(1))
    if run.state == SyncState.BRAKED:
        return True
    if run.state == SyncState.FAILED:
        return before is None or (before.state, before.error) != (run.state, run.error)
    if before is None or before.state != SyncState.DONE:
        return True
    return _moved(run) > 0 or _rejected(run) != _rejected(before)


def _moved(run: SyncRun) -> int:
    return sum(one[kind] for one in run.counts.values() for kind in ("added", "changed", "inactive"))


def _rejected(run: SyncRun) -> int:
    return sum(one["rejected"] for one in run.counts.values())


def _editors(session: Session, run: SyncRun) -> Sequence[str]:
    """Whose edits this sync found in the SIS, or found it to disagree with."""
    touched = select(Edit.made_by).where(Edit.sis_at == run.started_at)
    return session.scalars(touched.where(Edit.state.in_((EditState.ABSORBED, EditState.CONFLICT))).distinct()).all()


def _enqueue_stale(session: Session, admins: Sequence[str], now: datetime) -> int:
    """Once for each day since the SIS was last read to its end, when that is more than a day ago."""
    done = select(SyncRun).where(SyncRun.state == SyncState.DONE).order_by(SyncRun.finished_at.desc())
    last = session.scalar(done.limit(1))
    if last is None or last.finished_at is None or last.finished_at > now - _STALE:
        return 0
    days = (now - last.finished_at) // timedelta(days=1)
    return _add(session, last, NoticeKind.STALE, admins, now=now, about=f"{days} days")


def _add(
    session: Session, run: SyncRun, kind: NoticeKind, readers: Sequence[str], *, now: datetime, about: str = ""
) -> int:
    rows = [
        {"sync_run_id": run.id, "kind": kind, "reader": reader, "about": about, "due_at": now} for reader in readers
    ]
    if not rows:
        return 0
    added = insert(SyncNotice).values(rows).on_conflict_do_nothing().returning(SyncNotice.id)
    return len(session.scalars(added).all())


def claim_notice(session: Session, *, now: datetime) -> SyncNotice | None:
    """The next notice to send, for this process alone; commit, then call Slack. None if nothing is due."""
    braked = aliased(SyncRun)
    tells_of_brake = exists().where(
        braked.id == SyncNotice.sync_run_id, braked.state == SyncState.BRAKED, SyncNotice.kind == NoticeKind.REPORT
    )
    left = update(SyncNotice).where(outbox.lease_expired(SyncNotice, now=now, lease=LEASE))
    again = case((tells_of_brake, literal(NoticeState.PENDING)), else_=literal(NoticeState.FAILED))
    session.execute(left.values(state=again), execution_options={"synchronize_session": False})
    return outbox.claim_row(session, SyncNotice, outbox.is_due(SyncNotice, now=now), now=now)


def mark_sent(session: Session, notice: SyncNotice, *, channel_id: str, ts: str) -> bool:
    """Slack took it as this message."""
    return outbox.complete(session, notice, state=NoticeState.TOLD, channel_id=channel_id, ts=ts)


def mark_failed(session: Session, notice: SyncNotice) -> bool:
    """It cannot be told, or nobody knows whether it was."""
    return outbox.complete(session, notice, state=NoticeState.FAILED)


def schedule_retry(session: Session, notice: SyncNotice, due_at: datetime) -> bool:
    """Slack surely did not take it, or it is told again rather than never."""
    return outbox.complete(session, notice, state=NoticeState.PENDING, due_at=due_at)


def notices_of_run(session: Session, run_id: int) -> list[SyncNotice]:
    """The reports of a sync that stand in somebody's messages."""
    rows = select(SyncNotice).where(SyncNotice.sync_run_id == run_id, SyncNotice.kind == NoticeKind.REPORT)
    return list(session.scalars(rows.where(SyncNotice.state == NoticeState.TOLD).order_by(SyncNotice.id)))
