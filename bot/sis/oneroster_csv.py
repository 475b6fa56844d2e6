"""OneRoster CSV 1.1 and 1.2 (and the 1.0 names still met in exports), each file as a stream of normalised rows.

The data wins over what the manifest says of it. A file is a delta only if the manifest says so and its rows carry a status
or a date of change, as a delta's must.
"""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from bot.errors import UserError
from bot.sis import bundle, cells, oneroster_rows
from bot.sis.bundle import BundleFile
from bot.sis.csv_file import CsvFile
from bot.sis.date_order import DateOrder
from bot.sis.lines import Lines, rows_of, text_of
from bot.sis.oneroster_columns import COLUMNS, FORMS
from bot.sis.rows import Kind, Part, Rejection


@dataclass(frozen=True)
class Export:
    """The bundle at a path, read anew at each sync; a `bot.sis.Source`."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.name

    def try_out(self) -> str:
        with bundle.opened(self.path) as files:
            return "is there, with one file" if len(files) == 1 else f"is there, with {len(files):,} files"

    def fingerprint(self) -> str | None:
        try:
            return bundle.fingerprint(self.path)
        except UserError:
            return None

    def opened(self, *, region: str, marks: Mapping[str, datetime]) -> AbstractContextManager[list[Part]]:  # noqa: ARG002
        """As `bot.sis.Source.opened`. A bundle says by itself whether its files are changes."""
        return opened(self.path, region=region)


@contextmanager
def opened(source: Path, *, region: str) -> Iterator[list[Part]]:
    """The files of the bundle (a folder or a zip) that make a roster, in reading order.

    Raises:
        UserError: nothing at `source` can be read as OneRoster CSV; also while reading, when a zip is damaged.
    """
    with bundle.opened(source) as files:
        declared = _manifest(files["manifest.csv"]) if "manifest.csv" in files else {}
        named = {kind: files.get(f"{kind.lower()}.csv") for kind in COLUMNS}
        if not any(named.values()):
            raise UserError(
                "sis.no_files", f"{source.name} holds no OneRoster files (orgs.csv, users.csv, enrollments.csv, …)."
            )
        modes = {kind: declared.get(f"file.{kind.lower()}", "absent") for kind in COLUMNS}
        yield [
            _csv_file(kind, file, says_delta=modes[kind] == "delta", region=region) if file else MissingFile(kind)
            for kind, file in named.items()
            if file or modes[kind] != "absent"
        ]


def _csv_file(kind: Kind, file: BundleFile, *, says_delta: bool, region: str) -> Part:
    dates = DateOrder(file, region)
    translate = partial(oneroster_rows.translated, kind, region=region, day=dates.day)
    return CsvFile(kind, f"{kind}.csv", file, FORMS[kind], translate, says_delta=says_delta, dates=dates)


def _manifest(file: BundleFile) -> dict[str, str]:
    with text_of(file.open()) as stream:
        pairs = (row.cells[:2] for row in rows_of(Lines(stream)) if len(row.cells) > 1)
        return {cells.tidy(name).lower(): cells.tidy(value).lower() for name, value in pairs}


class MissingFile:
    """A file that the manifest promises and the bundle does not hold; a `bot.sis.Part` that says so."""

    has_lines = True
    is_readable = is_delta = False
    size = position = rows_read = 0
    mark: datetime | None = None

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.name = f"{kind}.csv"

    def rows(self) -> Iterator[Rejection]:
        yield Rejection(self.name, None, None, "is not there, though the manifest says so; nothing follows from that")
