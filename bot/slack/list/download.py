"""*Download* on a list: its dialog, which starts an Excel workbook or a CSV file by email or in a direct message.

The dialog carries the id of a draft, so that pressing twice or submitting again sends nothing twice.
"""

from datetime import datetime
from typing import Any

from slack_bolt import Ack, App, BoltContext
from slack_sdk import WebClient
from sqlalchemy.orm import Session

from bot.access.rights import Actor
from bot.cleanup_list.page import load_page
from bot.cleanup_list.unverified import load_unverified
from bot.cleanup_list.vocabulary import load_vocabulary
from bot.db.models.downloads import DownloadForm
from bot.domain.display import plural
from bot.downloads.content import Content, read_content
from bot.downloads.list_file import ListSize
from bot.downloads.requests import create_draft, request_download
from bot.slack.kit import blocks as b
from bot.slack.kit import respond
from bot.slack.kit.blocks import Block
from bot.slack.kit.context import AppContext
from bot.slack.kit.error_handler import run_after_response
from bot.slack.kit.private_metadata import read_ids, read_inputs, refusing_older_versions
from bot.slack.list import download_post
from bot.slack.list.links import DOWNLOAD

DOWNLOAD_SUBMITTED = "list.download_asked"

_FORM = "form"
_IS_NEW_REQUEST = "is_new_download_request"
_TITLE = "Download this list"


def register(app: App, ctx: AppContext) -> None:
    @app.action(DOWNLOAD)
    def open_dialog(ack: Ack, body: dict[str, Any], client: WebClient, action: dict[str, Any]) -> None:
        ack()
        with ctx.acting(client, body["user"]["id"]) as (session, actor):
            now, kept = ctx.now(), ctx.settings.keep_messages
            content = read_content(action["value"], load_vocabulary(session, actor), kept=kept)
            size = _size(session, content, actor=actor, now=now)
            draft = create_draft(session, actor.user_id, action["value"], now=now)
            view = _dialog(draft.id, content.title, size, actor, destination=_destination(ctx, actor))
        respond.open_dialog(client, body, view)

    def submit(ack: Ack, body: dict[str, Any], client: WebClient, context: BoltContext) -> None:
        user_id, (download_id,) = body["user"]["id"], read_ids(body["view"]["private_metadata"], count=1)
        with refusing_older_versions():
            form = DownloadForm(read_inputs(body["view"])[_FORM])
        with ctx.acting(client, user_id) as (session, actor):
            context[_IS_NEW_REQUEST] = request_download(session, download_id, user_id, form, now=ctx.now())
            done = f"✅ Your list is being made. It comes {_destination(ctx, actor)}."
        ack(
            response_action="update",
            view=b.modal(_TITLE, [b.section(done)], callback_id=DOWNLOAD_SUBMITTED, metadata=""),
        )

    def send(context: BoltContext, client: WebClient) -> None:
        if not context.get(_IS_NEW_REQUEST):
            return
        failure = run_after_response("downloads", lambda: download_post.send_due(ctx, client))
        if failure:
            run_after_response("the delay of a download", lambda: _report_delay(client, str(context.user_id)))

    app.view(DOWNLOAD_SUBMITTED)(ack=submit, lazy=[send])


def _report_delay(client: WebClient, user_id: str) -> None:
    """Report a failure; the request is stored, so the clock makes the list later."""
    text = "⏳ Something went wrong here, so your list comes later. I will try again automatically."
    client.chat_postMessage(channel=user_id, text=text, blocks=[b.section(text)])


def _destination(ctx: AppContext, actor: Actor) -> str:
    return f"by email to {b.escaped(actor.email)}" if ctx.settings.smtp_url else "in our direct messages"


def _size(session: Session, content: Content, *, actor: Actor, now: datetime) -> str:
    """Return the size of a file; blank where there is nothing to download."""
    if content.months is None:
        page = load_page(session, content.filter, actor=actor, page_size=1)
        return (
            str(ListSize(page.total_entries, page.total_contacts, page.total_students)) if page.total_contacts else ""
        )
    unverified = load_unverified(session, content.filter, actor=actor, months=content.months, page_size=1, now=now)
    if unverified.is_too_large:
        return "All contacts of these students who are not verified"
    return plural(unverified.total, "contact") if unverified.total else ""


def _dialog(draft_id: int, list_title: str, size: str, actor: Actor, *, destination: str) -> Block:
    metadata = str(draft_id)
    if not size:
        empty = b.section("This list is empty now, so there is nothing to download.")
        return b.modal(_TITLE, [empty], callback_id=DOWNLOAD_SUBMITTED, metadata=metadata)
    title = b.escaped(list_title)
    workbook = b.option("Excel workbook", DownloadForm.XLSX, description="With filters and colors, by grade and name")
    csv_file = b.option("CSV", DownloadForm.CSV, description="Plain rows, for another program")
    numbers = "full numbers" if actor.may_export else "only the last digits of numbers"
    blocks = [
        b.section(f"*{title}*\n{size}, with names and {numbers}."),
        b.input_block(_FORM, "File", b.radio_buttons([workbook, csv_file], chosen=DownloadForm.XLSX)),
        b.context(f"It comes {destination}. Each download is recorded with your name."),
    ]
    return b.modal(_TITLE, blocks, callback_id=DOWNLOAD_SUBMITTED, metadata=metadata, submit="Download")
