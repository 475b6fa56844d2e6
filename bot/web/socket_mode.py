"""Slack over Socket Mode: we open the connection, for districts whose network Slack cannot reach. The listeners are the same."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from slack_bolt import App, BoltResponse
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_bolt.adapter.socket_mode.internals import run_bolt_app, send_response
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest

from bot.app import freeze_garbage_collector, slack_client
from bot.errors import UserError
from bot.settings import Settings
from bot.slack.kit import api_errors
from bot.web.slack import LISTENER_SECONDS, RESPONSE_TIMEOUT, interim_response, listener, send_late_response

_THREADS = 10
# How often the connection is checked. Bolt's 10 s are too long for a person who has just typed a command.
_PING_SECONDS = 2


def serve(settings: Settings, bolt: App) -> None:
    """Stay connected until SIGTERM or Ctrl-C; a lost connection is opened again within seconds.

    Raises:
        UserError: no app-level token is set, Slack refuses it, or Slack does not answer at the start.
    """
    if settings.slack_app_token is None:
        sentence = (
            "SLACK_APP_TOKEN is not set. Create one on the app's page, under Basic Information, App-Level Tokens."
        )
        raise UserError("socket.token_missing", sentence)
    token = settings.slack_app_token.get_secret_value()
    url = _open_connection(settings, bolt, token)
    handler = _Handler(bolt, token, slack_client(settings))
    handler.client.wss_uri = url
    freeze_garbage_collector()
    try:
        handler.connect()  # type: ignore[no-untyped-call]
        threading.Event().wait()
    finally:
        handler.close()  # type: ignore[no-untyped-call]


class _Handler(SocketModeHandler):
    """Bolt's handler, with an interim response when a listener takes too long."""

    def __init__(self, bolt: App, token: str, client: WebClient) -> None:
        super().__init__(bolt, token, ping_interval=_PING_SECONDS, concurrency=_THREADS)
        self._client = client
        self._executor = ThreadPoolExecutor(_THREADS, thread_name_prefix="slack")

    def handle(self, client: SocketModeClient, req: SocketModeRequest) -> None:  # type: ignore[override]
        start = time.time()
        work = self._executor.submit(self._dispatch, req)
        interim = interim_response(req.payload)
        try:
            send_response(client, req, work.result(RESPONSE_TIMEOUT if interim else None), start)
        except TimeoutError:
            # A listener may raise TimeoutError as well.
            if interim is None or work.done():
                raise
            send_response(client, req, interim, start)
            send_late_response(self._client, req.payload, work.result())

    def _dispatch(self, req: SocketModeRequest) -> BoltResponse:
        with LISTENER_SECONDS.labels(listener(req.payload)).time():
            response: BoltResponse = run_bolt_app(self.app, req)
            return response


def _open_connection(settings: Settings, bolt: App, token: str) -> str:
    """Return the WebSocket URL for the first connection. Left to Bolt, a wrong token would end in a traceback."""
    try:
        return str(bolt.client.apps_connections_open(app_token=token)["url"])
    except SlackApiError as refusal:
        sentence = (
            f"Slack refuses SLACK_APP_TOKEN ({api_errors.error_code(refusal)}). Create one with the scope connections:write "
            "on the app's page (Basic Information, App-Level Tokens), and turn on Socket Mode there."
        )
        raise UserError("socket.token_refused", sentence) from refusal
    except OSError as problem:
        sentence = f"Slack does not answer at {settings.slack_api_url}."
        raise UserError("socket.unreachable", sentence, permanent=False) from problem
