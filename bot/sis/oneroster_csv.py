"""Reads a OneRoster CSV bundle, version 1.1 or 1.2, or with column titles of 1.0, which some exports still use; or Clever's folder.

A file counts as a delta only if the manifest says so and its rows have a status or a date of change, as those of a delta must.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from bot.domain.display import plural
from bot.errors import UserError
from bot.sis import bundle, cells, clever_csv, oneroster_rows
from bot.sis.bundle import BundleFile
from bot.sis.csv_file import CsvFile, DateReader
from bot.sis.lines import LineReader, open_text, read_rows
from bot.sis.oneroster_rows import FORMATS
from bot.sis.rows import Kind, Part, Rejection


@dataclass(frozen=True)
class Export:
    """A `Source`: the bundle at a path, a folder or a zip, read anew at each sync."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.name

    def probe(self) -> str:
        with bundle.open_bundle(self.path) as files:
            return f"is there, with {plural(len(files), 'file')}"

    def fingerprint(self) -> str | None:
        try:
            return bundle.fingerprint(self.path)
        except UserError:
            return None

    @contextmanager
    def open(self, *, region: str, watermarks: Mapping[str, datetime]) -> Iterator[list[Part]]:  # noqa: ARG002
        """As `Source.open`; a bundle itself says which of its files are deltas."""
        with bundle.open_bundle(self.path) as files:
            if clever_csv.is_clever(files):
                yield clever_csv.open_parts(files, region=region)
                return
            manifest = _read_manifest(files["manifest.csv"]) if "manifest.csv" in files else {}
            found = {kind: files.get(f"{kind.lower()}.csv") for kind in FORMATS}
            if not any(found.values()):
                names = "orgs.csv, users.csv, enrollments.csv, …"
                raise UserError("sis.no_files", f"{self.name} holds no OneRoster files ({names}).")
            parts: list[Part] = []
            for kind, file in found.items():
                mode = manifest.get(f"file.{kind.lower()}", "absent")
                if file:
                    parts.append(_csv_file(kind, file, declared_delta=mode == "delta", region=region))
                elif mode != "absent":
                    parts.append(MissingFile(kind, "is not there, though the manifest says so"))
                elif kind is Kind.USERS and not manifest:
                    parts.append(MissingFile(kind, "is not there, and no manifest says why"))
            yield parts


def _csv_file(kind: Kind, file: BundleFile, *, declared_delta: bool, region: str) -> CsvFile:
    dates = DateReader(file, region)
    translate = partial(oneroster_rows.translate, kind, region=region, read_day=dates.parse)
    return CsvFile(kind, file, FORMATS[kind], translate, declared_delta=declared_delta, dates=dates)


def _read_manifest(file: BundleFile) -> dict[str, str]:
    with open_text(file.open()) as stream:
        pairs = (row.cells[:2] for row in read_rows(LineReader(stream)) if len(row.cells) > 1)
        return {cells.tidy(name).lower(): cells.tidy(value).lower() for name, value in pairs}


class MissingFile:
    """A `Part` for a file that the bundle should have and does not: its rows are not taken for deleted."""

    has_lines = True
    is_readable = is_delta = False
    size = position = rows_read = 0
    watermark: datetime | None = None

    def __init__(self, kind: Kind, problem: str) -> None:
        self.kind = kind
        self.name = f"{kind}.csv"
        self._problem = problem

    def rows(self) -> Iterator[Rejection]:
        yield Rejection(self.name, None, None, f"{self._problem}; nothing follows from that")
