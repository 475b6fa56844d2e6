"""The six SMS statuses: color, meaning, next step. Beside them: "No number", where something is missing, and "Wrong person".

Only a receipt, an opt-in or opt-out message, a carrier's notice, a note of the SIS, or a person's word sets a status; nothing here
guesses one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Color(StrEnum):
    """Yellow may still work; red is no longer valid for texting. Always shown together with the word."""

    YELLOW = "yellow"
    RED = "red"


class SmsStatus(StrEnum):
    """The values are stored; people read `MEANINGS[status].label`."""

    LANDLINE = "landline"
    TURNED_OFF = "turned_off"
    UNCONFIRMED = "unconfirmed"
    BLOCKED = "blocked"
    INACTIVE = "inactive"
    OPT_OUT = "opt_out"
    NO_NUMBER = "no_number"
    WRONG_PERSON = "wrong_person"


class Outcome(StrEnum):
    """The state of a delivery: pending, delivered, failed for a reason that is ours, or the SMS status it showed."""

    PENDING = "pending"
    DELIVERED = "delivered"
    NOT_CONTACT_PROBLEM = "not_contact_problem"
    LANDLINE = SmsStatus.LANDLINE
    TURNED_OFF = SmsStatus.TURNED_OFF
    UNCONFIRMED = SmsStatus.UNCONFIRMED
    BLOCKED = SmsStatus.BLOCKED
    INACTIVE = SmsStatus.INACTIVE
    OPT_OUT = SmsStatus.OPT_OUT


@dataclass(frozen=True)
class Meaning:
    """Texts about a status: a label, a color, one line of explanation, and the next step."""

    label: str
    color: Color
    explanation: str
    next_step: str


MEANINGS: Mapping[SmsStatus, Meaning] = {
    SmsStatus.LANDLINE: Meaning(
        "Landline",
        Color.YELLOW,
        "This number cannot get texts. It may still get an autocall.",
        "Ask for a mobile number, or switch to autocalls.",
    ),
    SmsStatus.TURNED_OFF: Meaning(
        "Turned Off",
        Color.YELLOW,
        "The phone was off or out of range. A text arrives once it is on again.",
        "Wait for the next message. Still off then? Ask for another number.",
    ),
    SmsStatus.UNCONFIRMED: Meaning(
        "Unconfirmed",
        Color.YELLOW,
        "The carrier cannot say whether the last text arrived.",
        "Wait for the next message. Still here then? Check the number with the family.",
    ),
    SmsStatus.BLOCKED: Meaning(
        "Blocked",
        Color.RED,
        "The contact or their carrier blocks our texts.",
        "Ask them to unblock our number, or get another number.",
    ),
    SmsStatus.INACTIVE: Meaning(
        "Inactive",
        Color.RED,
        "The number is out of service or has changed hands.",
        "Ask the family for the new number.",
    ),
    SmsStatus.OPT_OUT: Meaning(
        "Opt-Out",
        Color.RED,
        "The contact opted out (STOP). Only they can change that.",
        "They can text START to our number. Until then, call or email.",
    ),
    SmsStatus.WRONG_PERSON: Meaning(
        "Wrong person",
        Color.RED,
        "This number belongs to someone else. It is not texted for any student.",
        "Ask the family for a new number.",
    ),
    SmsStatus.NO_NUMBER: Meaning(
        "No number",
        Color.RED,
        "There is no number that can be texted.",
        "Ask the family for a mobile number.",
    ),
}

# What a color means to a front office. Only the contact can lift an opt-out, so it has words of its own.
COLOR_WORDS = {Color.RED: "Needs a new number", Color.YELLOW: "May still work"}
WAITS_FOR_FAMILY = "Waiting for the family"
# Over the statuses of one kind: who can do what about them.
GROUP_WORDS = {status: COLOR_WORDS[meaning.color] for status, meaning in MEANINGS.items()} | {
    SmsStatus.OPT_OUT: WAITS_FOR_FAMILY
}

# Worst first: a text that will never arrive ranks above one that may.
SEVERITY = (
    SmsStatus.OPT_OUT,
    SmsStatus.WRONG_PERSON,
    SmsStatus.INACTIVE,
    SmsStatus.BLOCKED,
    SmsStatus.NO_NUMBER,
    SmsStatus.LANDLINE,
    SmsStatus.TURNED_OFF,
    SmsStatus.UNCONFIRMED,
)

STATUSES_BY_COLOR = {color: tuple(status for status in SEVERITY if MEANINGS[status].color is color) for color in Color}

# What a clerk can fix now, what may still work, and what only the family can change.
WORK_ORDER = (
    SmsStatus.NO_NUMBER,
    SmsStatus.INACTIVE,
    SmsStatus.WRONG_PERSON,
    SmsStatus.LANDLINE,
    SmsStatus.BLOCKED,
    SmsStatus.TURNED_OFF,
    SmsStatus.UNCONFIRMED,
    SmsStatus.OPT_OUT,
)

# A call to such a number reaches no one, or a stranger.
NOT_CALLED = (SmsStatus.INACTIVE, SmsStatus.WRONG_PERSON)
