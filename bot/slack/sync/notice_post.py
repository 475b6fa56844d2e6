"""Sends the notices of syncs, each once, to one person, in a direct message.

A notice waits while Slack refuses our token or asks us to wait. Where the answer was lost, or Slack failed, it may have arrived and is
looked up. If that is not possible it is not sent again; only the report of a held sync is, because nothing is synced until a person
has read it.
"""

import csv
import io
import logging
from datetime import timedelta
from typing import Any

from slack_sdk import WebClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from bot.access.rights import AccessLevel
from bot.db import outbox
from bot.db.models.notices import NoticeKind, NoticeState, SyncNotice
from bot.db.models.roster import SyncRun
from bot.db.session import transaction
from bot.domain import spreadsheet
from bot.domain.spreadsheet import escape_cell
from bot.errors import UserError
from bot.slack.kit import api_errors, files, look_up, outbox_worker
from bot.slack.kit.api_errors import Outcome, Result
from bot.slack.kit.blocks import Card
from bot.slack.kit.context import AppContext
from bot.slack.sync import edits_notice
from bot.slack.sync import notice as sync_notice
from bot.sync.hold import undecided_run
from bot.sync.notices import are_rejections_new, claim_ambiguous, claim_notice, mark_ambiguous, settle_unclear

logger = logging.getLogger(__name__)

_EVENT_TYPE = "contact_cleanup_notice"
_MAX_REJECTIONS = 20_000
_REJECTIONS = text("""
SELECT coalesce(s.given_name || ' ' || s.family_name, children.names) AS student, c.given_name || ' ' || c.family_name AS contact,
       r.sourced_id, r.file, r.line, r.column_name, r.reason
FROM sync_rejections r
LEFT JOIN students s ON s.sourced_id = r.sourced_id
LEFT JOIN contacts c ON c.sourced_id = r.sourced_id
LEFT JOIN LATERAL (
    SELECT string_agg(x.given_name || ' ' || x.family_name, ', ' ORDER BY x.id) AS names
    FROM student_contacts l JOIN students x ON x.id = l.student_id WHERE l.contact_id = c.id AND l.active
) AS children ON TRUE
WHERE r.sync_run_id = :run ORDER BY r.file, r.line, r.id LIMIT :most
""")


def send_due(ctx: AppContext, client: WebClient) -> int:
    """Send every notice that is due; return the number sent."""
    return outbox_worker.send_each(
        ctx,
        (claim_ambiguous, lambda notice: _look_up(ctx, client, notice)),
        (claim_notice, lambda notice: _send(ctx, client, notice)),
    )


def _send(ctx: AppContext, client: WebClient, notice: SyncNotice) -> Result[Any] | None:
    prepared = api_errors.call(lambda: _prepare(ctx, client, notice))
    if prepared.may_succeed_later:
        return outbox_worker.wait(ctx, notice, prepared)
    if prepared.answer is None:
        logger.warning("notice %s has no reader: %s", notice.id, prepared.error or "no access")
        outbox_worker.fail(ctx, notice)
        return None
    user_id, card = prepared.answer
    return _post(ctx, client, notice, user_id, card) if outbox_worker.holds_lease(ctx, notice) else None


def _post(ctx: AppContext, client: WebClient, notice: SyncNotice, user_id: str, card: Card) -> Result[Any]:
    metadata = {"event_type": _EVENT_TYPE, "event_payload": {"key": notice.key}}
    result = api_errors.call(
        lambda: client.chat_postMessage(channel=user_id, text=card.text, blocks=card.blocks, metadata=metadata)
    )
    if result.answer is not None:
        _mark_sent(ctx, client, notice, channel_id=str(result.answer["channel"]), ts=str(result.answer["ts"]))
        return result
    # First, because Slack may have accepted it although it asks us to come back later.
    if result.may_have_arrived:
        logger.warning("notice %s may have arrived: %s", notice.id, result.error)
        outbox_worker.store(ctx, mark_ambiguous, notice, now=ctx.now())
        return result
    if result.ends_round:
        return outbox_worker.wait(ctx, notice, result)
    logger.warning("notice %s: %s. %s", notice.id, result.error, result.advice)
    outbox_worker.fail(ctx, notice)
    return result


