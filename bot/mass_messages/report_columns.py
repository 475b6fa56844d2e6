"""Find the header of a report and what its columns hold: by their titles, and by what is in them."""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

from bot.errors import UserError
from bot.mass_messages import report_words
from bot.mass_messages.report_file import Table
from bot.mass_messages.report_words import Messenger, normalize_title
from bot.sis.lines import CsvRow

_MAX_ROWS_ABOVE = 20
_SAMPLE, _MOST_WORDS = 500, 60
_NUMBER_LIKE = re.compile(r"(?:\D*\d){7}|\d[.,]?\d*E\+?\d+", re.IGNORECASE)


class Column(StrEnum):
    """The columns that are read. A report needs `to`, and `result`, `reason`, or `code`."""

    TO = "to"
    RESULT = "result"
    REASON = "reason"
    CODE = "code"
    CONTACT = "contact"
    CHANNEL = "channel"


@dataclass(frozen=True)
class Layout:
    """The header of a report, the position of each column found, and the messenger, if it is known.

    `key` is what choices are remembered under: the messenger, or else the titles of the header.
    """

    header: CsvRow
    positions: Mapping[Column, int]
    messenger: Messenger | None
    key: str

    @property
    def titles(self) -> list[str]:
        """The titles of the header that are not blank, each once."""
        return list(dict.fromkeys(title.strip() for title in self.header.cells if title.strip()))

    @property
    def missing(self) -> list[Column]:
        """The columns that a person has to point out."""
        has_result = self.positions.keys() & {Column.RESULT, Column.REASON, Column.CODE}
        return [*([] if Column.TO in self.positions else [Column.TO]), *([] if has_result else [Column.RESULT])]


def find_layout(
    table: Table, *, messenger: str | None = None, remembered: Mapping[str, Mapping[str, str]] | None = None
) -> Layout:
    """Find the columns of a report. `messenger` is the one that a person named.

    `remembered` holds the titles that people pointed out before, by `Layout.key` and column.

    Raises:
        UserError: there is no header, or no such messenger.
    """
    index, titles = _find_header(table.rows)
    rows = table.rows[index + 1 :]
    beside = " ".join([table.name, *(cell for row in table.rows[:index] for cell in row.cells)])
    words = [*table.rows[index].cells, *_repeated_words(rows)]
    known = report_words.named_messenger(messenger) if messenger else report_words.find_messenger(beside, words)
    key = known.key if known else "titles " + hashlib.sha256("\n".join(titles).encode()).hexdigest()[:16]
    chosen = (remembered or {}).get(key, {})
    positions = {column: at for column in Column if (at := _position(column, titles, rows, chosen)) is not None}
    return Layout(table.rows[index], positions, known, key)


def _find_header(rows: Sequence[CsvRow]) -> tuple[int, list[str]]:
    """Return the position of the header and its normalized titles: the row near the top with the most known titles."""
    if not rows:
        raise UserError("report.empty", "The report is empty.", field="file")
    known = {title for titles in report_words.data()["columns"].values() for title in titles}
    candidates = [[normalize_title(cell) for cell in row.cells] for row in rows[:_MAX_ROWS_ABOVE]]
    counts = [len(known.intersection(titles)) for titles in candidates]
    index = counts.index(max(counts))
    if not counts[index]:
        widths = [sum(map(bool, titles)) for titles in candidates]
        index = next((number for number, width in enumerate(widths) if width > 1), 0)
    return index, candidates[index]


def _repeated_words(rows: Sequence[CsvRow]) -> Iterable[str]:
    """Yield the words of columns that repeat a few: results, and whatever else tells messengers apart."""
    sample = [row.cells for row in rows[:_SAMPLE]]
    width = max(map(len, sample), default=0)
    for at in range(width):
        words = {cells[at] for cells in sample if at < len(cells)}
        if len(words) <= _MOST_WORDS:
            yield from words


def _position(column: Column, titles: Sequence[str], rows: Sequence[CsvRow], chosen: Mapping[str, str]) -> int | None:
    if chosen.get(column) in titles:
        return titles.index(chosen[column])
    named = [titles.index(name) for name in report_words.data()["columns"][column] if name in titles]
    if column is Column.CONTACT:
        # Most reports have the name of a person under this title.
        named += [at for at, title in enumerate(titles) if title == "contact" and _holds_ids(rows, at)]
    if column is not Column.TO:
        return named[0] if named else None
    with_numbers = [at for at in named if _holds_numbers(rows, at)]
    return next(iter([*with_numbers, *named]), None)


def _holds_ids(rows: Sequence[CsvRow], at: int) -> bool:
    """Return whether no cell has a blank, as most names of people have."""
    return not any(" " in row.cells[at].strip() for row in rows if at < len(row.cells))


def _holds_numbers(rows: Sequence[CsvRow], at: int) -> bool:
    """Return whether most cells that are not blank look like phone numbers: `Address` may hold either those or emails."""
    cells = (row.cells[at] for row in rows if at < len(row.cells) and row.cells[at].strip())
    sample = [bool(_NUMBER_LIKE.match(cell.strip())) for cell in islice(cells, _SAMPLE)]
    return sum(sample) * 2 > len(sample)
