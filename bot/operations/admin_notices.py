"""Direct messages to administrators about receipts: requests that are refused, and mass messages that no receipts came for. An outbox.

Each episode of refusals from one source is reported once, and a source at most once a day; each mass message once.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, exists, or_, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from bot.access.identity import district_admin_emails
from bot.db import outbox
from bot.db.models.messages import MassMessage
from bot.db.models.notices import AdminNotice, AdminNoticeKind, NoticeState
from bot.db.models.refusals import RefusedRequests
from bot.operations.refusals import MANY, URL_DIFFERS, load_refusals

_DAY = timedelta(days=1)
# Silent messages that became final earlier are no news.
_NEWS = timedelta(days=2)
_RETENTION = timedelta(days=30)
# Two clocks would report the same thing twice.
_LOCK = text("SELECT pg_try_advisory_xact_lock(hashtextextended('admin notices', 0))")


def enqueue_admin_notices(session: Session, *, admins: Sequence[str], now: datetime) -> int:
    """Enqueue what administrators have to know now, and return how many notices are new.

    `admins` are emails; if there are none, the SIS's district administrators get them.
    """
    if not session.scalar(_LOCK):
        return 0
    news = [(AdminNoticeKind.REFUSED, source) for source in _refused_sources(session, now)]
    news += [(AdminNoticeKind.SILENT, message_id) for message_id in _silent_messages(session, now)]
    readers = (admins or district_admin_emails(session)) if news else ()
    rows = [
        {"kind": kind, "about": about, "reader": reader, "made_at": now, "due_at": now}
        for kind, about in news
        for reader in readers
    ]
    if rows:
        session.execute(insert(AdminNotice).values(rows))
    return len(rows)


def _refused_sources(session: Session, now: datetime) -> list[str]:
    """Return the sources with a problem of ours that was not reported in this episode of it, nor within a day."""
    sources = {refusals.source for refusals in load_refusals(session, now=now) if refusals.is_our_problem}
    return [source for source in sorted(sources) if not _was_reported(session, source, now)]


def _was_reported(session: Session, source: str, now: datetime) -> bool:
    of_source = AdminNotice.kind == AdminNoticeKind.REFUSED, AdminNotice.about == source
    reported_at = session.scalar(
        select(AdminNotice.made_at).where(*of_source).order_by(AdminNotice.made_at.desc()).limit(1)
    )
    return reported_at is not None and (reported_at > now - _DAY or reported_at >= _episode_start(session, source, now))


def _episode_start(session: Session, source: str, now: datetime) -> datetime:
    """Return the first hour of the trouble with a source that is going on: since then, no day was without it."""
    is_trouble = or_(RefusedRequests.count >= MANY, RefusedRequests.reason.startswith(URL_DIFFERS))
    hours = select(RefusedRequests.hour).where(RefusedRequests.source == source, is_trouble).distinct()
    start = now
    for hour in session.scalars(hours.order_by(RefusedRequests.hour.desc())):
        if start - hour > _DAY:
            break
        start = hour
    return start


def _silent_messages(session: Session, now: datetime) -> Sequence[str]:
    is_reported = exists().where(AdminNotice.kind == AdminNoticeKind.SILENT, AdminNotice.about == MassMessage.id)
    silent = select(MassMessage.id).where(MassMessage.silent_at > now - _NEWS)
    return session.scalars(silent.where(~is_reported).order_by(MassMessage.sent_at)).all()


def claim_admin_notice(session: Session, *, now: datetime) -> AdminNotice | None:
    """Lease the next pending notice; one whose lease has expired may have been sent, and is not sent again."""
    return outbox.claim(session, AdminNotice, now=now, on_expiry={"state": NoticeState.FAILED})


def delete_old_admin_notices(session: Session, *, now: datetime) -> int:
    """Delete notices after a month, and return how many."""
    old = delete(AdminNotice).where(AdminNotice.made_at < now - _RETENTION)
    return len(session.scalars(old.returning(AdminNotice.id)).all())
