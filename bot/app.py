"""The composition root: settings and engine become one Bolt app, for HTTP and for Socket Mode."""

import gc
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from slack_bolt import App
from slack_bolt.authorization import AuthorizeResult
from slack_sdk import WebClient
from sqlalchemy import Engine

from bot.access.identity import AccessRules
from bot.errors import UserError
from bot.settings import Settings
from bot.slack import commands, home, pending, refresh, shortcuts, write_back
from bot.slack.digest import post as digest_post
from bot.slack.kit import error_handler, respond
from bot.slack.kit.context import AppContext
from bot.slack.list import bulk_edit, download, helps_most, next_student
from bot.slack.list import card as list_card
from bot.slack.questions import listener as questions
from bot.slack.results import dialog as results_dialog
from bot.slack.student import contact_dialog, counter, details, live_check, notice, script
from bot.slack.student import dialog as student_dialog
from bot.slack.student.call import CallDialog
from bot.slack.student.edit import EditDialog
from bot.slack.student.opt_out import OptOutDialog
from bot.slack.student.remove import RemoveDialog
from bot.slack.student.wrong_person import WrongPersonDialog
from bot.slack.sync import edits_notice
from bot.slack.sync import notice as sync_notice
from bot.slack.teachers import answer as teacher_answer
from bot.slack.teachers import question as teacher_question
from bot.slack.texts import card as text_card
from bot.templates.loader import Templates

utc_now = partial(datetime.now, UTC)


def freeze_garbage_collector() -> None:
    """Exempt everything built at start from garbage collection, which took 100 ms in the middle of one command in a hundred."""
    gc.collect()
    gc.freeze()


def make_context(settings: Settings, engine: Engine, *, now: Callable[[], datetime] = utc_now) -> AppContext:
    rules = AccessRules(settings.admin_emails, settings.editor_roles, settings.export_roles)
    return AppContext(engine, settings, rules, Templates(settings.templates), now)


def slack_client(settings: Settings) -> WebClient:
    """Return a client that never repeats a request by itself: the SDK's default repeats a POST after a dropped connection.

    Raises:
        UserError: no bot token is set.
    """
    return _client(settings, _bot_token(settings), timeout=10)


def _bot_token(settings: Settings) -> str:
    if settings.slack_bot_token is None:
        sentence = "SLACK_BOT_TOKEN is not set. Copy it from the app's page, under OAuth & Permissions."
        raise UserError("app.no_bot_token", sentence)
    return settings.slack_bot_token.get_secret_value()


def _client(settings: Settings, token: str | None, *, timeout: int) -> WebClient:
    return WebClient(token=token, base_url=settings.slack_api_url, timeout=timeout, retry_handlers=[])


def build_bolt_app(settings: Settings, engine: Engine, *, now: Callable[[], datetime] = utc_now) -> App:
    """Return the Bolt app with every listener. Requests reach it verified: `web` checks signatures, and Socket Mode needs none.

    Raises:
        UserError: no bot token is set.
    """
    token = _bot_token(settings)
    app = App(
        name="contact-cleanup",  # Bolt would look for one in the stack of calls, for 30 ms.
        client=_client(settings, None, timeout=respond.SLACK_TIMEOUT),
        authorize=lambda enterprise_id, team_id: AuthorizeResult(
            enterprise_id=enterprise_id, team_id=team_id, bot_token=token
        ),
        process_before_response=True,
        request_verification_enabled=False,
        ignoring_self_events_enabled=False,
    )
    ctx = make_context(settings, engine, now=now)
    redraw = refresh.refresher(ctx)
    notices = (sync_notice, edits_notice, text_card, teacher_question, teacher_answer)
    lists = (download, digest_post, results_dialog)
    for feature in (commands, questions, pending, write_back, home, shortcuts, *lists, *notices):
        feature.register(app, ctx)
    list_card.register(app, ctx, show_home=lambda client, user_id, text: home.show(ctx, client, user_id, text))
    bulk_edit.register(app, ctx, refresh=redraw)
    next_student.register(app, ctx, refresh=redraw)
    helps_most.register(app, ctx, refresh=redraw)
    student_dialog.register(app, ctx, refresh=redraw)
    dialogs = (EditDialog(), RemoveDialog(), OptOutDialog(), WrongPersonDialog(), CallDialog())
    for dialog in dialogs:
        contact_dialog.register(app, ctx, dialog, refresh=redraw)
    script.register(app, ctx)
    counter.register(app, ctx, refresh=redraw)
    live_check.register(app, ctx)
    notice.register(app, ctx)
    details.register(app, ctx, {dialog.open_action: dialog for dialog in dialogs})
    error_handler.register(app, ctx)
    return app
