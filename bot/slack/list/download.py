"""*Download*: the list shown now as a workbook or a CSV, mailed to whoever asks or sent in a direct message.

The dialog carries the id of a draft, so a second press or a resubmit sends nothing twice.
"""

from typing import Any

from slack_bolt import Ack, App, BoltContext
from slack_sdk import WebClient

from bot.access import Actor
from bot.cleanup_list.page import Page, load_page
from bot.cleanup_list.vocabulary import load_vocabulary
from bot.db.models.downloads import DownloadForm
from bot.downloads.requests import create_draft, request_download
from bot.filters.filter import describe
from bot.filters.parse import parse_filter
from bot.slack.kit import blocks as b
from bot.slack.kit import respond
from bot.slack.kit.blocks import Block
from bot.slack.kit.context import AppContext
from bot.slack.kit.error_handler import run_after_response
from bot.slack.list import download_post
from bot.slack.list.links import DOWNLOAD
from bot.wording import say

ASKED = "list.download_asked"
_FORM, _INPUT, _SENDING = "form", "value", "download_asked"


def register(app: App, desk: AppContext) -> None:
    @app.action(DOWNLOAD)
    def open_dialog(ack: Ack, body: dict[str, Any], client: WebClient, action: dict[str, Any]) -> None:
        ack()
        with desk.acting(client, body["user"]["id"]) as (session, actor):
            parsed = parse_filter(action["value"], load_vocabulary(session, actor))
            page = load_page(session, parsed.filter, actor=actor, page_size=1)
            draft = create_draft(session, actor.user_id, action["value"], now=desk.now())
            view = _view(draft.id, page, actor, by_mail=desk.settings.smtp_url is not None)
        respond.open_dialog(client, body, view)

    def asked(ack: Ack, body: dict[str, Any], client: WebClient, context: BoltContext) -> None:
        form = DownloadForm(body["view"]["state"]["values"][_FORM][_INPUT]["selected_option"]["value"])
        user_id, number = body["user"]["id"], int(body["view"]["private_metadata"])
        with desk.acting(client, user_id) as (session, actor):
            context[_SENDING] = request_download(session, number, user_id, form, now=desk.now())
            where = _where(actor, by_mail=desk.settings.smtp_url is not None)
        done, title = b.section(f"✅ Your list is being made. It comes {where}."), "Download this list"
        ack(response_action="update", view=b.modal(title, [done], callback_id=ASKED, metadata=""))

    def make(context: BoltContext, client: WebClient) -> None:
        if not context.get(_SENDING):
            return
        trouble = run_after_response("downloads", lambda: _make(desk, client))
        if trouble:
            run_after_response("what became of a download", lambda: _tell_late(client, str(context.user_id)))

    app.view(ASKED)(ack=asked, lazy=[make])


def _make(desk: AppContext, client: WebClient) -> None:
    download_post.send_due(desk, client)


def _tell_late(client: WebClient, user_id: str) -> None:
    """Whatever went wrong, the list is still asked for: the clock makes it."""
    late = "⏳ Something went wrong here, so your list comes later. I try again by myself."
    client.chat_postMessage(channel=user_id, text=late, blocks=[b.section(late)])


def _view(draft_id: int, page: Page, actor: Actor, *, by_mail: bool) -> Block:
    title, metadata = "Download this list", str(draft_id)
    if not page.total_contacts:
        nothing = b.section("✅ Nobody is on this list now, so there is nothing to download.")
        return b.modal(title, [nothing], callback_id=ASKED, metadata=metadata)
    what = b.escaped(describe(page.filter.with_page(1)))
    numbers = "whole_numbers" if actor.may_export else "last_digits"
    size = download_post.size(page, rows=page.total_entries)
    blocks = [
        b.section(say(f"download_dialog.holds.{numbers}", title=what, size=size)),
        _choice(),
        b.context(f"It comes {_where(actor, by_mail=by_mail)}. That you took it is recorded."),
    ]
    return b.modal(title, blocks, callback_id=ASKED, metadata=metadata, submit="Download")


def _choice() -> Block:
    options = [
        b.option(say(f"download_dialog.form.{one}"), one, description=say(f"download_dialog.form_hint.{one}"))
        for one in DownloadForm
    ]
    element = {"type": "radio_buttons", "action_id": _INPUT, "options": options, "initial_option": options[0]}
    return {"type": "input", "block_id": _FORM, "label": b.plain("File"), "element": element}


def _where(actor: Actor, *, by_mail: bool) -> str:
    if by_mail:
        return f"by e-mail to {b.escaped(actor.email)}"
    return "in our direct messages"
