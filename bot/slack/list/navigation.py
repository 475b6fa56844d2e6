"""Another list in the place of the one shown: by a menu, a suggestion, *Previous* and *Next*; in a message, a dialog, the Home tab."""

from typing import Any

from slack_bolt import Ack, App
from slack_sdk import WebClient

from bot.slack import home
from bot.slack.kit import respond
from bot.slack.kit.context import AppContext
from bot.slack.list import card as list_card
from bot.slack.list import links as list_links


def register(app: App, desk: AppContext) -> None:
    @app.action(list_links.SHOW)
    def show_list(ack: Ack, body: dict[str, Any], client: WebClient, action: dict[str, Any]) -> None:
        ack()
        text = action["selected_option"]["value"] if "selected_option" in action else action["value"]
        user_id, view = body["user"]["id"], body.get("view")
        if view and view["type"] == "home":
            home.publish(desk, client, user_id, chosen=text)
            return
        card = list_card.show(desk, client, user_id, text)
        if view:
            client.views_update(view_id=view["id"], view=list_card.dialog(card))
        else:
            respond.send_response(body["response_url"], text=card.text, blocks=card.blocks, replace_original=True)
