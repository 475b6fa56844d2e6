"""The table in PRIVACY.md: who gets which result at which entry point. The privacy matrix compares each cell, or writes it.

`WRITE_PRIVACY=1 pytest tests/slack/test_privacy_matrix.py` regenerates the table.
"""

import os
from pathlib import Path

from support import surfaces

FILE = Path(__file__).parents[2] / "PRIVACY.md"
INSIDERS = ("their teacher", "clerk", "principal", "district manager", "admin by email")
OTHER_STAFF = ("teacher of another class", "clerk of another school")
OUTSIDERS = (
    *("guest", "single-channel guest", "stranger in a shared channel", "user of another workspace"),
    *("bot", "deactivated account", "account without email", "not in the SIS"),
)
PEOPLE = (*INSIDERS, *OTHER_STAFF, *OUTSIDERS)
_HEAD = ["entry point", *PEOPLE]


class PrivacyTable:
    """The cells of the file by (entry point, person); when it is being written, the results that were observed."""

    def __init__(self):
        self.writes = bool(os.environ.get("WRITE_PRIVACY"))
        self._before, self._lines, self._after = _split_file()
        self._observed = {}

    def cells(self):
        rows = [[cell.strip() for cell in line.strip("| \n").split("|")] for line in self._lines]
        assert rows[0] == _HEAD
        return {(entry, person): cell for entry, *cells in rows[2:] for person, cell in zip(PEOPLE, cells, strict=True)}

    def check(self, entry, person, result):
        """Compare the result (`yes`, `own`, `hidden`, or `no`) with the file, or keep it for the file."""
        self._observed[entry, person] = result
        if not self.writes:
            assert self.cells()[entry, person] == result, (entry, person)

    def write(self):
        rows = [[entry, *(self._observed[entry, person] for person in PEOPLE)] for entry in surfaces.ALL]
        lines = [f"| {' | '.join(row)} |" for row in (_HEAD, ["---"] * len(_HEAD), *rows)]
        FILE.write_text("\n".join([*self._before, *lines, *self._after]) + "\n", encoding="utf-8")


def _split_file():
    """Return the lines before the table, those of the table, and those after it."""
    lines = FILE.read_text(encoding="utf-8").splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith(f"| {_HEAD[0]} |"))
    last = max(number for number, line in enumerate(lines) if line.startswith("|"))
    return lines[:first], lines[first : last + 1], lines[last + 1 :]
