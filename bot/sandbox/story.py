"""What the terminal tells while a sandbox starts: the SIS is read, a channel asks for digests, a first mass message
goes out, the clerk asks for a list, and the digest is posted. Each chapter does what it tells, through the real doors.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bot.cli.sync_report import progress_bars, render_report
from bot.errors import UserError
from bot.sandbox import terminal
from bot.sandbox.district import workspace
from bot.sandbox.sender import Sent
from bot.sandbox.slack import posting
from bot.sandbox.slack.outcome import Outcome
from bot.sandbox.slack.things import Message
from bot.sandbox.stage import Stage
from bot.sync.report import SyncReport

FIRST_TITLE = "Early dismissal today"
FIRST_QUESTION = "grade 5 blocked"
_REJECTIONS_SHOWN = 4


def read_sis(stage: Stage, console: Console) -> SyncReport:
    """The first sync, with its report."""
    with progress_bars(console, transient=True) as show:
        report = stage.sync(show)
    console.print(render_report(report, rejections=_REJECTIONS_SHOWN))
    return report


def subscribe(stage: Stage, console: Console) -> Outcome:
    """The clerk asks for digests in #family-texts."""
    clerk = stage.slack.person(workspace.CLERK)
    console.print(f"[bold]{clerk.user.name}[/] types [cyan]/cleanup subscribe[/] in #family-texts.")
    outcome = clerk.command("/cleanup", "subscribe", channel=workspace.FAMILY_TEXTS)
    _refuse_trouble(outcome)
    _put_away(stage, outcome)
    show(stage, console, clerk.last(workspace.FAMILY_TEXTS), "#family-texts")
    return outcome


def send(stage: Stage, console: Console, title: str = FIRST_TITLE) -> Sent:
    """A mass message to every family, and its receipts as they come in."""
    with _bars(console) as bars:
        task = bars.add_task("receipts", total=None)
        sent = stage.send(title, lambda done, total: bars.update(task, completed=done, total=total))
    console.print(
        f"“{title}” went to {sent.deliveries:,} contacts; the provider sent {sent.receipts:,} signed receipts."
    )
    return sent


def ask(stage: Stage, console: Console, text: str = FIRST_QUESTION) -> Message:
    """The clerk asks for a list, in her direct messages with the app."""
    clerk = stage.slack.person(workspace.CLERK)
    console.print(f"[bold]{clerk.user.name}[/] types [cyan]/cleanup {text}[/].")
    outcome = clerk.command("/cleanup", text)
    _refuse_trouble(outcome)
    message = outcome.message
    if message is None:
        raise UserError("sandbox.no_answer", "The answer to the command did not come with its acknowledgement.")
    show(stage, console, message, "Only visible to Clara")
    return message


def digest(stage: Stage, console: Console) -> Message:
    """What #family-texts reads after a mass message."""
    newest = stage.slack.person(workspace.CLERK).last(workspace.FAMILY_TEXTS)
    show(stage, console, newest, "#family-texts")
    return newest


def put_away(stage: Stage, message: Message) -> None:
    """Clear a private answer off the clerk's screen, so that the newcomer finds it empty."""
    posting.delete(stage.slack, message)


def _put_away(stage: Stage, outcome: Outcome) -> None:
    if outcome.message:
        put_away(stage, outcome.message)


def show(stage: Stage, console: Console, message: Message, where: str) -> None:
    """A message as it looks in Slack, in a frame."""
    people = {one.id: one.name for one in stage.slack.users.values()}
    names = people | {one.id: one.name for one in stage.slack.channels.values()}
    drawn = terminal.drawn(message.blocks, names) if message.blocks else terminal.marked(message.text, names)
    console.print(Panel(drawn, title=where, title_align="left", border_style="dim"))


def _refuse_trouble(outcome: Outcome) -> None:
    if outcome.error:
        said = "; ".join(map(str, outcome.problems))
        raise UserError("sandbox.refused", f"Slack would show “{outcome.error}”. {said}")


@contextmanager
def _bars(console: Console) -> Iterator[Progress]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as bars:
        yield bars
