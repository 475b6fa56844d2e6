"""Slack over a connection that we open, for districts whose network Slack cannot reach. The same listeners as over HTTP."""

import threading

from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk.errors import SlackApiError

from bot.app import stay
from bot.errors import UserError
from bot.settings import Settings

_LOOK_SECONDS = 2  # How often the connection is looked at. Bolt's 10 s are too long for somebody who has just typed.


def serve(settings: Settings, bolt: App) -> None:
    """Stay connected until SIGTERM or Ctrl-C; a connection that breaks is made anew within seconds.

    Raises:
        UserError: no app-level token is set, Slack refuses it, or Slack does not answer at the start.
    """
    token = _app_token(settings)
    address = _address(settings, bolt, token)
    handler = SocketModeHandler(bolt, token, ping_interval=_LOOK_SECONDS)
    handler.client.wss_uri = address
    stay()
    try:
        handler.connect()  # type: ignore[no-untyped-call]
        threading.Event().wait()
    finally:
        handler.close()  # type: ignore[no-untyped-call]


def _app_token(settings: Settings) -> str:
    if settings.slack_app_token is None:
        raise UserError("SLACK_APP_TOKEN is not set. Make one on the app's page: Basic Information, App-Level Tokens.")
    return settings.slack_app_token.get_secret_value()


def _address(settings: Settings, bolt: App, token: str) -> str:
    """Where Slack wants us to connect. Asked here first, because Bolt answers a wrong token with a traceback."""
    try:
        return str(bolt.client.apps_connections_open(app_token=token)["url"])
    except SlackApiError as no:
        raise UserError(
            f"Slack refuses SLACK_APP_TOKEN ({no.response['error']}). Make one with the scope connections:write on the"
            " app's page (Basic Information, App-Level Tokens), and turn on Socket Mode there."
        ) from no
    except OSError as silence:
        raise UserError(f"Slack does not answer at {settings.slack_api_url}.", permanent=False) from silence
