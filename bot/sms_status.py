"""The six SMS statuses: colour, meaning, next step. "No number" stands beside them: it is a lack, not a status.

Only a receipt, an opt-in or opt-out message, or a line-type lookup sets a status; nothing here guesses one.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import cache


class Colour(StrEnum):
    """Yellow may still work; red is no longer valid for texting. Always shown together with the word."""

    YELLOW = "yellow"
    RED = "red"


class SmsStatus(StrEnum):
    """Stored and written in filters by these values; people read `meaning(status).label`."""

    LANDLINE = "landline"
    TURNED_OFF = "turned_off"
    UNCONFIRMED = "unconfirmed"
    BLOCKED = "blocked"
    INACTIVE = "inactive"
    OPT_OUT = "opt_out"
    NO_NUMBER = "no_number"


@dataclass(frozen=True)
class Meaning:
    """What people read about a status: its word, colour, one-line explanation and the next step."""

    label: str
    colour: Colour
    explanation: str
    next_step: str


_MEANINGS = {
    SmsStatus.LANDLINE: Meaning(
        "Landline",
        Colour.YELLOW,
        "This number cannot get texts. It may still get an autocall.",
        "Ask for a mobile number, or switch the contact method to call.",
    ),
    SmsStatus.TURNED_OFF: Meaning(
        "Turned Off",
        Colour.YELLOW,
        "The phone was off or out of range. A text arrives once it is on again.",
        "Wait for the next mass message. Still off then? Ask for another number.",
    ),
    SmsStatus.UNCONFIRMED: Meaning(
        "Unconfirmed",
        Colour.YELLOW,
        "The carrier cannot say whether the last text arrived.",
        "Nothing yet. Check the number if it is still here after the next mass message.",
    ),
    SmsStatus.BLOCKED: Meaning(
        "Blocked",
        Colour.RED,
        "The contact or their carrier blocks our texts.",
        "Ask the contact to unblock us or their carrier to allow our texts, or use another number.",
    ),
    SmsStatus.INACTIVE: Meaning(
        "Inactive",
        Colour.RED,
        "The number is out of service or has changed hands.",
        "Ask the family for the new number.",
    ),
    SmsStatus.OPT_OUT: Meaning(
        "Opt-Out",
        Colour.RED,
        "The contact said STOP. Only they can change that.",
        "They can text START to our number. Until then, call or e-mail.",
    ),
    SmsStatus.NO_NUMBER: Meaning(
        "No number",
        Colour.RED,
        "There is no number that could be texted.",
        "Ask the family for a mobile number.",
    ),
}

# Worst first: a text that will never arrive stands above one that may.
SEVERITY = (
    SmsStatus.OPT_OUT,
    SmsStatus.INACTIVE,
    SmsStatus.BLOCKED,
    SmsStatus.NO_NUMBER,
    SmsStatus.LANDLINE,
    SmsStatus.TURNED_OFF,
    SmsStatus.UNCONFIRMED,
)


def meaning(status: SmsStatus) -> Meaning:
    return _MEANINGS[status]


@cache
def of_colour(colour: Colour) -> tuple[SmsStatus, ...]:
    return tuple(status for status in SEVERITY if _MEANINGS[status].colour is colour)


class Outcome(StrEnum):
    """What became of a delivery. Beside the statuses of `SmsStatus`: still open, arrived, or our own fault."""

    PENDING = "pending"
    DELIVERED = "delivered"
    NOT_CONTACT_PROBLEM = "not_contact_problem"
    LANDLINE = SmsStatus.LANDLINE
    TURNED_OFF = SmsStatus.TURNED_OFF
    UNCONFIRMED = SmsStatus.UNCONFIRMED
    BLOCKED = SmsStatus.BLOCKED
    INACTIVE = SmsStatus.INACTIVE
    OPT_OUT = SmsStatus.OPT_OUT
