"""A direct message to an editor after a sync: how many of their edits the SIS has, and the conflicts, each with a choice.

Names are in the blocks only: a locked phone shows the text.
"""

from typing import Any, Literal

from slack_bolt import Ack, App
from slack_sdk import WebClient

from bot.contact_edits.conflicts import resolve_conflict
from bot.db.models.base import ContactMethod
from bot.domain.display import plural
from bot.errors import UserError
from bot.slack.kit import blocks as b
from bot.slack.kit import respond
from bot.slack.kit.blocks import METHOD_NAMES, Block, Card
from bot.slack.kit.context import AppContext
from bot.slack.kit.private_metadata import read_ids
from bot.sync.notices import EditConflict, EditorSummary, SettledConflict, load_editor_summary

KEEP_OURS, TAKE_SIS = "conflict.keep_ours_here", "conflict.take_sis_here"
_CHOICES: dict[str, Literal["ours", "sis"]] = {KEEP_OURS: "ours", TAKE_SIS: "sis"}
_MAX_CONFLICTS = 8
_MAX_NAMES = 200


def register(app: App, ctx: AppContext) -> None:
    def choose(ack: Ack, body: dict[str, Any], client: WebClient, action: dict[str, Any]) -> None:
        ack()
        edit_id, run_id = read_ids(action["value"], count=2)
        keep = _CHOICES[action["action_id"]]
        with ctx.acting(client, body["user"]["id"]) as (session, actor):
            resolve_conflict(session, edit_id, keep=keep, actor=actor, now=ctx.now())
            session.flush()
            summary = load_editor_summary(session, run_id, actor=actor, limit=_MAX_CONFLICTS)
        card = _card(summary, run_id)
        message = body["container"]
        respond.update_message(client, message["channel_id"], message["message_ts"], card)

    for action_id in _CHOICES:
        app.action(action_id)(choose)


def load_card(ctx: AppContext, client: WebClient, user_id: str, run_id: int) -> Card | None:
    """Return the message about one sync, or None for a person who may not use the list anymore.

    Raises:
        SlackApiError: Slack did not say who the person is.
    """
    try:
        with ctx.acting(client, user_id) as (session, actor):
            return _card(load_editor_summary(session, run_id, actor=actor, limit=_MAX_CONFLICTS), run_id)
    except UserError:
        return None


def _card(summary: EditorSummary, run_id: int) -> Card:
    title = "Your edits and the student information system (SIS)"
    facts = "\n".join(_facts(summary)) or "Nothing is left to do."
    more = summary.in_conflict - len(summary.conflicts)
    blocks = [
        b.section(f"*{title}*\n{facts}"),
        *(block for edit in summary.reverted for block in _reverted(edit)),
        *(block for conflict in summary.conflicts for block in _conflict(conflict, run_id)),
        *([b.context(f"… and {more:,} more. Open the students from `/cleanup pending`.")] if more > 0 else []),
        *(block for settled in summary.settled for block in _settled(settled)),
    ]
    return Card(blocks, f"{title}\n{facts}")


def _facts(summary: EditorSummary) -> list[str]:
    facts = []
    if summary.absorbed:
        facts.append(f"✅ Now in the SIS: {plural(summary.absorbed, 'edit')}")
    if summary.reverted_count:
        facts.append(
            f"↩️ Taken back by the SIS: {plural(summary.reverted_count, 'edit')}. If yours is right, enter it again."
        )
    if summary.pending:
        facts.append(f"⏳ Not in the SIS yet: {plural(summary.pending, 'edit')}")
    if summary.in_conflict:
        facts.append(f"⚖️ In conflict: {plural(summary.in_conflict, 'edit')}. Choose which value is right.")
    return facts


def _reverted(edit: EditConflict) -> list[Block]:
    ours, theirs = b.display_value(edit.field, edit.ours), b.display_value(edit.field, edit.sis)
    text = f"You entered {ours} on {b.date(edit.made_at)}. The SIS had it, and went back to {theirs}."
    return [b.divider(), b.section(f"*{_names(edit)}*\n{text}")]


def _settled(settled: SettledConflict) -> list[Block]:
    ours, theirs = _shown(settled.ours), _shown(settled.sis)
    choice = f"Kept ours: {ours}" if settled.kept_ours else f"Took the SIS value: {theirs}"
    text = f"Entered here: {ours}. The SIS had {theirs}.\n✅ {choice}. <@{settled.settled_by}>, {b.date(settled.settled_at)}"
    return [b.divider(), b.section(f"*{_names(settled)}*\n{text}")]


def _shown(value: str | None) -> str:
    """Return a value of the audit for people: numbers are masked there, and methods are not words yet."""
    return METHOD_NAMES[ContactMethod(value)] if value in list(ContactMethod) else value or "no number"


def _names(edit: EditConflict | SettledConflict) -> str:
    return b.escaped(f"{edit.contact} ({', '.join(edit.students)})", _MAX_NAMES)


def _conflict(conflict: EditConflict, run_id: int) -> list[Block]:
    ours, theirs = b.display_value(conflict.field, conflict.ours), b.display_value(conflict.field, conflict.sis)
    since = f" since {b.date(conflict.sis_at)}" if conflict.sis_at else ""
    text = f"*{_names(conflict)}*\nYou entered {ours} on {b.date(conflict.made_at)}; the SIS has {theirs}{since}."
    value = f"{conflict.edit_id} {run_id}"
    buttons = [
        b.button(f"Keep ours: {ours}", KEEP_OURS, value, style="primary", label=f"Keep ours of {conflict.contact}"),
        b.button(f"Take SIS: {theirs}", TAKE_SIS, value, label=f"Take the SIS value of {conflict.contact}"),
    ]
    return [b.divider(), b.section(text), *b.actions(buttons)]
