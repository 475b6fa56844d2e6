"""PRIVACY.md says who gets through which door. The tests that knock hold each cell against what they saw, or write it.

`WRITE_PRIVACY=1 pytest tests/slack/test_doors.py` writes the table anew.
"""

import os
from pathlib import Path

from support.surfaces import EVERY

FILE = Path(__file__).parents[2] / "PRIVACY.md"
INSIDERS = ("their teacher", "clerk", "principal", "district manager", "admin by e-mail")
OTHERS = ("teacher of another class", "clerk of another school")
OUTSIDERS = (
    *("guest", "guest of one channel", "stranger in a shared channel", "somebody of another workspace"),
    *("bot", "deactivated", "nobody's address", "not in the SIS"),
)
WHO = (*INSIDERS, *OTHERS, *OUTSIDERS)
_HEAD = ["door", *WHO]


class Table:
    """The cells of the file, `table[door, who]`; where it is being written, those that were seen."""

    def __init__(self):
        self.writes = bool(os.environ.get("WRITE_PRIVACY"))
        self._before, self._lines, self._after = _parts()
        self._seen = {}

    def cells(self):
        rows = [[cell.strip() for cell in line.strip("| \n").split("|")] for line in self._lines]
        assert rows[0] == _HEAD
        return {(door, who): cell for door, *cells in rows[2:] for who, cell in zip(WHO, cells, strict=True)}

    def saw(self, door, who, outcome):
        """What came of a door when somebody knocked: `yes`, `own`, `hidden` or `no`."""
        self._seen[door, who] = outcome
        if not self.writes:
            assert self.cells()[door, who] == outcome, (door, who)

    def written(self):
        rows = [[door, *(self._seen[door, who] for who in WHO)] for door in EVERY]
        lines = [f"| {' | '.join(row)} |" for row in (_HEAD, ["---"] * len(_HEAD), *rows)]
        FILE.write_text("\n".join([*self._before, *lines, *self._after]) + "\n", encoding="utf-8")


def _parts():
    """The lines before the table, those of the table, and those after it."""
    lines = FILE.read_text(encoding="utf-8").splitlines()
    rows = [number for number, line in enumerate(lines) if line.startswith("|")]
    first, last = rows[0], rows[-1]
    return lines[:first], lines[first : last + 1], lines[last + 1 :]
