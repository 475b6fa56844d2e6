"""Another list in place of the one shown: by a menu, a suggestion, *Previous* and *Next*; in a message, a dialog, the Home tab."""

from collections.abc import Callable
from typing import Any

from slack_bolt import Ack, App
from slack_sdk import WebClient

from bot.slack.kit import respond
from bot.slack.kit.context import AppContext
from bot.slack.list import card as list_card
from bot.slack.list import links

ShowHome = Callable[[WebClient, str, str], None]


def register(app: App, ctx: AppContext, *, show_home: ShowHome) -> None:
    """Register the listener; `show_home(client, user_id, text)` draws the Home tab, which is above this package."""

    @app.action(links.SHOW)
    def show_list(ack: Ack, body: dict[str, Any], client: WebClient, action: dict[str, Any]) -> None:
        ack()
        text = action["selected_option"]["value"] if "selected_option" in action else action["value"]
        user_id, view = body["user"]["id"], body.get("view")
        if view and view["type"] == "home":
            show_home(client, user_id, text)
            return
        card = list_card.show(ctx, client, user_id, text)
        if view:
            client.views_update(view_id=view["id"], view=list_card.dialog(card))
        else:
            respond.answer(client, body, card, replace_original=True)
