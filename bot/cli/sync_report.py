"""A sync in a terminal: progress bars while it runs, then what changed in each table and what was left out."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

from rich.console import Console, Group
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from bot.domain.display import plural
from bot.sync import identity
from bot.sync.hold_checks import Reason
from bot.sync.report import SyncReport, location

_NOTES = {
    "refused": "against texts",
    "dead": "that the number does not work",
    "impossible": "numbers that no one can have",
    "kept": "others",
}
_COLUMNS = ("read", "added", "changed", "inactive", "rejected")


@contextmanager
def progress_bars(console: Console, *, transient: bool = False) -> Iterator[Callable[[str, int, int], None]]:
    """Yield the `progress` callback of `run_sync`, which shows a bar for each step."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    progress = Progress(*columns, console=console, transient=transient)
    tasks: dict[str, TaskID] = {}
    # Nothing is shown before the first step: a sync that cannot begin prints only its error.
    with ExitStack() as stack:

        def show(step: str, done: int, total: int) -> None:
            if not tasks:
                stack.enter_context(progress)
            if step not in tasks:
                tasks[step] = progress.add_task(step, total=total)
            progress.update(tasks[step], completed=done, total=total)

        yield show


def show_sync(console: Console, sync: Callable[[Callable[[str, int, int], None]], SyncReport]) -> SyncReport:
    """Run a sync with progress bars and print its report, with a few of the rejected rows."""
    with progress_bars(console, transient=True) as progress:
        report = sync(progress)
    console.print(render_report(report, rejections=4))
    return report


def render_report(report: SyncReport, *, rejections: int = 20) -> Group:
    """Render the report, with the first `rejections` by file and line."""
    totals, edits = report.totals, report.edits
    summary = Text(
        f"{plural(totals['students'], 'student')}, {plural(totals['contacts'], 'contact')}, {totals['staff']:,} staff, "
        f"{plural(totals['teachers'], 'teacher')}, {plural(totals['schools'], 'school')} · "
        f"edits: {edits['absorbed']:,} absorbed, {edits['conflict']:,} in conflict, {edits['pending']:,} pending · "
        f"{report.seconds:.1f} s"
    )
    if report.same_as:
        return Group(
            summary, Text(f"Nothing was read: the export is the same as on {report.same_as:%Y-%m-%d %H:%M %Z}.")
        )
    table = Table("", box=None, pad_edge=False)
    for column in _COLUMNS:
        table.add_column(column, justify="right")
    for name, counts in report.counts.items():
        table.add_row(name.replace("_", " "), *(f"{getattr(counts, column):,}" for column in _COLUMNS))
    people = identity.describe(report.identity)
    if report.identity.at_risk:
        people.append(f"{report.identity.at_risk}.")
    lines = [f"{location(rejection)}: {rejection.reason}" for rejection in report.rejections[:rejections]]
    if report.rejected > len(lines):
        lines.append(f"… and {report.rejected - len(lines):,} more")
    partly = [f"{name}: {counts.state}" for name, counts in report.files.items() if counts.state != "read"]
    facts = map(Text, [*people, *partly, *_notes(report)])
    rejected = Text("\n".join(lines) or "Nothing was rejected.")
    return Group(summary, table, *facts, rejected, *map(Text, _hold_lines(report.hold_reasons)))


def _notes(report: SyncReport) -> list[str]:
    """Return a line with the notes beside numbers, if there are any."""
    parts = [f"{count:,} {_NOTES[kind]}" for kind, count in report.notes.items()]
    return [f"Notes beside numbers: {', '.join(parts)}"] if parts else []


def _hold_lines(reasons: Sequence[Reason]) -> list[str]:
    lines = ["This sync would be held:"] if reasons else []
    for reason in reasons:
        lines.append(f"- {reason.clause}." + (f" Check {reason.advice}." if reason.advice else ""))
        lines += [f"    {example}" for example in reason.examples]
    return lines
