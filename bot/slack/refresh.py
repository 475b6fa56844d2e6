"""The lazy half of a listener that changed something: redraws the student dialog, the list behind it, and the Home tab."""

import logging
from collections.abc import Callable

from slack_bolt import BoltContext
from slack_sdk import WebClient
from sqlalchemy import Engine, update

from bot.cleanup_list.student import load_student
from bot.db.models.slack import HomeTab, OpenView
from bot.db.session import transaction
from bot.slack import commands, home
from bot.slack.kit import blocks as b
from bot.slack.kit import respond
from bot.slack.kit.api_errors import Outcome
from bot.slack.kit.blocks import Card
from bot.slack.kit.context import AppContext
from bot.slack.kit.error_handler import run_after_response
from bot.slack.kit.open_views import REDRAW, Notice, OpenDialog, Redraw, show_latest
from bot.slack.kit.private_metadata import DialogOrigin
from bot.slack.list import card as list_card
from bot.slack.student import notice
from bot.slack.student import view as student_view

logger = logging.getLogger(__name__)
_MAX_USES = 5  # Of one response_url.
_LAZY_TIMEOUT = 10  # Seconds; no one waits.
_MESSAGE_BLOCKS = 50  # More are refused.
_LAST_REDRAW = "Slack lets me update this list only five times. Type `/cleanup` for a new one."


def refresher(ctx: AppContext) -> Callable[..., None]:
    """Return the lazy listener. Each part is redrawn even where another fails."""

    def refresh(context: BoltContext, client: WebClient) -> None:
        redraw: Redraw | None = context.get(REDRAW)
        if redraw is None:  # The first half failed.
            return
        redraw_all(ctx, client, str(context.user_id), redraw)

    return refresh


def redraw_all(ctx: AppContext, client: WebClient, user_id: str, redraw: Redraw) -> None:
    """Redraw what this person has on screen after a change."""
    with transaction(ctx.engine) as session:
        view, has_home = session.get(OpenView, redraw.list_id), session.get(HomeTab, user_id) is not None
    is_home = view is not None and view.view_id is None and view.response_url is None
    if dialog := redraw.dialog:
        run_after_response("student dialog", lambda: _redraw_dialog(ctx, client, user_id, dialog, redraw))
    done = None if dialog else redraw.notice
    if view is not None and not is_home:
        run_after_response(f"list {view.id}", lambda: _redraw_list(ctx, client, view, done))
    text = view.filter_text if view is not None and is_home else None
    above = notice.above_list(done, text) if done and text else []
    if has_home:
        run_after_response("home", lambda: home.redraw(ctx, client, user_id, text, above=above))


def _redraw_dialog(ctx: AppContext, client: WebClient, user_id: str, dialog: OpenDialog, redraw: Redraw) -> None:
    with ctx.acting(client, user_id) as (session, actor):
        card = load_student(session, dialog.student_id, actor=actor)
    origin = DialogOrigin(dialog.student_id, redraw.list_id)
    respond.update_dialog(client, dialog.view_id, student_view.view(card, origin, ctx.settings, done=redraw.notice))


def _redraw_list(ctx: AppContext, client: WebClient, view: OpenView, done: Notice | None) -> None:
    typed = {"user_id": view.user_id, "text": view.filter_text}
    above = b.card(notice.above_list(done, view.filter_text, in_message=view.view_id is None) if done else [])

    def draw() -> Card:
        card = commands.answer(ctx, client, typed)
        text = b.cut_mrkdwn("\n".join(filter(None, [above.text, card.text])), b.MESSAGE_TEXT)
        return Card([*above.blocks, *card.blocks][:_MESSAGE_BLOCKS], text)

    show_latest(
        *(ctx.engine, OpenView, view.id),
        draw=draw,
        show=lambda card: _show_list(ctx.engine, client, view, card),
    )


def _show_list(engine: Engine, client: WebClient, view: OpenView, card: Card) -> None:
    if view.response_url is None:
        client.views_update(view_id=view.view_id, view=list_card.dialog(card))
        return
    is_view = OpenView.id == view.id, OpenView.uses < _MAX_USES
    with transaction(engine) as session:
        uses = session.scalar(update(OpenView).where(*is_view).values(uses=OpenView.uses + 1).returning(OpenView.uses))
    if uses is None:
        logger.info("list %s was redrawn as often as Slack allows", view.id)
        return
    if uses == _MAX_USES:
        card = Card([*card.blocks[: _MESSAGE_BLOCKS - 1], b.context(_LAST_REDRAW)], card.text)
    result = respond.send_response(view.response_url, card, replace_original=True, timeout=_LAZY_TIMEOUT)
    if result.outcome is not Outcome.DONE:
        logger.info("list %s could not be redrawn: %s", view.id, result.error)
