"""`/cleanup` and what may follow it: nothing, a filter, or a command; typed, or offered on a button. Always answered privately."""

from collections.abc import Callable
from typing import Any

from slack_bolt import Ack, App
from slack_sdk import WebClient

from bot.slack import forecast, pending
from bot.slack import help as help_card
from bot.slack.digest import subscribe
from bot.slack.kit import respond
from bot.slack.kit.blocks import Card
from bot.slack.kit.context import AppContext
from bot.slack.list import card as list_card
from bot.slack.list import links
from bot.slack.results import dialog as results_dialog

# Answers what follows the command word; `body` has `user_id`, `channel_id` (if typed in a channel), and the whole `text`.
Command = Callable[[AppContext, WebClient, dict[str, Any], str], Card]


def register(app: App, ctx: AppContext) -> None:
    @app.command(links.COMMAND)
    def cleanup(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        if _opens_dialog(body.get("text", "")):
            ack()
            results_dialog.open_upload(ctx, client, body)
            return
        card = answer(ctx, client, body)
        ack(text=card.text, blocks=card.blocks, response_type="ephemeral")

    @app.action(links.RUN)
    def run_offered_command(ack: Ack, body: dict[str, Any], client: WebClient, action: dict[str, Any]) -> None:
        ack()
        if _opens_dialog(action["value"]):
            results_dialog.open_upload(ctx, client, body)
            return
        channel_id = body.get("channel", {}).get("id", "")  # A dialog and the Home tab have none.
        card = answer(ctx, client, {"user_id": body["user"]["id"], "channel_id": channel_id, "text": action["value"]})
        if "view" in body:
            respond.open_dialog(client, body, list_card.dialog(card))
        else:
            respond.answer(client, body, card, replace_original=True)


def _opens_dialog(text: str) -> bool:
    """Return whether what was typed is answered by a dialog and not by a card."""
    words = text.casefold().split()
    return words[:1] == [_IMPORT] and not set(words[1:]) & set(_HELP_WORDS)


def answer(ctx: AppContext, client: WebClient, body: dict[str, Any]) -> Card:
    text = body.get("text", "")
    word, _, rest = " ".join(text.split()).partition(" ")
    if rest.casefold() in _HELP_WORDS:
        return _help(ctx, client, body, rest)
    command = _COMMANDS.get(word.casefold())
    return command(ctx, client, body, rest) if command else list_card.show(ctx, client, body["user_id"], text)


def _help(ctx: AppContext, client: WebClient, body: dict[str, Any], _rest: str) -> Card:
    with ctx.acting(client, body["user_id"]):
        return help_card.draw(ctx.templates)


_IMPORT = "import"
_HELP_WORDS = ("help", "?")
_COMMANDS: dict[str, Command] = {
    **dict.fromkeys(_HELP_WORDS, _help),
    "forecast": forecast.show,
    "pending": pending.show,
    "subscribe": subscribe.start,
    "unsubscribe": subscribe.stop,
    "subscriptions": lambda ctx, client, body, _: subscribe.show(ctx, client, body),
}
