"""What an editor is told after a sync, privately: how many of their edits the SIS has now, how many wait, and those it
disagrees with, each with a choice. Names are in the blocks only: the text is what a locked phone shows.
"""

from collections.abc import Callable
from typing import Any, Literal

from slack_bolt import Ack, App
from slack_sdk import WebClient

from bot.contact_edits.conflicts import resolve_conflict
from bot.errors import UserError
from bot.slack.kit import blocks as b
from bot.slack.kit import respond
from bot.slack.kit.blocks import Block
from bot.slack.kit.card import Card
from bot.slack.kit.context import AppContext
from bot.sync.editor_notices import EditConflict, EditorSummary, load_editor_summary
from bot.wording import say

KEEP_OURS, TAKE_SIS = "conflict.keep_ours_here", "conflict.take_sis_here"
_MOST = 8
_LONGEST = 200

_KEEPS: dict[str, Literal["ours", "sis"]] = {KEEP_OURS: "ours", TAKE_SIS: "sis"}


def register(app: App, desk: AppContext) -> None:
    for action_id, keep in _KEEPS.items():
        app.action(action_id)(_choosing(desk, keep))


def _choosing(desk: AppContext, keep: Literal["ours", "sis"]) -> Callable[..., None]:
    def chosen(ack: Ack, body: dict[str, Any], client: WebClient, action: dict[str, Any]) -> None:
        ack()
        edit_id, _, run_id = action["value"].partition(" ")
        with desk.acting(client, body["user"]["id"]) as (session, actor):
            resolve_conflict(session, int(edit_id), keep=keep, actor=actor, now=desk.now())
            session.flush()
            heard = load_editor_summary(session, int(run_id), actor=actor, most=_MOST)
            card = _card(heard, int(run_id), done=say(f"student_dialog.settled.{keep}"))
        there = body["container"]
        respond.update_message(client, there["channel_id"], there["message_ts"], card)

    return chosen


def drawn(desk: AppContext, client: WebClient, user_id: str, run_id: int) -> Card | None:
    """None for whoever may not use the list any more.

    Raises:
        SlackApiError: Slack did not say who it is.
    """
    try:
        with desk.acting(client, user_id) as (session, actor):
            return _card(load_editor_summary(session, run_id, actor=actor, most=_MOST), run_id)
    except UserError:
        return None


def _card(heard: EditorSummary, run_id: int, *, done: str | None = None) -> Card:
    head = "Your edits and the student information system"
    facts = "\n".join(_facts(heard))
    blocks = [
        b.section(f"*{head}*\n{facts}"),
        *(block for one in heard.disputes for block in _dispute(one, run_id)),
        *_more(heard),
        *([b.context(f"✅ {done}")] if done else []),
    ]
    return Card(blocks, f"{head}\n{facts}")


def _facts(heard: EditorSummary) -> list[str]:
    numbers = {"absorbed": heard.absorbed, "pending": heard.pending, "disputed": heard.disputed}
    facts = [say(f"edits_notice.fact.{what}", number) for what, number in numbers.items() if number]
    return facts or ["Nothing is left to do."]


def _dispute(one: EditConflict, run_id: int) -> list[Block]:
    ours, theirs = b.value_of(one.field, one.ours), b.value_of(one.field, one.sis)
    named = b.escaped(b.cut(f"{one.contact} ({', '.join(one.students)})", _LONGEST))
    facts = {"name": named, "ours": ours, "day": b.date(one.made_at), "theirs": theirs}
    text = (
        say("edits_notice.dispute_since", since=b.date(one.sis_at), **facts)
        if one.sis_at
        else say("edits_notice.dispute", **facts)
    )
    value = f"{one.edit_id} {run_id}"
    keep, take = f"Keep ours: {ours}", f"Take the SIS's: {theirs}"
    keep_of = f"Keep ours of {one.contact}"
    take_of = f"Take the SIS's of {one.contact}"
    buttons = [
        b.button(keep, KEEP_OURS, value, style="primary", label=keep_of),
        b.button(take, TAKE_SIS, value, label=take_of),
    ]
    return [b.divider(), b.section(text), *b.actions(buttons)]


def _more(heard: EditorSummary) -> list[Block]:
    left = heard.disputed - len(heard.disputes)
    return [b.context(f"… and {left:,} more: open the students from `/cleanup pending`.")] if left > 0 else []
