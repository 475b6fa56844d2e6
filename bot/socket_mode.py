"""Slack over a connection that we open, for districts whose network Slack cannot reach. The same listeners as over HTTP."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_bolt.adapter.socket_mode.internals import run_bolt_app, send_response
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest

from bot.app import freeze_garbage_collector
from bot.errors import UserError
from bot.settings import Settings
from bot.slack.kit import api_errors, slow_responses

_THREADS = 10
_LOOK_SECONDS = 2  # How often the connection is looked at. Bolt's 10 s are too long for somebody who has just typed.


def serve(settings: Settings, bolt: App) -> None:
    """Stay connected until SIGTERM or Ctrl-C; a connection that breaks is made anew within seconds.

    Raises:
        UserError: no app-level token is set, Slack refuses it, or Slack does not answer at the start.
    """
    token = _app_token(settings)
    address = _address(settings, bolt, token)
    handler = _Handler(bolt, token)
    handler.client.wss_uri = address
    freeze_garbage_collector()
    try:
        handler.connect()  # type: ignore[no-untyped-call]
        threading.Event().wait()
    finally:
        handler.close()  # type: ignore[no-untyped-call]


class _Handler(SocketModeHandler):
    """Bolt's own, which answers in time."""

    def __init__(self, bolt: App, token: str) -> None:
        super().__init__(bolt, token, ping_interval=_LOOK_SECONDS, concurrency=_THREADS)
        self._work = ThreadPoolExecutor(_THREADS, thread_name_prefix="slack")

    def handle(self, client: SocketModeClient, req: SocketModeRequest) -> None:  # type: ignore[override]
        began = time.time()
        answer = self._work.submit(run_bolt_app, self.app, req)
        meanwhile = slow_responses.interim_response(req.payload)
        try:
            send_response(client, req, answer.result(slow_responses.RESPONSE_TIMEOUT if meanwhile else None), began)
        except TimeoutError:
            if meanwhile is None or answer.done():
                raise
            send_response(client, req, meanwhile, began)
            slow_responses.send_late_response(req.payload, answer.result())


def _app_token(settings: Settings) -> str:
    if settings.slack_app_token is None:
        raise UserError(
            "socket.no_token",
            "SLACK_APP_TOKEN is not set. Make one on the app's page: Basic Information, App-Level Tokens.",
        )
    return settings.slack_app_token.get_secret_value()


def _address(settings: Settings, bolt: App, token: str) -> str:
    """Where Slack wants us to connect. Asked here first, because Bolt answers a wrong token with a traceback."""
    try:
        return str(bolt.client.apps_connections_open(app_token=token)["url"])
    except SlackApiError as no:
        raise UserError(
            "socket.refused",
            (
                f"Slack refuses SLACK_APP_TOKEN ({api_errors.error_code(no)}). Make one with the scope "
                "connections:write on the app's page (Basic Information, App-Level Tokens), and turn on "
                "Socket Mode there."
            ),
        ) from no
    except OSError as silence:
        raise UserError(
            "socket.silent", f"Slack does not answer at {settings.slack_api_url}.", permanent=False
        ) from silence
