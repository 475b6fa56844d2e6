"""The Home tab: the same list as `/cleanup`, there whenever somebody looks. Whoever may not see it reads a polite no."""

from typing import Any

from slack_bolt import App
from slack_sdk import WebClient

from bot.errors import UserError
from bot.slack import blocks as b
from bot.slack import list_card, list_links
from bot.slack.desk import Desk


def register(app: App, desk: Desk) -> None:
    @app.event("app_home_opened")
    def open_home(event: dict[str, Any], client: WebClient) -> None:
        if event["tab"] == "home":
            client.views_publish(
                user_id=event["user"], view={"type": "home", "blocks": _home(desk, client, event["user"])}
            )


def _home(desk: Desk, client: WebClient, user_id: str) -> list[b.Block]:
    try:
        return list_card.show(desk, client, user_id, list_links.EVERYBODY).blocks
    except UserError as no:
        return [b.header("Contact Cleanup"), b.section(no.sentence)]
