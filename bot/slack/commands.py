"""`/cleanup` and what may follow it: nothing, a filter, or a command of `filters.COMMANDS`; typed, or offered on a button where it
was typed with a slip. Always answered privately.
"""

from collections.abc import Callable
from typing import Any

from slack_bolt import Ack, App
from slack_sdk import WebClient

from bot.slack import forecast, pending
from bot.slack import help as help_card
from bot.slack.digest import subscribe
from bot.slack.help import COMMAND
from bot.slack.kit import respond
from bot.slack.kit.card import Card
from bot.slack.kit.context import AppContext
from bot.slack.list import card as list_card
from bot.slack.list import links as list_links

Answer = Callable[[AppContext, WebClient, dict[str, Any], str], Card]


def register(app: App, desk: AppContext) -> None:
    @app.command(COMMAND)
    def cleanup(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        card = answer(desk, client, body)
        ack(text=card.text, blocks=card.blocks, response_type="ephemeral")

    @app.action(list_links.RUN)
    def run(ack: Ack, body: dict[str, Any], client: WebClient, action: dict[str, Any]) -> None:
        ack()
        typed = {"user_id": body["user"]["id"], "channel_id": body["channel"]["id"], "text": action["value"]}
        card = answer(desk, client, typed)
        respond.send_response(body["response_url"], text=card.text, blocks=card.blocks, replace_original=True)


def answer(desk: AppContext, client: WebClient, body: dict[str, Any]) -> Card:
    """What was asked for in `text` by `user_id`; `channel_id` is where, if it is of a channel."""
    word, _, rest = " ".join(body.get("text", "").split()).partition(" ")
    asked = _help if rest.casefold() in _HELP else _ANSWERS.get(word.casefold(), _list)
    return asked(desk, client, body, rest)


def _list(desk: AppContext, client: WebClient, body: dict[str, Any], _rest: str) -> Card:
    return list_card.show(desk, client, body["user_id"], body.get("text", ""))


def _help(desk: AppContext, client: WebClient, body: dict[str, Any], _rest: str) -> Card:
    with desk.acting(client, body["user_id"]):
        return help_card.draw(desk.templates)


_HELP = ("help", "?")
_ANSWERS: dict[str, Answer] = {
    **dict.fromkeys(_HELP, _help),
    "forecast": forecast.show,
    "pending": pending.show,
    "subscribe": subscribe.start,
    "unsubscribe": subscribe.stop,
    "subscriptions": lambda desk, client, body, _: subscribe.show(desk, client, body),
}
"""What a first word asks for; the last argument is what follows it."""
