"""`/cleanup` and what may follow it: nothing, a filter, or a command; typed, or offered on a button. Always answered privately.

A few words look like commands and are none: they are answered with what was probably meant, and a button to the name.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from slack_bolt import Ack, App
from slack_sdk import WebClient

from bot.filters.unverified import UNVERIFIED, read_unverified, take_age
from bot.slack import forecast, pending, report, unverified
from bot.slack import help as help_card
from bot.slack.digest import subscribe, weekly
from bot.slack.kit import blocks as b
from bot.slack.kit import respond
from bot.slack.kit.blocks import Card
from bot.slack.kit.context import AppContext
from bot.slack.list import card as list_card
from bot.slack.list import helps_most, links, next_student
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
        if b.has_newer(card.blocks):
            ack()  # Where Slack refuses them in an acknowledgment, the person reads an error instead.
            respond.answer_command(client, body, card)
            return
        ack(text=card.text, blocks=card.blocks, response_type="ephemeral")

    @app.action(links.RUN)
    def run_offered_command(ack: Ack, body: dict[str, Any], client: WebClient, action: dict[str, Any]) -> None:
        ack()
        if _opens_dialog(action["value"]):
            results_dialog.open_upload(ctx, client, body)
            return
        channel_id = body["channel"]["id"] if "channel" in body else ""
        typed = {"user_id": body["user"]["id"], "channel_id": channel_id, "text": action["value"]}
        _show_answer(client, body, answer(ctx, client, typed))


def _show_answer(client: WebClient, body: dict[str, Any], card: Card) -> None:
    """Show an answer in place of the message or dialog whose button was pressed, or in a dialog over the Home tab."""
    view = body.get("view")
    if view is None:
        respond.answer(client, body, card, replace_original=True)
    elif view["type"] == "home":
        respond.open_dialog(client, body, list_card.dialog(card))
    else:
        client.views_update(view_id=view["id"], view=list_card.dialog(card))


def _opens_dialog(text: str) -> bool:
    """Return whether what was typed is answered by a dialog and not by a card."""
    words = text.casefold().split()
    return words[:1] == [_IMPORT] and not set(words[1:]) & set(_HELP_WORDS)


def answer(ctx: AppContext, client: WebClient, body: dict[str, Any]) -> Card:
    text = body.get("text", "")
    word, _, rest = _WHAT_HELPS_MOST.sub(helps_most.COMMAND, " ".join(text.split())).partition(" ")
    if rest.casefold() in _HELP_WORDS:
        return _help(ctx, client, body, rest)
    if meant := _NO_COMMANDS.get(" ".join(text.split()).casefold()):
        return _probably_meant(ctx, client, body, meant)
    if word.casefold() not in _COMMANDS and (typed := read_unverified(text)):
        return unverified.show(ctx, client, body, typed)
    command = _COMMANDS.get(word.casefold())
    return command(ctx, client, body, rest) if command else list_card.show(ctx, client, body["user_id"], text)


def _help(ctx: AppContext, client: WebClient, body: dict[str, Any], _rest: str) -> Card:
    with ctx.acting(client, body["user_id"]):
        return help_card.draw(ctx.templates)


def _subscribe(ctx: AppContext, client: WebClient, body: dict[str, Any], text: str) -> Card:
    word, _, rest = text.partition(" ")
    is_weekly = word.casefold() == weekly.WORD
    return weekly.start(ctx, client, body, rest) if is_weekly else subscribe.start(ctx, client, body, text)


def _unsubscribe(ctx: AppContext, client: WebClient, body: dict[str, Any], text: str) -> Card:
    is_weekly = text.casefold() == weekly.WORD
    return weekly.stop(ctx, client, body) if is_weekly else subscribe.stop(ctx, client, body, text)


@dataclass(frozen=True)
class _Meant:
    """What a word was probably meant to do, and the commands that do it, with the words on their buttons."""

    sentence: str
    commands: Mapping[str, str]


def _probably_meant(ctx: AppContext, client: WebClient, body: dict[str, Any], meant: _Meant) -> Card:
    with ctx.acting(client, body["user_id"]):
        text = b.escaped(" ".join(body["text"].split()))
        commands = {**meant.commands, f"student {body['text'].strip()}": f"Find people named {body['text'].strip()}"}
        buttons = [
            b.button(label, f"{links.RUN_PREFIX}.{number}", command)
            for number, (command, label) in enumerate(commands.items())
        ]
        sentence = meant.sentence.format(home=_home_link(body))
        return b.card([b.section(f"`{links.COMMAND} {text}` is not a command. {sentence}"), *b.actions(buttons)])


def _home_link(body: dict[str, Any]) -> str:
    """Return a link to the Home tab; a press of a button says no app, so its name has to do."""
    app_id, team_id = body.get("api_app_id"), body.get("team_id")
    return f"<slack://app?team={team_id}&amp;id={app_id}&amp;tab=home|Home tab>" if app_id and team_id else "Home tab"


_LIST, _CHANGES, _HOW = {"all": "Show my list"}, {"pending": "Show my changes"}, {"help": "Show help"}
_FIX = _Meant("Press *Fix* beside a student in the list to change a number, or to remove a contact.", {**_LIST, **_HOW})
_UNDO = _Meant(
    "To undo a change, open the student: *Undo* is beside each change. Changes that the student information system (SIS) "
    "does not have yet are in one list.",
    {**_CHANGES, **_LIST},
)
# Keys are whole texts: `undo maria` is still a name.
_NO_COMMANDS: Mapping[str, _Meant] = {
    "home": _Meant("Your list is also on the {home} of the app Contact Cleanup, with your own work above it.", _LIST),
    **dict.fromkeys(("undo", "revert", "restore"), _UNDO),
    **dict.fromkeys(("fix", "edit", "change", "remove", "delete"), _FIX),
}
_IMPORT = "import"
_WHAT_HELPS_MOST = re.compile(r"^(?:what helps (?:the )?most|priorit(?:y|ies))\b\??", re.IGNORECASE)
_HELP_WORDS = ("help", "?")
_COMMANDS: dict[str, Command] = {
    **dict.fromkeys(_HELP_WORDS, _help),
    "forecast": forecast.show,
    next_student.COMMAND: next_student.show,
    helps_most.COMMAND: helps_most.show,
    "pending": pending.show,
    report.COMMAND: report.show,
    UNVERIFIED: lambda ctx, client, body, rest: unverified.show(ctx, client, body, take_age(rest)),
    "subscribe": _subscribe,
    "unsubscribe": _unsubscribe,
    "subscriptions": lambda ctx, client, body, _: subscribe.show(ctx, client, body),
}
