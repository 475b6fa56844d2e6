"""How a contact's number becomes an edit's value in the SIS: a decision from what the SIS has right now, and the interface by which
`contact_edits.write_back_worker` makes it in any SIS.

It changes only what the nightly read is sure to read as the edit, and never a phone with more to it than a number: whatever else
it says would be lost.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

from bot.domain import phone
from bot.domain.phone_note import NoteKind
from bot.sis.contact_phones import ContactNumber, Phone, choose_number


class Verdict(StrEnum):
    """The SIS has the edit's value; has a third value; can be written; or a person has to change it there."""

    AGREES = "agrees"
    CONFLICT = "conflict"
    WRITE = "write"
    BLOCKED = "blocked"


class Obstacle(StrEnum):
    """Why a person has to make a change in the SIS."""

    NOT_POWERSCHOOL = "not_powerschool"
    NO_STUDENT_ID = "no_student_id"
    GONE = "gone"
    OTHER_NAME = "other_name"
    AMBIGUOUS = "ambiguous"
    LOCKED = "locked"
    NOTE = "note"
    EXTENSION = "extension"
    OTHER_NUMBER = "other_number"
    UNREADABLE = "unreadable"
    FOREIGN = "foreign"
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
    """One call: the phone as it will be, or as it is where it is deleted. A new phone has the id 0.

    `record` is where the SIS keeps the phone, if not under the id of the contact.
    """

    change: Change
    phone: Phone
    record: str = ""


@dataclass(frozen=True)
class WritePlan:
    """`number` is what the SIS has now. There is a `write` if the verdict is to write, an `obstacle` if it is blocked."""

    verdict: Verdict
    number: ContactNumber
    write: PhoneWrite | None = None
    obstacle: Obstacle | None = None


@dataclass(frozen=True)
class ContactEdit:
    """A new number (`value`, E.164, None for none) of a contact that had `base`.

    `contact` is the SIS's id of the contact, `search` the folded name here, `students` are the SIS's ids of the students.
    """

    contact: str
    search: str
    students: tuple[str, ...]
    base: str | None
    value: str | None
    takes_texts: bool


class ContactWriter(Protocol):
    """An SIS that takes new numbers. Each method raises UserError where it does not let us in, or is down.

    `sis` is its name. `roster_host` is the server whose ids contacts must have, None if the SIS is searched by student and name.
    """

    sis: str
    roster_host: str | None

    def find_obstacle(self, edit: ContactEdit) -> Obstacle | None:
        """Return why the contact of an edit is not one active contact of the SIS, None if it is."""
        ...

    def load_plan(self, edit: ContactEdit) -> WritePlan:
        """Return how the number becomes the edit's value, from what the SIS has now."""
        ...

    def send(self, edit: ContactEdit, write: PhoneWrite) -> bool:
        """Make one change, and return whether the SIS took it.

        Raises:
            UnclearWrite: it may have been taken.
        """
        ...


def plan_write(phones: Sequence[Phone], edit: ContactEdit, *, region: str) -> WritePlan:
    """Decide how a contact's number becomes the edit's value if the SIS still has its base."""
    number = choose_number(phones, region=region)
    if number.e164 == edit.value:
        return WritePlan(Verdict.AGREES, number)
    if number.e164 != edit.base:
        return WritePlan(Verdict.CONFLICT, number)
    write = _change(phones, number.phone if edit.base else None, edit, region=region)
    if obstacle := _find_obstacle(phones, write, number, edit.value, region):
        return WritePlan(Verdict.BLOCKED, number, obstacle=obstacle)
    return WritePlan(Verdict.WRITE, number, write)


def _change(phones: Sequence[Phone], current: Phone | None, edit: ContactEdit, *, region: str) -> PhoneWrite:
    written = phone.format_number(edit.value, region) if edit.value else ""
    if current is None:
        new = Phone(
            phone_id=0,
            number=written,
            phone_type="Mobile" if edit.takes_texts else "Home",
            is_sms=edit.takes_texts,
            is_preferred=not any(each.is_preferred for each in phones),
            sequence=max((each.sequence for each in phones), default=0) + 1,
        )
        return PhoneWrite(Change.ADD, new)
    if not edit.value:
        return PhoneWrite(Change.DELETE, current)
    return PhoneWrite(Change.REPLACE, replace(current, number=written))


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
