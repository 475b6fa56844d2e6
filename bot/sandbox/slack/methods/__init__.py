"""Every Web API method that the little Slack knows. A method is a function of the workspace and the arguments; it
returns what stands beside `ok`, or raises the `SlackError` that real Slack would answer with.
"""

from collections.abc import Mapping

from bot.sandbox.slack.errors import SlackError
from bot.sandbox.slack.methods import chat, conversations, files, views
from bot.sandbox.slack.methods.arguments import Arguments, Method
from bot.sandbox.slack.things import Json
from bot.sandbox.slack.workspace import Workspace


def auth_test(slack: Workspace, arguments: Arguments) -> Json:  # noqa: ARG001
    return {
        "url": f"{slack.base_url}/",
        "team": slack.name,
        "team_id": slack.organisation or slack.team_id,
        "enterprise_id": slack.organisation,
        "user": slack.users[slack.bot_user_id].handle,
        "user_id": slack.bot_user_id,
        "bot_id": slack.bot_id,
        "is_enterprise_install": slack.organisation is not None,
    }


def open_socket(slack: Workspace, arguments: Arguments) -> Json:  # noqa: ARG001
    """Socket Mode wants an app-level token; the little Slack speaks HTTP only."""
    raise SlackError("not_allowed_token_type")


METHODS: Mapping[str, Method] = {
    "api.test": Method(lambda slack, arguments: {"args": arguments.given}),  # noqa: ARG005
    "auth.test": Method(auth_test),
    "apps.connections.open": Method(open_socket),
    **chat.METHODS,
    **views.METHODS,
    **conversations.METHODS,
    **files.METHODS,
}
