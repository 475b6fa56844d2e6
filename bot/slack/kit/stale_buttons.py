"""A button or menu that we do not know any more: messages stay in Slack for years, and are drawn by the version of their day."""

import re
from typing import Any

from slack_bolt import Ack, App
from slack_sdk import WebClient

from bot.errors import UserError
from bot.slack.kit.context import AppContext


def register(app: App, desk: AppContext) -> None:
    """To be registered last: Bolt asks listeners in their order."""

    @app.action(re.compile(""))
    def outdated(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        ack()
        with desk.acting(client, body["user"]["id"]):
            raise UserError(
                "button.button",
                ("This is from an older version of me, so nothing was done. Type /cleanup to see the list of today."),
            )
