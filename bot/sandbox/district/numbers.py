"""Numbers that nobody has, and what would become of a text to each.

(NPA) 555-0100 to 555-0199 is set aside for fiction in every area code. The fate of a number is the sandbox's hidden
truth: the bot only ever learns it from receipts. The same number always meets the same fate; a new one is fine.
"""

from enum import StrEnum
from random import Random

AREA_CODES = (
    "312", "773", "708", "630", "847", "224", "331", "464", "872", "815", "779", "217", "309", "618", "447",
    "262", "414", "219", "765", "574", "319", "563", "515", "608", "920", "616", "269", "313", "248", "517",
)  # fmt: skip


class Fate(StrEnum):
    """What a text to a number meets. `GONE` is told so vaguely that it takes two messages to believe it."""

    FINE = "fine"
    LANDLINE = "landline"
    OFF = "off"
    BLOCKED = "blocked"
    GONE = "gone"
    DEAD = "dead"
    STOPPED = "stopped"
    UNKNOWN = "unknown"
    FILTERED = "filtered"


_OF_MOBILES = {
    Fate.FINE: 935,
    Fate.LANDLINE: 8,
    Fate.OFF: 13,
    Fate.BLOCKED: 10,
    Fate.GONE: 7,
    Fate.DEAD: 9,
    Fate.STOPPED: 8,
    Fate.UNKNOWN: 5,
    Fate.FILTERED: 5,
}
"""Of a thousand mobile numbers."""

_OF_HOME_LINES = {Fate.FINE: 65, Fate.LANDLINE: 35}


class Numbers:
    """Hands out each number once, in E.164, deciding its fate as it goes."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._left = [f"+1{area}55501{line:02d}" for area in AREA_CODES for line in range(100)]
        random.shuffle(self._left)
        self.fates: dict[str, Fate] = {}

    def mobile(self) -> str:
        return self._next(_OF_MOBILES)

    def home_line(self) -> str:
        return self._next(_OF_HOME_LINES)

    def _next(self, shares: dict[Fate, int]) -> str:
        number = self._left.pop()
        self.fates[number] = self._random.choices(list(shares), list(shares.values()))[0]
        return number


def written(number: str, random: Random) -> str:
    """A number as one of many office hands typed it into the SIS."""
    area, line = number[2:5], number[8:]
    forms = (f"({area}) 555-{line}", f"{area}-555-{line}", f"{area}.555.{line}", f"{area}555{line}", number)
    return random.choices(forms, (60, 25, 6, 5, 4))[0]
