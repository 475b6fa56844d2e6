"""The only place that puts things together: settings, engine and the surfaces become one Bolt app, for HTTP and sockets."""

import gc
from collections.abc import Callable
from datetime import UTC, datetime

from slack_bolt import App
from slack_bolt.authorization import AuthorizeResult
from slack_sdk import WebClient
from sqlalchemy import Engine

from bot.errors import UserError
from bot.settings import Settings
from bot.slack import commands, home, pending, shortcuts
from bot.slack.digest import post as digest_post
from bot.slack.kit import error_handler, respond, stale_buttons
from bot.slack.kit.context import AppContext
from bot.slack.list import bulk_edit, download, navigation
from bot.slack.student import details
from bot.slack.student import dialog as student_dialog
from bot.slack.student import edit as edit_dialog
from bot.slack.student import opt_out as opt_out_dialog
from bot.slack.student import remove as remove_dialog
from bot.slack.sync import edits_notice
from bot.slack.sync import notice as sync_notice
from bot.templates.loader import Templates


def utc_now() -> datetime:
    return datetime.now(UTC)


def freeze_garbage_collector() -> None:
    """Called once when everything is put together: the garbage collector never again walks what stands until the process ends,
    which took 100 ms in the middle of one command in a hundred.
    """
    gc.collect()
    gc.freeze()


def make_context(settings: Settings, engine: Engine, *, now: Callable[[], datetime] = utc_now) -> AppContext:
    """What the listeners and the poster of digests have at hand."""
    return AppContext(engine=engine, settings=settings, templates=Templates(settings.templates), now=now)


def slack_client(settings: Settings) -> WebClient:
    """A client that never sends a request twice by itself: the SDK's default repeats a POST after a dropped connection.

    Raises:
        UserError: no bot token is set.
    """
    return _client(settings, _token(settings), timeout=10)


def _token(settings: Settings) -> str:
    if settings.slack_bot_token is None:
        raise UserError(
            "app.no_bot_token", "SLACK_BOT_TOKEN is not set. Copy it from the app's page, under OAuth & Permissions."
        )
    return settings.slack_bot_token.get_secret_value()


def _client(settings: Settings, token: str | None, *, timeout: int) -> WebClient:
    return WebClient(token=token, base_url=settings.slack_api_url, timeout=timeout, retry_handlers=[])


def build_bolt_app(settings: Settings, engine: Engine, *, now: Callable[[], datetime] = utc_now) -> App:
    """The Bolt app with every listener. Requests reach it verified: `web` checks the signature before, Slack's socket needs none.

    Raises:
        UserError: no bot token is set.
    """
    token = _token(settings)

    def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id, bot_token=token)

    app = App(
        client=_client(settings, None, timeout=respond.SLACK_TIMEOUT),
        authorize=authorize,
        process_before_response=True,
        request_verification_enabled=False,
        ignoring_self_events_enabled=False,
    )
    ours = make_context(settings, engine, now=now)
    lists, dialogs = (
        (commands, navigation, pending, home, download, bulk_edit, shortcuts),
        (student_dialog, details, edit_dialog, remove_dialog, opt_out_dialog),
    )
    for surface in (*lists, *dialogs, digest_post, sync_notice, edits_notice, stale_buttons):
        surface.register(app, ours)
    error_handler.register(app)
    return app
