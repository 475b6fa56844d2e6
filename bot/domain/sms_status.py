"""The six SMS statuses: colour, meaning, next step. "No number" stands beside them: it is a lack, not a status.

Only a receipt, an opt-in or opt-out message, or a line-type lookup sets a status; nothing here guesses one.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from bot.wording import say


class Color(StrEnum):
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
    colour: Color
    explanation: str
    next_step: str


_COLOURS = {
    SmsStatus.LANDLINE: Color.YELLOW,
    SmsStatus.TURNED_OFF: Color.YELLOW,
    SmsStatus.UNCONFIRMED: Color.YELLOW,
    SmsStatus.BLOCKED: Color.RED,
    SmsStatus.INACTIVE: Color.RED,
    SmsStatus.OPT_OUT: Color.RED,
    SmsStatus.NO_NUMBER: Color.RED,
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


@cache
def meaning(status: SmsStatus) -> Meaning:
    return Meaning(
        say(f"sms_status.{status}.label"),
        _COLOURS[status],
        say(f"sms_status.{status}.explanation"),
        say(f"sms_status.{status}.next_step"),
    )


@cache
def statuses_with_color(colour: Color) -> tuple[SmsStatus, ...]:
    return tuple(status for status in SEVERITY if _COLOURS[status] is colour)


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
