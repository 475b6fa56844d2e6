"""Outbox of downloads. A crash after an email left sends it again: twice to the same person is better than never, and both
emails carry one Message-ID.
"""

from datetime import datetime, timedelta

from sqlalchemy import case, delete, or_, select, update
from sqlalchemy.orm import Session

from bot.db import outbox
from bot.db.models.downloads import Download, DownloadForm, DownloadState
from bot.errors import UserError

# Longer than making and sending the largest list takes.
LEASE = timedelta(minutes=15)
# A list that crashes its worker every time is not made again and again.
_MAX_ATTEMPTS = 6
_DRAFT_RETENTION = timedelta(days=1)
_RETENTION = timedelta(days=30)


def create_draft(session: Session, user_id: str, filter_text: str, *, now: datetime) -> Download:
    """Store the list that a dialog is about, so that the dialog carries only an id."""
    draft = Download(user_id=user_id, filter_text=filter_text, opened_at=now)
    session.add(draft)
    session.flush()
    return draft


def request_download(session: Session, download_id: int, user_id: str, form: DownloadForm, *, now: datetime) -> bool:
    """Make a draft pending; return False if it was requested before.

    Raises:
        UserError: the draft was deleted, or is another user's.
    """
    own = Download.id == download_id, Download.user_id == user_id
    draft = update(Download).where(*own, Download.state == DownloadState.DRAFT)
    requested = draft.values(state=DownloadState.PENDING, form=form, due_at=now)
    if session.scalar(requested.returning(Download.id)) is not None:
        return True
    if session.scalar(select(Download.id).where(*own)) is None:
        raise UserError("download.too_old", "This dialog is too old. Type /cleanup and press Download again.")
    return False


def claim_download(session: Session, *, now: datetime) -> Download | None:
    """Lease the next download to make and send; one whose lease has expired is made again, at most six times in all."""
    has_attempts = Download.attempts < _MAX_ATTEMPTS
    on_expiry = {"state": case((has_attempts, DownloadState.PENDING), else_=DownloadState.FAILED)}
    return outbox.claim(session, Download, now=now, lease=LEASE, on_expiry=on_expiry)


def delete_old_downloads(session: Session, *, now: datetime) -> int:
    """Delete drafts after a day and sent or failed downloads after 30; the audit keeps who downloaded what. Return how many."""
    old = or_(
        (Download.state == DownloadState.DRAFT) & (Download.opened_at < now - _DRAFT_RETENTION),
        Download.state.in_((DownloadState.SENT, DownloadState.FAILED)) & (Download.opened_at < now - _RETENTION),
    )
    return len(session.execute(delete(Download).where(old).returning(Download.id)).all())
