"""What those who run the installation are told of a sync, privately: counts, how much was rejected, and, where the brake
holds, two buttons. Whoever decides, every such message says who it was.
"""

from collections.abc import Callable
from typing import Any

from slack_bolt import Ack, App
from slack_sdk import WebClient

from bot.db.models.roster import SyncDecision, SyncRun, SyncState
from bot.domain.plural import plural
from bot.slack.kit import blocks as b
from bot.slack.kit import respond
from bot.slack.kit.blocks import Block
from bot.slack.kit.card import Card
from bot.slack.kit.context import AppContext
from bot.sync.approvals import decide_held_sync
from bot.sync.notices import notices_of_run
from bot.wording import say

GO_ON, REFUSE = "sync.go_on", "sync.refuse"
_DECISIONS = {GO_ON: SyncDecision.CONFIRMED, REFUSE: SyncDecision.REFUSED}
_LONGEST = 1_500
_MOVES = ("added", "changed", "inactive")


def register(app: App, desk: AppContext) -> None:
    for action_id, decision in _DECISIONS.items():
        app.action(action_id)(_deciding(desk, decision))


def _deciding(desk: AppContext, decision: SyncDecision) -> Callable[..., None]:
    def decided(ack: Ack, body: dict[str, Any], client: WebClient, action: dict[str, Any]) -> None:
        ack()
        run_id = int(action["value"])
        with desk.acting(client, body["user"]["id"]) as (session, actor):
            run = decide_held_sync(session, run_id, decision, actor=actor, now=desk.now())
            session.flush()
            card, shown = report(run), notices_of_run(session, run_id)
        for notice in shown:
            respond.update_message(client, notice.channel_id or "", notice.ts or "", card)

    return decided


def stale(run: SyncRun) -> Card:
    since = b.date(run.finished_at or run.started_at, style="{date_short}, {time}")
    head, said = (
        "⏰ The student information system was not read for more than a day",
        (f"What staff see is as of {since}. Run `cleanup-bot doctor` on the server: it says what is in the way."),
    )
    return Card([b.section(f"*{head}*\n{said}")], f"{head}\n{said}")


def report(run: SyncRun) -> Card:
    if run.state == SyncState.BRAKED:
        return _braked(run)
    if run.state == SyncState.FAILED:
        head, said = (
            "❌ The sync with the student information system failed",
            f"{_why(run)}\nIt is tried again in an hour.",
        )
        return Card([b.section(f"*{head}*\n{said}")], f"{head}\n{said}")
    head = "🔄 The student information system was read"
    facts = [_moved(run), *_rejected(run)]
    text = "\n".join([head, *facts])
    return Card([b.section(f"*{head}*\n" + "\n".join(facts)), b.context(_took(run))], text)


def _moved(run: SyncRun) -> str:
    lines = [
        f"{name.replace('_', ' ').capitalize()}: {changes}"
        for name, one in run.counts.items()
        if (changes := ", ".join(say(f"sync_notice.moved.{kind}", count=one[kind]) for kind in _MOVES if one[kind]))
    ]
    return "\n".join(lines) or "Nothing has changed there."


def _rejected(run: SyncRun) -> list[str]:
    number = sum(one["rejected"] for one in run.counts.values())
    return (
        [(f"⚠️ {plural(number, 'row or cell was', 'rows or cells were')} left out; the file below says which and why.")]
        if number
        else []
    )


def _took(run: SyncRun) -> str:
    seconds = ((run.finished_at or run.started_at) - run.started_at).total_seconds()
    return f"{b.escaped(run.source)} · {b.date(run.started_at, style='{date_short}, {time}')} · {seconds:.0f} s"


def _braked(run: SyncRun) -> Card:
    head, facts = "🛑 The sync stopped before it wrote anything", f"{_why(run)}\n{_moved(run)}"
    return Card([b.section(f"*{head}*\n{facts}"), *_choice(run)], f"{head}\n{facts}")


def _why(run: SyncRun) -> str:
    return b.escaped(b.cut(run.error or "", _LONGEST))


def _choice(run: SyncRun) -> list[Block]:
    if run.decision and run.decided_at:
        who, day = f"<@{run.decided_by}>", b.date(run.decided_at)
        return [b.context(say(f"sync_notice.decided.{run.decision}", who=who, day=day))]
    sure = b.confirm(
        "Go on with this sync?",
        "Everything that is counted above is changed. It comes back when the export holds it again.",
        yes="Go on",
    )
    go_on = b.button("Go on all the same", GO_ON, str(run.id), style="danger") | {"confirm": sure}
    return b.actions([go_on, b.button("Leave it", REFUSE, str(run.id))])
