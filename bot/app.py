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
from bot.slack import (
    answer,
    bulk_dialog,
    command,
    contact_more,
    digest,
    download_dialog,
    edit_dialog,
    edits_notice,
    home,
    list_turning,
    outdated,
    pending,
    remove_dialog,
    reply,
    shortcuts,
    stop_dialog,
    student_dialog,
    sync_notice,
)
from bot.slack.desk import Desk
from bot.templates import Templates
from bot.wording import say


def clock() -> datetime:
    return datetime.now(UTC)


def freeze() -> None:
    """Called once when everything is put together: the garbage collector never again walks what stands until the process ends,
    which took 100 ms in the middle of one command in a hundred.
    """
    gc.collect()
    gc.freeze()


def desk(settings: Settings, engine: Engine, *, now: Callable[[], datetime] = clock) -> Desk:
    """What the listeners and the poster of digests have at hand."""
    return Desk(engine=engine, settings=settings, templates=Templates(settings.templates), now=now)


def slack_client(settings: Settings) -> WebClient:
    """A client that never sends a request twice by itself: the SDK's default repeats a POST after a dropped connection.

    Raises:
        UserError: no bot token is set.
    """
    return _client(settings, _token(settings), timeout=10)


def _token(settings: Settings) -> str:
    if settings.slack_bot_token is None:
        raise UserError(say("app.no_bot_token"))
    return settings.slack_bot_token.get_secret_value()


def _client(settings: Settings, token: str | None, *, timeout: int) -> WebClient:
    return WebClient(token=token, base_url=settings.slack_api_url, timeout=timeout, retry_handlers=[])


def build(settings: Settings, engine: Engine, *, now: Callable[[], datetime] = clock) -> App:
    """The Bolt app with every listener. Requests reach it verified: `web` checks the signature before, Slack's socket needs none.

    Raises:
        UserError: no bot token is set.
    """
    token = _token(settings)

    def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id, bot_token=token)

    app = App(
        client=_client(settings, None, timeout=reply.PATIENCE),
        authorize=authorize,
        process_before_response=True,
        request_verification_enabled=False,
        ignoring_self_events_enabled=False,
    )
    ours = desk(settings, engine, now=now)
    lists, dialogs = (
        (command, list_turning, pending, home, download_dialog, bulk_dialog, shortcuts),
        (student_dialog, contact_more, edit_dialog, remove_dialog, stop_dialog),
    )
    for surface in (*lists, *dialogs, digest, sync_notice, edits_notice, outdated):
        surface.register(app, ours)
    answer.register(app)
    return app
