"""Outbox of reports that people gave us in Slack: fetched, read, shown, and counted outside of the request.

    submitted          -> pending, step "read"    -> ready: the preview is shown, perhaps with questions
    answered           -> pending, step "read"    -> ready
    Import is pressed  -> pending, step "import"  -> imported -> undone

A crash repeats a step, which changes nothing the second time. What is ready for a day and not imported is given up.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case, delete, exists, select, update
from sqlalchemy.orm import Session

from bot.access.rights import AccessLevel, Actor
from bot.db import outbox
from bot.db.models.messages import MassMessage
from bot.db.models.reports import ReportImport, ReportResult, ReportState, ReportStep
from bot.domain import names
from bot.errors import UserError
from bot.mass_messages.report_import import ResultsMessage
from bot.mass_messages.report_undo import UNDO_PERIOD

# Longer than fetching and counting the largest report takes.
LEASE = timedelta(minutes=10)
MAX_ATTEMPTS = 6
_WAITS_FOR = timedelta(days=1)
_RETENTION = timedelta(days=400)
_LATEST = 20


def recent_messages(session: Session) -> list[ResultsMessage]:
    """Return the latest mass messages, newest first."""
    latest = select(MassMessage).order_by(MassMessage.sent_at.desc(), MassMessage.id).limit(_LATEST)
    return [ResultsMessage(message.id, message.title, message.sent_at) for message in session.scalars(latest)]


def submit_report(
    session: Session,
    message: ResultsMessage,
    *,
    user_id: str,
    file_id: str,
    file_name: str,
    dialog_id: str,
    now: datetime,
) -> None:
    """Store a report to be fetched and read. The same file submitted again changes nothing."""
    if (
        session.scalar(select(ReportImport.id).where(ReportImport.file_id == file_id, ReportImport.user_id == user_id))
        is not None
    ):
        return
    row = ReportImport(
        user_id=user_id,
        opened_at=now,
        due_at=now,
        step=ReportStep.READ,
        message_id=message.id,
        title=message.title,
        sent_at=message.sent_at,
        file_id=file_id,
        file_name=names.clean(file_name),
        dialog_id=dialog_id,
    )
    session.add(row)


def find_report(session: Session, report_id: int, *, actor: Actor) -> ReportImport:
    """Return a report that this person gave us, or any for a person who sees the whole district.

    Raises:
        UserError: there is none.
    """
    row = session.get(ReportImport, report_id)
    if row is None or (row.user_id != actor.user_id and actor.level is not AccessLevel.DISTRICT):
        raise UserError("report.not_found", "This report is gone. Type /cleanup import to start again.")
    return row


def resume(session: Session, report_id: int, step: ReportStep, *, dialog_id: str, now: datetime) -> bool:
    """Make a report due again whose preview a person has answered. Return False if it is on its way or done already."""
    ready = update(ReportImport).where(ReportImport.id == report_id, ReportImport.state == ReportState.READY)
    values = {"state": ReportState.PENDING, "step": step, "due_at": now, "attempts": 0, "dialog_id": dialog_id}
    return session.scalar(ready.values(values).returning(ReportImport.id)) is not None


def latest_report(session: Session, user_id: str) -> ReportImport | None:
    """Return this person's newest report if they can still go on with it: look at its preview, or undo it."""
    newest = (
        select(ReportImport).where(ReportImport.user_id == user_id).order_by(ReportImport.opened_at.desc()).limit(1)
    )
    row = session.scalar(newest)
    if row is None or row.state == ReportState.READY:
        return row
    if row.state != ReportState.IMPORTED or row.imported_at is None:
        return None
    is_past = exists().where(MassMessage.id != row.message_id, MassMessage.settled_at > row.imported_at)
    return None if session.scalar(select(is_past)) else row


def claim_report(session: Session, *, now: datetime) -> ReportImport | None:
    """Lease the next report to work on; one whose lease has expired is tried again, at most six times in all."""
    has_attempts = ReportImport.attempts < MAX_ATTEMPTS
    on_expiry: dict[str, Any] = {"state": case((has_attempts, ReportState.PENDING), else_=ReportState.FAILED)}
    return outbox.claim(session, ReportImport, now=now, lease=LEASE, on_expiry=on_expiry)


def delete_old_reports(session: Session, *, now: datetime) -> int:
    """Delete the files of reports that were not imported within a day, and imports after a year. Return how many.

    What an import changed is kept as long as it can be undone.
    """
    waits = ReportImport.state.in_((ReportState.READY, ReportState.FAILED))
    given_up = update(ReportImport).where(waits, ReportImport.opened_at < now - _WAITS_FOR)
    values = {"state": ReportState.CANCELED, "content": None}
    old = delete(ReportImport).where(ReportImport.opened_at < now - _RETENTION)
    can_be_undone = select(ReportImport.id).where(ReportImport.imported_at > now - UNDO_PERIOD)
    final = delete(ReportResult).where(ReportResult.import_id.not_in(can_be_undone))
    statements = (
        given_up.values(values).returning(ReportImport.id),
        old.returning(ReportImport.id),
        final.returning(ReportResult.import_id),
    )
    return sum(len(session.execute(statement).all()) for statement in statements)
