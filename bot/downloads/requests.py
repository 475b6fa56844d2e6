"""Downloads on their way. Who dies after a mail left sends it again: twice to the same person is better than never, and both
carry one Message-ID.
"""

from datetime import datetime, timedelta

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from bot.db import outbox
from bot.db.models.downloads import Download, DownloadForm, DownloadState
from bot.errors import UserError

LEASE = timedelta(minutes=15)
"""Longer than the largest list takes to make and send."""
_MOST_ATTEMPTS = 6
_KEPT = timedelta(days=30)
_DRAFT = timedelta(days=1)


def create_draft(session: Session, user_id: str, filter_text: str, *, now: datetime) -> Download:
    """What a dialog is opened for; it carries only the id."""
    row = Download(user_id=user_id, filter_text=filter_text, opened_at=now)
    session.add(row)
    session.flush()
    return row


def request_download(session: Session, download_id: int, user_id: str, form: DownloadForm, *, now: datetime) -> bool:
    """Put a draft on its way; False when that was done before.

    Raises:
        UserError: the dialog is older than a draft is kept, or somebody else's.
    """
    asked = update(Download).where(Download.id == download_id, Download.user_id == user_id)
    values = {"state": DownloadState.PENDING, "form": form, "due_at": now}
    if session.scalar(asked.where(Download.state == DownloadState.DRAFT).values(values).returning(Download.id)):
        return True
    known = select(Download.id).where(Download.id == download_id, Download.user_id == user_id)
    if session.scalar(known) is None:
        raise UserError("download.too_old", "This dialog is too old. Type /cleanup and press Download again.")
    return False


def claim_download(session: Session, *, now: datetime) -> Download | None:
    """The next one to make, for this process alone; commit, then make and send it. None if nothing is due."""
    lapsed = outbox.lease_expired(Download, now=now, lease=LEASE)
    # Whatever ends its maker every time is not made again and again.
    deadly = update(Download).where(lapsed, Download.attempts >= _MOST_ATTEMPTS).values(state=DownloadState.FAILED)
    session.execute(deadly, execution_options={"synchronize_session": False})
    return outbox.claim_row(session, Download, or_(outbox.is_due(Download, now=now), lapsed), now=now)


def mark_posted(session: Session, download: Download, *, channel_id: str, ts: str) -> bool:
    """The message that says how far it is."""
    return outbox.complete(session, download, channel_id=channel_id, ts=ts)


def mark_sent(session: Session, download: Download, *, contacts: int) -> bool:
    return outbox.complete(session, download, state=DownloadState.SENT, contacts=contacts)


def mark_failed(session: Session, download: Download) -> bool:
    return outbox.complete(session, download, state=DownloadState.FAILED)


def schedule_retry(session: Session, download: Download, due_at: datetime) -> bool:
    return outbox.complete(session, download, state=DownloadState.PENDING, due_at=due_at)


def delete_old_drafts(session: Session, *, now: datetime) -> int:
    """Forget dialogs that nobody sent off, and what was sent long ago; the audit keeps who took what. Gives how many."""
    old = or_(
        (Download.state == DownloadState.DRAFT) & (Download.opened_at < now - _DRAFT),
        Download.state.in_((DownloadState.SENT, DownloadState.FAILED)) & (Download.opened_at < now - _KEPT),
    )
    return len(session.execute(delete(Download).where(old).returning(Download.id)).all())
