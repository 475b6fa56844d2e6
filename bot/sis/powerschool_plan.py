"""How a contact's number becomes an edit's value in PowerSchool: a decision from what PowerSchool has right now.

It changes only what the nightly read is sure to read as the edit, and never a phone with more to it than a number: whatever else
it says would be lost.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from bot.domain import phone
from bot.domain.phone_note import NoteKind
from bot.sis.powerschool_phones import ContactNumber, Phone, choose_number


class Verdict(StrEnum):
    """PowerSchool has the edit's value; has a third value; can be written; or a person has to change it there."""

    AGREES = "agrees"
    CONFLICT = "conflict"
    WRITE = "write"
    BLOCKED = "blocked"


class Obstacle(StrEnum):
    """Why a person has to make a change in PowerSchool."""

    NOT_POWERSCHOOL = "not_powerschool"
    GONE = "gone"
    OTHER_NAME = "other_name"
    NOTE = "note"
    EXTENSION = "extension"
    OTHER_NUMBER = "other_number"
    REFUSED = "refused"
    UNCLEAR = "unclear"
    EXPIRED = "expired"


class Change(StrEnum):
    """The HTTP method by which a phone changes."""

    ADD = "POST"
    REPLACE = "PUT"
    DELETE = "DELETE"


@dataclass(frozen=True)
class PhoneWrite:
    """One call: the phone as it will be, or as it is where it is deleted. A new phone has the id 0."""

    change: Change
    phone: Phone


@dataclass(frozen=True)
class WritePlan:
    """`number` is what PowerSchool has now. There is a `write` if the verdict is to write, an `obstacle` if it is blocked."""

    verdict: Verdict
    number: ContactNumber
    write: PhoneWrite | None = None
    obstacle: Obstacle | None = None


def plan_write(
    phones: Sequence[Phone], *, base: str | None, value: str | None, takes_texts: bool, region: str
) -> WritePlan:
    """Decide how a contact's number becomes `value` (E.164, None for none) if PowerSchool still has `base`."""
    number = choose_number(phones, region=region)
    if number.e164 == value:
        return WritePlan(Verdict.AGREES, number)
    if number.e164 != base:
        return WritePlan(Verdict.CONFLICT, number)
    write = _change(phones, number.phone if base else None, value, takes_texts=takes_texts, region=region)
    if obstacle := _find_obstacle(phones, write, number, value, region):
        return WritePlan(Verdict.BLOCKED, number, obstacle=obstacle)
    return WritePlan(Verdict.WRITE, number, write)


def _change(
    phones: Sequence[Phone], current: Phone | None, value: str | None, *, takes_texts: bool, region: str
) -> PhoneWrite:
    written = phone.format_number(value, region) if value else ""
    if current is None:
        new = Phone(
            phone_id=0,
            number=written,
            phone_type="Mobile" if takes_texts else "Home",
            is_sms=takes_texts,
            is_preferred=not any(each.is_preferred for each in phones),
            sequence=max((each.sequence for each in phones), default=0) + 1,
        )
        return PhoneWrite(Change.ADD, new)
    return PhoneWrite(Change.REPLACE, replace(current, number=written)) if value else PhoneWrite(Change.DELETE, current)


def _find_obstacle(
    phones: Sequence[Phone], write: PhoneWrite, number: ContactNumber, value: str | None, region: str
) -> Obstacle | None:
    current = next((each for each in phones if each.phone_id == write.phone.phone_id), None)
    if number.kind is NoteKind.REFUSED or (current and current.parsed(region).note):
        return Obstacle.NOTE
    if current and current.extension:
        return Obstacle.EXTENSION
    others = [each for each in phones if each is not current]
    is_there = value is not None and any(each.parsed(region).e164 == value for each in others)
    after = others if write.change is Change.DELETE else [*others, write.phone]
    if is_there or choose_number(after, region=region).e164 != value:
        return Obstacle.OTHER_NUMBER
    return None