def _mark_sent(ctx: AppContext, client: WebClient, notice: SyncNotice, *, channel_id: str, ts: str) -> None:
    outbox_worker.store(ctx, outbox.complete, notice, NoticeState.SENT, channel_id=channel_id, ts=ts)
    if notice.kind == NoticeKind.REPORT:
        _send_rejections(ctx, client, notice, channel_id)


def _look_up(ctx: AppContext, client: WebClient, notice: SyncNotice) -> Result[Any]:
    """Look up an ambiguous notice in the direct messages with its reader; send it again only if it is not there."""
    result = api_errors.call(lambda: _find(client, notice))
    if result.may_succeed_later and result.error not in look_up.SCOPE_IS_OPTIONAL:
        logger.warning("notice %s could not be looked up yet: %s", notice.id, result.error)
        return result
    channel_id, ts, is_complete = result.answer or ("", None, False)
    if ts is not None:
        _mark_sent(ctx, client, notice, channel_id=channel_id, ts=ts)
    elif is_complete:
        outbox_worker.retry(ctx, notice, timedelta())
    else:
        logger.warning("notice %s cannot be looked up: %s", notice.id, result.error or "too many messages since")
        outbox_worker.store(ctx, settle_unclear, notice, now=ctx.now())
    return Result(Outcome.DONE)


def _find(client: WebClient, notice: SyncNotice) -> tuple[str, str | None, bool]:
    """Return the channel of the reader's direct messages, and as `look_up.find_message`."""
    channel_id = str(client.conversations_open(users=_reader_id(client, notice))["channel"]["id"])
    return channel_id, *look_up.find_message(client, channel_id, notice.key, claimed_at=notice.claimed_at)


def _prepare(ctx: AppContext, client: WebClient, notice: SyncNotice) -> tuple[str, Card] | None:
    """Return the reader's Slack user id and the card, or None if the reader may not read it.

    Raises:
        SlackApiError: Slack did not say who the reader is, or no user has that email.
    """
    user_id = _reader_id(client, notice)
    card = _load_card(ctx, client, notice, user_id)
    return (user_id, card) if card else None


def _reader_id(client: WebClient, notice: SyncNotice) -> str:
    if notice.kind == NoticeKind.EDITS:
        return notice.reader
    return str(client.users_lookupByEmail(email=notice.reader)["user"]["id"])


def _load_card(ctx: AppContext, client: WebClient, notice: SyncNotice, user_id: str) -> Card | None:
    if notice.kind == NoticeKind.EDITS:
        return edits_notice.load_card(ctx, client, user_id, notice.sync_run_id)
    try:
        with ctx.acting(client, user_id) as (session, actor):
            if actor.level is not AccessLevel.DISTRICT:  # Someone else shares the address of an administrator.
                return None
            run = session.get_one(SyncRun, notice.sync_run_id)
            if notice.kind == NoticeKind.STALE:
                return sync_notice.stale_card(run, undecided_run(session))
            return sync_notice.report_card(run, has_new_rejections=are_rejections_new(session, run))
    except UserError:
        return None


def _send_rejections(ctx: AppContext, client: WebClient, notice: SyncNotice, channel_id: str) -> None:
    """Send the rejected rows as a file below the report, unless its reader has the same already; if that fails, the report still says
    how many they are.
    """
    with transaction(ctx.engine) as session:
        is_new = are_rejections_new(session, session.get_one(SyncRun, notice.sync_run_id))
        content = _rejections_csv(session, notice.sync_run_id) if is_new else None
    if content is None:
        return
    name = f"rejected-{notice.sync_run_id}.csv"
    result = api_errors.call(lambda: files.send_file(ctx, client, channel_id, name, content.encode()))
    if result.error:
        logger.warning("the rejected rows of notice %s were not sent: %s", notice.id, result.error)


def _rejections_csv(session: Session, run_id: int) -> str | None:
    """Return the rejections with the people whose rows they are: a student, or a contact and its students."""
    rows = session.execute(_REJECTIONS, {"run": run_id, "most": _MAX_REJECTIONS}).all()
    if not rows:
        return None
    file = io.StringIO(newline="")
    file.write(spreadsheet.BYTE_ORDER_MARK)
    table = csv.writer(file)
    table.writerow(["student", "contact", "id in the SIS", "file", "line", "column", "reason"])
    table.writerows(["" if cell is None else escape_cell(str(cell)) for cell in row] for row in rows)
    return file.getvalue()
