"""Whether a file writes 8/17/2026 or 17/8/2026. A date that fits both ways is read as those of the same file that fit only one.

A file whose dates say neither, or both, is read as its region writes dates.
"""

import re
from datetime import date
from functools import cached_property

from bot.sis import cells
from bot.sis.bundle import BundleFile
from bot.sis.lines import LONGEST_LINE, text_of

_DATE = re.compile(r"(?:^|[,\"\s])(\d{1,2})[-/.](\d{1,2})[-/.](?:\d{4}|\d{2})(?=[,\"\s]|$)")
_MONTHS = 12


class DateOrder:
    """Reads the dates of one file. The file is looked through once, at the first date of which the order matters."""

    def __init__(self, file: BundleFile, region: str) -> None:
        self._file = file
        self._region = region

    def day(self, cell: str) -> date | None:
        """As `cells.day`.

        Raises:
            ValueError: it is not a date.
        """
        return cells.day(cell, month_first=self._month_first if cells.is_written_date(cell) else False)

    @property
    def was_looked_up(self) -> bool:
        """Whether a date was met that other lines decide how to read."""
        return "_month_first" in vars(self)

    @cached_property
    def _month_first(self) -> bool:
        days = set()
        with text_of(self._file.open()) as stream:
            for line in iter(lambda: stream.readline(LONGEST_LINE), ""):
                days |= {int(first) > _MONTHS for first, second in _DATE.findall(line) if _fits_once(first, second)}
        return not days.pop() if len(days) == 1 else self._region == "US"


def _fits_once(first: str, second: str) -> bool:
    return (int(first) > _MONTHS) != (int(second) > _MONTHS)
