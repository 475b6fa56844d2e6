"""The report of a sync for admins, as a direct message: counts, rejections, and for a held sync two buttons.

After a decision, every copy of the message names the person who made it.
"""

from typing import Any

from slack_bolt import Ack, App
from slack_sdk import WebClient

from bot.db.models.roster import SyncDecision, SyncRun, SyncState
from bot.domain.display import plural
from bot.slack.kit import blocks as b
from bot.slack.kit import respond
from bot.slack.kit.blocks import Block, Card
from bot.slack.kit.context import AppContext
from bot.sync import identity
from bot.sync.hold import decide_held_sync
from bot.sync.notices import sent_reports

APPLY, SKIP = "sync.go_on", "sync.refuse"
_DECISIONS = {APPLY: SyncDecision.CONFIRMED, SKIP: SyncDecision.REFUSED}
_MAX_ERROR = 1_500
# With the ten examples of a run, this many reasons fit into a message.
_MAX_REASONS, _MAX_EXAMPLE = 12, 300


def register(app: App, ctx: AppContext) -> None:
    def decide(ack: Ack, body: dict[str, Any], client: WebClient, action: dict[str, Any]) -> None:
        ack()
        run_id, decision = int(action["value"]), _DECISIONS[action["action_id"]]
        with ctx.acting(client, body["user"]["id"]) as (session, actor):
            run = decide_held_sync(session, run_id, decision, actor=actor, now=ctx.now())
            session.flush()
            card, notices = report_card(run), sent_reports(session, run_id)
        pressed = (body["container"]["channel_id"], body["container"]["message_ts"])  # A reminder has the buttons, too.
        for channel_id, ts in dict.fromkeys([*((notice.channel_id, notice.ts) for notice in notices), pressed]):
            respond.update_message(client, channel_id or "", ts or "", card)

    for action_id in _DECISIONS:
        app.action(action_id)(decide)


def stale_card(run: SyncRun, held: SyncRun | None) -> Card:
    """Build the reminder that `run`, the last complete sync, is more than a day old; `held` is the sync that waits for a decision."""
    since = b.date(run.finished_at or run.started_at, style="{date_short}, {time}")
    title = "⏰ No sync with the student information system for more than a day"
    if held is None:
        return _card(title, f"What staff see is from {since}. Run `cleanup-bot doctor` on the server to find out why.")
    error = b.escaped(held.error or "", _MAX_ERROR)
    text = f"What staff see is from {since}: the sync is on hold until a person decides.\n{error}"
    return _card(title, text, *_reasons(held), *_decision(held))


def report_card(run: SyncRun, *, has_new_rejections: bool = True) -> Card:
    changes = _changes(run)
    error = b.escaped(run.error or "", _MAX_ERROR)
    if run.state == SyncState.HELD:
        return _card("🛑 The sync is on hold", f"{error}\n{changes}", *_reasons(run), *_decision(run))
    if run.state == SyncState.FAILED:
        return _card("❌ The sync with the student information system failed", f"{error}\nIt runs again in an hour.")
    rejected = sum(table["rejected"] for table in run.counts.values())
    if rejected:
        left_out = plural(rejected, "row or cell was", "rows or cells were")
        which = "The file below says whose, and why." if has_new_rejections else "They are the same as last time."
        changes += f"\n⚠️ {left_out} left out. {which}"
    return _card("🔄 The sync with the student information system is complete", changes, b.context(_origin(run)))


def _card(title: str, text: str, *more: Block) -> Card:
    return Card([b.section(f"*{title}*\n{text}"), *more], f"{title}\n{text}")


def _changes(run: SyncRun) -> str:
    lines = []
    for table, counts in run.counts.items():
        changes = [f"{counts[kind]:,} {kind}" for kind in ("added", "changed", "inactive") if counts[kind]]
        if changes:
            lines.append(f"{table.replace('_', ' ').capitalize()}: {', '.join(changes)}")
    lines += [b.escaped(sentence) for sentence in identity.describe(run.identity)]
    return "\n".join(lines) or "Nothing changed."


def _reasons(run: SyncRun) -> list[Block]:
    """Show what to check, with examples by sourced_id, which an administrator can look up in the SIS."""
    return [
        b.section(
            "\n".join(
                [
                    f"*{b.escaped(reason['clause'])}.* Check {reason['advice'] or 'whether the export is right'}.",
                    *(f"• {b.escaped(example, _MAX_EXAMPLE)}" for example in reason["examples"]),
                ]
            )
        )
        for reason in run.hold_reasons[:_MAX_REASONS]
    ]


def _origin(run: SyncRun) -> str:
    seconds = ((run.finished_at or run.started_at) - run.started_at).total_seconds()
    return f"{b.escaped(run.source)} · {b.date(run.started_at, style='{date_short}, {time}')} · {seconds:.0f} s"


def _decision(run: SyncRun) -> list[Block]:
    if run.decision and run.decided_at:
        choice, next_step = (
            ("Apply changes", "The sync runs again within a minute.")
            if run.decision == SyncDecision.CONFIRMED
            else ("Skip tonight", "The next nightly sync tries again.")
        )
        return [b.context(f"<@{run.decided_by}> chose *{choice}* on {b.date(run.decided_at)}. {next_step}")]
    confirm = b.confirm(
        "Apply these changes?",
        "Everything counted above is changed. What disappears comes back when an export has it again.",
        yes="Apply changes",
    )
    apply = b.button("Apply changes", APPLY, str(run.id), style="danger") | {"confirm": confirm}
    what_happens = "If all of that is right, press *Apply changes*. *Skip tonight* changes nothing, and the next nightly sync tries again."
    return [b.section(what_happens), *b.actions([apply, b.button("Skip tonight", SKIP, str(run.id))])]
