"""Sending the notices of syncs: each once, to one person, in a direct message.

A notice is claimed and committed before Slack is called, and not sent again unless Slack surely did not take it; only that
the brake holds is sent again rather than never.
"""

import csv
import io
import logging
from http.client import HTTPException

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import db, notices
from bot.errors import UserError, traced
from bot.models import NoticeKind, SyncNotice, SyncRejection, SyncRun, SyncState
from bot.slack import edits_notice, refusals, sending, sync_notice
from bot.slack.card import Card
from bot.slack.desk import Desk
from bot.wording import say

logger = logging.getLogger(__name__)

_MOST_REJECTIONS = 20_000


def send_due(desk: Desk, client: WebClient) -> int:
    """Send every notice that is due; gives how many were handled."""
    return sending.each(desk, notices.claim, lambda notice: _send(desk, client, notice))


def _send(desk: Desk, client: WebClient, notice: SyncNotice) -> bool:
    """False when Slack wants us to ask less often: enough for this round."""
    try:
        user_id = _reader(client, notice)
        card = _drawn(desk, client, notice, user_id) if user_id else None
        if user_id is None or card is None:
            sending.note(desk, notices.failed, notice)
            return True
    except (SlackApiError, OSError, HTTPException) as problem:
        logger.warning("notice %s waits: %s", notice.id, traced(problem))
        sending.note(desk, notices.retry_at, notice, desk.now() + sending.AGAIN)
        return not (isinstance(problem, SlackApiError) and refusals.is_rate(problem))
    return _post(desk, client, notice, user_id, card)


def _reader(client: WebClient, notice: SyncNotice) -> str | None:
    """The Slack user id; None for an address that nobody has here."""
    if notice.kind == NoticeKind.EDITS:
        return notice.reader
    try:
        return str(client.users_lookupByEmail(email=notice.reader)["user"]["id"])
    except SlackApiError as problem:
        if refusals.may_pass(problem):
            raise
        logger.warning("notice %s: nobody here has that address (%s)", notice.id, refusals.word(problem))
        return None


def _drawn(desk: Desk, client: WebClient, notice: SyncNotice, user_id: str) -> Card | None:
    """None for whoever may not read it, or has nothing to read any more."""
    if notice.kind == NoticeKind.EDITS:
        return edits_notice.drawn(desk, client, user_id, notice.sync_run_id)
    try:
        with desk.acting(client, user_id) as (session, _):
            run = session.get_one(SyncRun, notice.sync_run_id)
            return sync_notice.stale(run) if notice.kind == NoticeKind.STALE else sync_notice.report(run)
    except UserError:
        return None


def _post(desk: Desk, client: WebClient, notice: SyncNotice, user_id: str, card: Card) -> bool:
    if not sending.is_ours(desk, notice):
        return True
    try:
        answer = client.chat_postMessage(channel=user_id, text=card.text, blocks=card.blocks)
    except SlackApiError as problem:
        return _refused(desk, notice, problem)
    except (OSError, HTTPException) as problem:
        logger.warning("notice %s: %s", notice.id, traced(problem))
        _unclear(desk, notice)
        return True
    sending.note(desk, notices.told, notice, channel_id=answer["channel"], ts=answer["ts"])
    if notice.kind == NoticeKind.REPORT:
        _send_rejections(desk, client, notice, str(answer["channel"]))
    return True


def _refused(desk: Desk, notice: SyncNotice, problem: SlackApiError) -> bool:
    logger.warning("notice %s: %s", notice.id, refusals.word(problem))
    if refusals.is_rate(problem):
        sending.note(desk, notices.retry_at, notice, desk.now() + refusals.pause(problem))
        return False
    if refusals.is_unclear(problem):
        _unclear(desk, notice)
    else:
        sending.note(desk, notices.failed, notice)
    return True


def _unclear(desk: Desk, notice: SyncNotice) -> None:
    """Slack may have taken it: once is enough, but that the brake holds somebody has to read."""
    with db.transaction(desk.engine) as session:
        run = session.get_one(SyncRun, notice.sync_run_id)
        if notice.kind == NoticeKind.REPORT and run.state == SyncState.BRAKED:
            notices.retry_at(session, notice, desk.now() + sending.AGAIN)
        else:
            notices.failed(session, notice)


def _send_rejections(desk: Desk, client: WebClient, notice: SyncNotice, channel_id: str) -> None:
    """The rejected rows as a file below the report; without it the report still says how many they are."""
    with db.transaction(desk.engine) as session:
        content = _rejections(session, notice.sync_run_id)
    if content is None:
        return
    try:
        client.files_upload_v2(channel=channel_id, filename=f"rejected-{notice.sync_run_id}.csv", content=content)
    except SlackApiError as problem:
        logger.warning("the rejections of notice %s were not sent: %s", notice.id, refusals.word(problem))
    except (OSError, HTTPException) as problem:
        logger.warning("the rejections of notice %s were not sent: %s", notice.id, traced(problem))


def _rejections(session: Session, run_id: int) -> str | None:
    row = SyncRejection
    found = select(row.file, row.line, row.column_name, row.reason).where(row.sync_run_id == run_id)
    rows = session.execute(found.order_by(row.file, row.line, row.id).limit(_MOST_REJECTIONS)).all()
    if not rows:
        return None
    file = io.StringIO(newline="")
    table = csv.writer(file)
    table.writerow([say(f"notice_post.column.{one}") for one in ("file", "line", "column", "reason")])
    table.writerows(rows)
    return file.getvalue()
