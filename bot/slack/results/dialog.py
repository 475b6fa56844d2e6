"""*Import results…*: the dialog for the file, answers to its questions, *Import*, and *Undo*.

The dialog is acknowledged at once. Fetching, reading, and counting happen in the lazy half, or in the clock if that fails.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from slack_bolt import Ack, App
from slack_sdk import WebClient
from sqlalchemy.orm import Session

from bot.access import rights
from bot.access.rights import Actor
from bot.db.models.reports import ReportImport, ReportState, ReportStep
from bot.db.session import transaction
from bot.errors import UserError
from bot.mass_messages import report_outbox
from bot.mass_messages.report_choices import remember_columns, remember_words
from bot.mass_messages.report_columns import Column
from bot.mass_messages.report_import import ResultsMessage, find_message
from bot.mass_messages.report_undo import undo_import
from bot.mass_messages.report_words import Meaning
from bot.slack.kit import respond
from bot.slack.kit.context import AppContext
from bot.slack.kit.error_handler import run_after_response
from bot.slack.kit.private_metadata import read_ids, read_inputs, refusing_older_versions
from bot.slack.results import cards, ids, worker

_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_CLOCKS_DIFFER = timedelta(hours=1)


def register(app: App, ctx: AppContext) -> None:
    @app.action(ids.OPEN)
    def open_from_button(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        ack()
        open_upload(ctx, client, body)

    def work(client: WebClient) -> None:
        run_after_response("reports", lambda: worker.work_due(ctx, client))

    def submit(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        view, now, dialog_id = body["view"], ctx.now(), _new_dialog_id()
        with refusing_older_versions():
            values = read_inputs(view)
            file = values[ids.FILE][0]
            file_id, file_name = str(file["id"]), str(file["name"])
        with ctx.acting(client, body["user"]["id"]) as (session, actor):
            rights.require_importer(actor)
            message = _message(session, values, now=now)
            report_outbox.submit_report(
                session,
                message,
                user_id=actor.user_id,
                file_id=file_id,
                file_name=file_name,
                dialog_id=dialog_id,
                now=now,
            )
        ack(response_action="update", view=cards.notice_dialog(cards.READING, dialog_id=dialog_id))

    def answer(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        view, now, dialog_id = body["view"], ctx.now(), _new_dialog_id()
        (report_id,) = read_ids(view["private_metadata"], count=1)
        with ctx.acting(client, body["user"]["id"]) as (session, actor):
            rights.require_importer(actor)
            row = report_outbox.find_report(session, report_id, actor=actor)
            is_answer = bool(row.questions)
            if is_answer and row.state == ReportState.READY:
                _remember(session, row, read_inputs(view), actor, now=now)
            step = ReportStep.READ if is_answer else ReportStep.IMPORT
            report_outbox.resume(session, report_id, step, dialog_id=dialog_id, now=now)
        ack(
            response_action="update",
            view=cards.notice_dialog(cards.READING if is_answer else cards.IMPORTING, dialog_id=dialog_id),
        )

    app.view(ids.SUBMITTED)(ack=submit, lazy=[work])
    app.view(ids.ANSWERED)(ack=answer, lazy=[work])
    _register_buttons(app, ctx, work)


def _register_buttons(app: App, ctx: AppContext, work: Callable[[WebClient], None]) -> None:
    def open_preview(ack: Ack, body: dict[str, Any], client: WebClient, action: dict[str, Any]) -> None:
        ack()
        (report_id,) = read_ids(action["value"], count=1)
        with ctx.acting(client, body["user"]["id"]) as (session, actor):
            rights.require_importer(actor)
            row = report_outbox.find_report(session, report_id, actor=actor)
            if row.state != ReportState.READY:
                raise UserError("report.not_waiting", "This report does not wait anymore. Type /cleanup import.")
        dialog_id = _new_dialog_id()
        respond.open_dialog(client, body, cards.notice_dialog(cards.READING, dialog_id=dialog_id))
        with transaction(ctx.engine) as session:
            report_outbox.resume(session, report_id, ReportStep.READ, dialog_id=dialog_id, now=ctx.now())

    @app.action(ids.UNDO)
    def undo(ack: Ack, body: dict[str, Any], client: WebClient, action: dict[str, Any]) -> None:
        ack()
        (report_id,) = read_ids(action["value"], count=1)
        with ctx.acting(client, body["user"]["id"]) as (session, actor):
            rights.require_importer(actor)
            report_outbox.find_report(session, report_id, actor=actor)
            card = cards.undone_card(undo_import(session, report_id, actor=actor.user_id, now=ctx.now()))
        if "view" in body:
            respond.update_dialog(client, body["view"]["id"], cards.card_dialog(card))
        else:
            respond.answer(client, body, card, replace_original=True)

    app.action(ids.OPEN_PREVIEW)(ack=open_preview, lazy=[work])


def _new_dialog_id() -> str:
    """Return an external id for the dialog of an answer. By it the worker finds that dialog only once Slack shows it: an update that
    overtakes the answer would be lost.
    """
    return f"report-{uuid4().hex}"


def open_upload(ctx: AppContext, client: WebClient, body: dict[str, Any]) -> None:
    """Open the dialog for a file; `body` is that of a button or of a command."""
    user_id = body["user_id"] if "command" in body else body["user"]["id"]
    with ctx.acting(client, user_id) as (session, actor):
        rights.require_importer(actor)
        messages = report_outbox.recent_messages(session)
        latest = report_outbox.latest_report(session, user_id)
        view = cards.upload_dialog(messages, latest, ctx.settings.zone)
    respond.open_dialog(client, body, view)


def _message(session: Session, values: Mapping[str, Any], *, now: datetime) -> ResultsMessage:
    """Return the message that a person chose, or described.

    Raises:
        UserError: neither is there, or the time is unlikely; with the field that it belongs to.
    """
    title, seconds = values[ids.TITLE], values[ids.SENT_AT]
    if chosen := values.get(ids.MESSAGE):
        return find_message(session, chosen, None, None)
    if not (title and title.strip()):
        sentence = "Choose the mass message in the menu, or write its title and the time when it was sent."
        raise UserError("report.no_message", sentence, field=ids.MESSAGE if ids.MESSAGE in values else ids.TITLE)
    if not seconds:
        raise UserError("report.no_time", "Say when this message was sent.", field=ids.SENT_AT)
    sent_at = datetime.fromtimestamp(int(seconds), UTC)
    if not _EARLIEST < sent_at < now + _CLOCKS_DIFFER:
        raise UserError("report.unlikely_time", "A report comes after its message. Check the date.", field=ids.SENT_AT)
    return find_message(session, None, title, sent_at)


def _remember(session: Session, row: ReportImport, values: Mapping[str, Any], actor: Actor, *, now: datetime) -> None:
    """Store the answers to the questions of the preview, for this report and the next ones of its messenger."""
    words, columns = {}, {}
    with refusing_older_versions():
        for number, (kind, name, *titles) in enumerate(row.questions):
            chosen = values[f"{ids.ANSWER}.{number}"]
            if kind == "column":
                columns[Column(name)] = titles[0][int(chosen)]
            else:
                words[name] = Meaning(chosen)
    key = str(row.layout_key)
    remember_words(session, key, words, actor=actor.user_id, now=now)
    remember_columns(session, key, columns, actor=actor.user_id, now=now)
