"""Works off the reports that people gave us: fetches each from Slack and shows its preview, or counts it and says what was done.

The preview goes into the dialog that is still open, or else into a direct message. Access is checked again at each step.
"""

import logging
import time
from datetime import timedelta
from typing import Any

from slack_sdk import WebClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.access import rights
from bot.access.rights import AccessLevel, Actor
from bot.db import outbox
from bot.db.models.reports import ReportImport, ReportState, ReportStep
from bot.db.session import transaction
from bot.errors import UserError, describe_error
from bot.mass_messages.report import read_report
from bot.mass_messages.report_choices import load_choices
from bot.mass_messages.report_columns import Layout
from bot.mass_messages.report_file import MAX_BYTES, Table
from bot.mass_messages.report_import import find_later_message, import_report
from bot.mass_messages.report_outbox import MAX_ATTEMPTS, claim_report
from bot.mass_messages.report_preview import Preview, ReportFile, open_report, preview_report, write_unclear_rows
from bot.slack.kit import api_errors, files, outbox_worker
from bot.slack.kit.api_errors import Outcome, Result
from bot.slack.kit.blocks import Block, Card
from bot.slack.kit.context import AppContext
from bot.slack.results import cards

logger = logging.getLogger(__name__)

_PAUSES = (0, 0.3, 0.7, 1, 2)
_SLACK_SHOWS_WITHIN = timedelta(seconds=10)
_RETRY = timedelta(minutes=1)
_PUSH_TEXT = "Contact Cleanup has an answer about your report."


def work_due(ctx: AppContext, client: WebClient) -> int:
    """Do the next step of every report that is due; return the number of steps done."""
    return outbox_worker.send_each(ctx, (claim_report, lambda row: _work(ctx, client, row)))


def _work(ctx: AppContext, client: WebClient, row: ReportImport) -> Result[Any] | None:
    step = _read if row.step == ReportStep.READ else _import
    try:
        result = api_errors.call(lambda: step(ctx, client, row))
    except UserError as error:
        if error.permanent or row.attempts >= MAX_ATTEMPTS:
            _fail(ctx, client, row, error.sentence)
        else:
            outbox_worker.retry(ctx, row, _RETRY)
    except Exception as error:  # noqa: BLE001 - one report that cannot be read must not hold up the others.
        logger.error("report %s: %s", row.id, describe_error(error))  # noqa: TRY400 - a traceback may hold a name.
        if row.attempts < MAX_ATTEMPTS:
            outbox_worker.retry(ctx, row, _RETRY)
        else:
            _fail(ctx, client, row, "Something went wrong here. Please report it to the person who runs this.")
    else:
        if result.outcome is not Outcome.DONE:
            _store_refusal(ctx, client, row, result)
        return result
    return None


def _store_refusal(ctx: AppContext, client: WebClient, row: ReportImport, result: Result[Any]) -> None:
    logger.warning("report %s: Slack answered %s", row.id, result.error)
    if result.may_succeed_later and row.attempts < MAX_ATTEMPTS:
        outbox_worker.retry(ctx, row, result.retry_after)
    else:
        _fail(ctx, client, row, f"Slack did not give us the file. {result.advice}")


def _fail(ctx: AppContext, client: WebClient, row: ReportImport, reason: str) -> None:
    outbox_worker.fail(ctx, row, content=None)
    _show(ctx, client, row, cards.failed_card(row, reason))


def _read(ctx: AppContext, client: WebClient, row: ReportImport) -> None:
    """Fetch the report unless that is done, read it, and show its preview with its questions."""
    content = _stored_content(ctx, row)
    if content is None:
        content = _fetch(ctx, client, row)
    with ctx.acting(client, row.user_id) as (session, actor):
        rights.require_importer(actor)
        _, layout, preview = _open(ctx, session, actor, row, content)
        row.questions = cards.questions(preview, layout)
        later = find_later_message(session, row.sent_at)
    values = {"questions": row.questions, "layout_key": layout.key}
    if not outbox_worker.store(ctx, outbox.complete, row, ReportState.READY, **values):
        return
    dialog = cards.preview_dialog(row, preview, layout, later=later)
    if not _update_dialog(ctx, client, row, dialog):
        sentence = preview.facts()[0] if preview else "Please say which columns have the number and the result."
        _send(client, row, cards.waiting_card(row, sentence))


def _stored_content(ctx: AppContext, row: ReportImport) -> bytes | None:
    with transaction(ctx.engine) as session:
        return session.scalar(select(ReportImport.content).where(ReportImport.id == row.id))


