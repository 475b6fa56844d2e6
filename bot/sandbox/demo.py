"""The first steps of a district, carried out over the real interfaces and printed to the terminal: the first sync, a
subscription to digests, a mass message, the clerk's list, the digest.
"""

from collections.abc import Callable
from dataclasses import dataclass

from rich.console import Console
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bot.db.session import transaction
from bot.errors import UserError
from bot.sandbox import history, terminal
from bot.sandbox.assembly import Sandbox, SyncProgress
from bot.sandbox.district.slack_workspace import CLERK, FAMILY_TEXTS
from bot.sandbox.sender import Sent
from bot.sandbox.slack import message_store
from bot.sandbox.slack.models import Message, Outcome
from bot.sandbox.slack.people import Person
from bot.sync.report import SyncReport

FIRST_TITLE = "Early dismissal today"
FIRST_FILTER = "grade 5 blocked"

ShowSync = Callable[[Console, Callable[[SyncProgress], SyncReport]], SyncReport]


@dataclass(frozen=True)
class Demo:
    """`show_sync` runs a sync with progress bars and prints its report."""

    sandbox: Sandbox
    console: Console
    show_sync: ShowSync

    @property
    def clerk(self) -> Person:
        return Person(self.sandbox.slack, CLERK)

    def sync(self) -> SyncReport:
        return self.show_sync(self.console, self.sandbox.sync)

    def subscribe(self) -> None:
        """Subscribe #family-texts to digests."""
        outcome = self._command("subscribe", "#family-texts", FAMILY_TEXTS)
        if outcome.message:
            self.dismiss(outcome.message)
        self._show(self.clerk.last(FAMILY_TEXTS), "#family-texts")

    def send(self, title: str = FIRST_TITLE) -> Sent:
        """Send a mass message to every family, with a bar for its receipts."""
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self.console) as bars:
            task = bars.add_task("receipts", total=None)
            sent = self.sandbox.send(title, lambda done, total: bars.update(task, completed=done, total=total))
        self.console.print(
            f"“{title}” was sent to {sent.deliveries:,} contacts; "
            f"the provider reported {sent.receipts:,} signed receipts."
        )
        return sent

    def make_up_history(self) -> int:
        """Add weeks of scores before today's, and return how many."""
        self.sandbox.run_due_work()  # Counts today.
        with transaction(self.sandbox.engine) as session:
            return history.write_history(session) // 7

    def ask(self, text: str = FIRST_FILTER, *, channel: str | None = None) -> Message:
        """Ask for a list in a channel, or in the clerk's direct messages with the app.

        Raises:
            UserError: the acknowledgment of the command had no message.
        """
        message = self._command(text, "#family-texts" if channel else "the Messages tab", channel).message
        if message is None:
            raise UserError("command.no_answer", "The acknowledgment of the command contained no message.")
        self._show(message, "Only visible to Clara")
        return message

    def dismiss(self, message: Message) -> None:
        """Remove a private message from the clerk's screen."""
        message_store.delete(self.sandbox.slack, message)

    def show_digest(self) -> Message:
        """Print and return the newest message in #family-texts."""
        message = self.clerk.last(FAMILY_TEXTS)
        self._show(message, "#family-texts")
        return message

    def _command(self, text: str, place: str, channel: str | None) -> Outcome:
        self.console.print(f"[bold]{self.clerk.user.name}[/] types [cyan]/cleanup {text}[/] in {place}.")
        outcome = self.clerk.command("/cleanup", text, channel=channel)
        if outcome.error:
            problems = "; ".join(map(str, outcome.problems))
            raise UserError("command.refused", f"Slack refused with “{outcome.error}”. {problems}")
        return outcome

    def _show(self, message: Message, title: str) -> None:
        """Print a message in a frame, as it looks in Slack."""
        slack = self.sandbox.slack
        names = {user.id: user.name for user in slack.users.values()}
        names |= {channel.id: channel.name for channel in slack.channels.values()}
        text = (
            terminal.render_blocks(message.blocks, names)
            if message.blocks
            else terminal.render_mrkdwn(message.text, names)
        )
        self.console.print(Panel(text, title=title, title_align="left", border_style="dim"))
