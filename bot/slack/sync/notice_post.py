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

from bot.db.models.notices import NoticeKind, SyncNotice
from bot.db.models.roster import SyncRejection, SyncRun, SyncState
from bot.db.session import transaction
from bot.errors import UserError, describe_error
from bot.slack.kit import api_errors, outbox_worker
from bot.slack.kit.card import Card
from bot.slack.kit.context import AppContext
from bot.slack.sync import edits_notice
from bot.slack.sync import notice as sync_notice
from bot.sync.notices import claim_notice, mark_failed, mark_sent, schedule_retry
from bot.wording import say

logger = logging.getLogger(__name__)

_MOST_REJECTIONS = 20_000


def send_due(desk: AppContext, client: WebClient) -> int:
    """Send every notice that is due; gives how many were handled."""
    return outbox_worker.send_each(desk, claim_notice, lambda notice: _send(desk, client, notice))


def _send(desk: AppContext, client: WebClient, notice: SyncNotice) -> bool:
    """False when Slack wants us to ask less often: enough for this round."""
    try:
        user_id = _reader(client, notice)
        card = _drawn(desk, client, notice, user_id) if user_id else None
        if user_id is None or card is None:
            outbox_worker.complete(desk, mark_failed, notice)
            return True
    except (SlackApiError, OSError, HTTPException) as problem:
        logger.warning("notice %s waits: %s", notice.id, describe_error(problem))
        outbox_worker.complete(desk, schedule_retry, notice, desk.now() + outbox_worker.RETRY_DELAY)
        return not (isinstance(problem, SlackApiError) and api_errors.is_rate_limited(problem))
    return _post(desk, client, notice, user_id, card)


def _reader(client: WebClient, notice: SyncNotice) -> str | None:
    """The Slack user id; None for an address that nobody has here."""
    if notice.kind == NoticeKind.EDITS:
        return notice.reader
    try:
        return str(client.users_lookupByEmail(email=notice.reader)["user"]["id"])
    except SlackApiError as problem:
        if api_errors.is_retryable(problem):
            raise
        logger.warning("notice %s: nobody here has that address (%s)", notice.id, api_errors.error_code(problem))
        return None


def _drawn(desk: AppContext, client: WebClient, notice: SyncNotice, user_id: str) -> Card | None:
    """None for whoever may not read it, or has nothing to read any more."""
    if notice.kind == NoticeKind.EDITS:
        return edits_notice.drawn(desk, client, user_id, notice.sync_run_id)
    try:
        with desk.acting(client, user_id) as (session, _):
            run = session.get_one(SyncRun, notice.sync_run_id)
            return sync_notice.stale(run) if notice.kind == NoticeKind.STALE else sync_notice.report(run)
    except UserError:
        return None


def _post(desk: AppContext, client: WebClient, notice: SyncNotice, user_id: str, card: Card) -> bool:
    if not outbox_worker.holds_lease(desk, notice):
        return True
    try:
        answer = client.chat_postMessage(channel=user_id, text=card.text, blocks=card.blocks)
    except SlackApiError as problem:
        return _refused(desk, notice, problem)
    except (OSError, HTTPException) as problem:
        logger.warning("notice %s: %s", notice.id, describe_error(problem))
        _unclear(desk, notice)
        return True
    outbox_worker.complete(desk, mark_sent, notice, channel_id=answer["channel"], ts=answer["ts"])
    if notice.kind == NoticeKind.REPORT:
        _send_rejections(desk, client, notice, str(answer["channel"]))
    return True


def _refused(desk: AppContext, notice: SyncNotice, problem: SlackApiError) -> bool:
    logger.warning("notice %s: %s", notice.id, api_errors.error_code(problem))
    if api_errors.is_rate_limited(problem):
        outbox_worker.complete(desk, schedule_retry, notice, desk.now() + api_errors.retry_after(problem))
        return False
    if api_errors.is_ambiguous(problem):
        _unclear(desk, notice)
    else:
        outbox_worker.complete(desk, mark_failed, notice)
    return True


def _unclear(desk: AppContext, notice: SyncNotice) -> None:
    """Slack may have taken it: once is enough, but that the brake holds somebody has to read."""
    with transaction(desk.engine) as session:
        run = session.get_one(SyncRun, notice.sync_run_id)
        if notice.kind == NoticeKind.REPORT and run.state == SyncState.BRAKED:
            schedule_retry(session, notice, desk.now() + outbox_worker.RETRY_DELAY)
        else:
            mark_failed(session, notice)


def _send_rejections(desk: AppContext, client: WebClient, notice: SyncNotice, channel_id: str) -> None:
    """The rejected rows as a file below the report; without it the report still says how many they are."""
    with transaction(desk.engine) as session:
        content = _rejections(session, notice.sync_run_id)
    if content is None:
        return
    try:
        client.files_upload_v2(channel=channel_id, filename=f"rejected-{notice.sync_run_id}.csv", content=content)
    except SlackApiError as problem:
        logger.warning("the rejections of notice %s were not sent: %s", notice.id, api_errors.error_code(problem))
    except (OSError, HTTPException) as problem:
        logger.warning("the rejections of notice %s were not sent: %s", notice.id, describe_error(problem))


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
