"""Fictional phone numbers, and the result of a text to each.

(NPA) 555-0100 to 555-0199 is reserved for fiction in every area code. The result of a text to a number is the ground truth of the
sandbox, which the bot learns from receipts only. It never changes.
"""

from enum import StrEnum
from random import Random

AREA_CODES = (
    "312", "773", "708", "630", "847", "224", "331", "464", "872", "815", "779", "217", "309", "618", "447",
    "262", "414", "219", "765", "574", "319", "563", "515", "608", "920", "616", "269", "313", "248", "517",
)  # fmt: skip


class TextResult(StrEnum):
    """The result of a text to a number. `DISCONNECTED` is reported so vaguely that it takes two messages to believe it."""

    DELIVERED = "delivered"
    LANDLINE = "landline"
    TURNED_OFF = "turned off"
    BLOCKED = "blocked"
    DISCONNECTED = "disconnected"
    INVALID = "invalid"
    OPTED_OUT = "opted out"
    UNKNOWN = "unknown"
    FILTERED = "filtered"


# Of 1000 mobile numbers.
_MOBILE_RESULTS = {
    TextResult.DELIVERED: 935,
    TextResult.LANDLINE: 8,
    TextResult.TURNED_OFF: 13,
    TextResult.BLOCKED: 10,
    TextResult.DISCONNECTED: 7,
    TextResult.INVALID: 9,
    TextResult.OPTED_OUT: 8,
    TextResult.UNKNOWN: 5,
    TextResult.FILTERED: 5,
}
# Of 100 home lines.
_HOME_LINE_RESULTS = {TextResult.DELIVERED: 65, TextResult.LANDLINE: 35}


class NumberPool:
    """Gives out each number once, in E.164, and chooses the result of a text to it."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._unused = [f"+1{area}55501{line:02d}" for area in AREA_CODES for line in range(100)]
        random.shuffle(self._unused)
        self.text_results: dict[str, TextResult] = {}

    def mobile(self) -> str:
        return self._next(_MOBILE_RESULTS)

    def home_line(self) -> str:
        return self._next(_HOME_LINE_RESULTS)

    def _next(self, weights: dict[TextResult, int]) -> str:
        number = self._unused.pop()
        self.text_results[number] = self._random.choices(list(weights), list(weights.values()))[0]
        return number


def as_typed(number: str, random: Random) -> str:
    """A number in one of the formats in which people type it into the SIS."""
    area, line = number[2:5], number[8:]
    formats = (f"({area}) 555-{line}", f"{area}-555-{line}", f"{area}.555.{line}", f"{area}555{line}", number)
    return random.choices(formats, (60, 25, 6, 5, 4))[0]
