"""A sync as a terminal shows it: bars while it runs, and afterwards what changed in each table and what was left out."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from rich.console import Console, Group
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from bot.sync.report import SyncReport, where
from bot.wording import say

_COUNTED = ("read", "added", "changed", "inactive", "rejected")


@contextmanager
def progress_bars(console: Console, *, transient: bool = False) -> Iterator[Callable[[str, int, int], None]]:
    """A bar for each step; gives what `roster.sync` takes as its `progress`."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    progress = Progress(*columns, console=console, transient=transient)
    tasks: dict[str, TaskID] = {}
    # Drawn from the first step on: a sync that cannot begin leaves nothing but its sentence.
    with ExitStack() as drawing:

        def show(step: str, done: int, total: int) -> None:
            if not tasks:
                drawing.enter_context(progress)
            if step not in tasks:
                tasks[step] = progress.add_task(step, total=total)
            progress.update(tasks[step], completed=done, total=total)

        yield show


def render_report(report: SyncReport, *, rejections: int = 20) -> Group:
    """The report, with the first few rejections by file and line."""
    totals = ", ".join(say(f"sync_report.total.{what}", number) for what, number in report.totals.items())
    edits = ", ".join(say(f"sync_report.edits.{what}", number) for what, number in report.edits.items())
    summary = Text(f"{totals} · edits: {edits} · {report.seconds:.1f} s")
    if report.same_as:
        return Group(
            summary, Text(f"The export is the same as on {report.same_as:%Y-%m-%d %H:%M %Z}: nothing had to be read.")
        )
    return Group(summary, _tables(report), _rejections(report, rejections))


def _tables(report: SyncReport) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    for word in _COUNTED:
        table.add_column(say(f"sync_report.column.{word}"), justify="right")
    for name, counts in report.counts.items():
        table.add_row(name.replace("_", " "), *(f"{getattr(counts, word):,}" for word in _COUNTED))
    return table


def _rejections(report: SyncReport, most: int) -> Text:
    shown = [f"{where(one)}: {one.reason}" for one in report.rejections[:most]]
    more = report.rejected - len(shown)
    last = [f"… and {more:,} more"] if more > 0 else []
    return Text("\n".join([*shown, *last]) or "Nothing was rejected.")
