"""The grades in one word as typed, and between two."""

import re
from collections.abc import Set as AbstractSet

from bot.domain import grade
from bot.domain.names import fold

# Longer than any range of grades: what is longer is not compared part by part.
_LONGEST_GRADE = 60
_DIGIT = re.compile(r"\d")


def grade_levels(text: str, among: AbstractSet[str] | None = None) -> list[str]:
    """Return the levels of one word as typed: of a grade, of a range (`3-5`, `pre-k-2`), or none.

    With `among`, a word counts only if it has a digit or is in there, each of its parts too: `junior` may be a name.
    """
    parts = text.strip("-").split("-") if len(text) <= _LONGEST_GRADE else []
    if among is not None and fold(text) not in among:
        for part in parts:
            if part and fold(part) not in among and not _DIGIT.search(part):
                return []
    for cut in range(1, len(parts)):
        if levels := levels_between("-".join(parts[:cut]), "-".join(parts[cut:])):
            return levels
    level = grade.parse(text) if parts else None
    return [level] if level else []


def levels_between(first: str, last: str) -> list[str]:
    """Return every level from one grade to another, in either order; none if one of them is not a grade."""
    ends = [grade.parse(first), grade.parse(last)]
    if None in ends:
        return []
    low, high = sorted(grade.order(level) for level in ends if level)
    return list(grade.LEVELS[low : high + 1])