def _fetch(ctx: AppContext, client: WebClient, row: ReportImport) -> bytes:
    """Read the file from Slack, store it, and delete it there; where Slack refuses that, the person is asked to."""
    file = files.read_file(client, str(row.file_id), max_bytes=MAX_BYTES)
    row.file_name, row.file_link = file.name, file.link
    values = {"content": file.content, "file_name": file.name, "file_link": file.link}
    if not outbox_worker.store(ctx, outbox.complete, row, ReportState.CLAIMED, **values):
        raise UserError("report.taken_over", "Another process reads your report.", permanent=False)
    if files.withdraw(client, str(row.file_id)).outcome is Outcome.DONE:
        row.file_link = None
        outbox_worker.store(ctx, outbox.complete, row, ReportState.CLAIMED, file_link=None)
    return file.content


def _open(
    ctx: AppContext, session: Session, actor: Actor, row: ReportImport, content: bytes
) -> tuple[Table, Layout, Preview | None]:
    """Return the rows, the columns, and the preview of a report; no preview where columns have to be pointed out first."""
    table, layout = open_report(session, ReportFile(row.file_name, content))
    if layout.missing:
        return table, layout, None
    report = read_report(table, layout, load_choices(session, layout.key), region=ctx.settings.phone_region)
    # Results count for the families that this person may see.
    students = None if actor.level is AccessLevel.DISTRICT else rights.visible_students(actor)
    return table, layout, preview_report(session, report, students=students)


def _import(ctx: AppContext, client: WebClient, row: ReportImport) -> None:
    """Count the report in one transaction; what was done is said after it."""
    content = _stored_content(ctx, row)
    if content is None:
        raise UserError("report.not_found", "The report was given up after a day. Choose it again.")
    now = ctx.now()
    with ctx.acting(client, row.user_id) as (session, actor):
        rights.require_importer(actor)
        current = session.get_one(ReportImport, row.id, with_for_update=True)
        if current.attempts != row.attempts or current.state != ReportState.CLAIMED:
            return
        table, layout, preview = _open(ctx, session, actor, current, content)
        if preview is None:
            raise UserError("report.columns_missing", f"The columns of “{layout.titles[0]}” are not known anymore.")
        settings = ctx.settings
        import_report(
            session, current, preview, now=now, settle_after=settings.settle_after, region=settings.phone_region
        )
    _report_done(ctx, client, row, table, preview)


def _report_done(ctx: AppContext, client: WebClient, row: ReportImport, table: Table, preview: Preview) -> None:
    """Say what was done, in the dialog and in a direct message, with the unclear rows as a file before it."""
    card = cards.done_card(row, preview)
    _update_dialog(ctx, client, row, cards.notice_dialog("✅ Imported. The details are in our direct messages."))
    if preview.problems:
        name = f"results-not-imported-{ctx.now().astimezone(ctx.settings.zone).date()}.csv"
        sent = api_errors.call(lambda: _send_file(ctx, client, row, name, write_unclear_rows(table, preview)))
        if sent.outcome is not Outcome.DONE:
            logger.warning("report %s: its unclear rows were not sent: %s", row.id, sent.error)
    _send(client, row, card)


def _send_file(ctx: AppContext, client: WebClient, row: ReportImport, name: str, content: bytes) -> None:
    channel_id = str(client.conversations_open(users=row.user_id)["channel"]["id"])
    files.send_file(ctx, client, channel_id, name, content)


def _show(ctx: AppContext, client: WebClient, row: ReportImport, card: Card) -> None:
    """Show a card in the dialog, or in a direct message if the dialog is closed."""
    if not _update_dialog(ctx, client, row, cards.card_dialog(card)):
        _send(client, row, card)


def _update_dialog(ctx: AppContext, client: WebClient, row: ReportImport, view: Block) -> bool:
    """Update the dialog, and return False if it is closed. Right after an answer of ours, Slack may not show it yet."""
    is_new = row.due_at is not None and ctx.now() - row.due_at < _SLACK_SHOWS_WITHIN
    for seconds in _PAUSES if is_new else (0,):
        time.sleep(seconds)
        result = api_errors.call(lambda: client.views_update(external_id=str(row.dialog_id), view=view))
        if result.error != "not_found":
            break
    return result.outcome is Outcome.DONE


def _send(client: WebClient, row: ReportImport, card: Card) -> None:
    result = api_errors.call(lambda: client.chat_postMessage(channel=row.user_id, text=_PUSH_TEXT, blocks=card.blocks))
    if result.outcome is not Outcome.DONE:
        logger.warning("report %s: the direct message was not sent: %s", row.id, result.error)
