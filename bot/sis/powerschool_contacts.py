"""The phones of one PowerSchool contact: read, and changed by compare-and-set as far as an API without versions allows.

`plan_write` decides from what PowerSchool has right now. It changes only what the nightly read is sure to read as the edit, and
never a phone with more to it than a number: whatever else it says would be lost.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from bot.domain import names, phone
from bot.domain.phone_note import NoteKind
from bot.errors import UserError
from bot.sis.powerschool_calls import Answer, Calls
from bot.sis.powerschool_phones import ContactNumber, Phone, choose_number

_NAME = "/ws/contacts/{contact}/demographics"
_PHONES = "/ws/contacts/{contact}/phones"
_NOT_FOUND = 404


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


class ContactPhones:
    """Reads and changes phones of contacts, by PowerSchool's Contact ID."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def load_folded_name(self, contact: str) -> str | None:
        """Return the folded full name of an active contact, None if there is none with this id."""
        answer = self._calls.read("GET", _NAME.format(contact=contact))
        if answer.status == _NOT_FOUND:
            return None
        body = self._checked(answer, dict)
        if body.get("active") is False or not body:
            return None
        return names.fold_full_name(
            names.clean(str(body.get("firstName", ""))), names.clean(str(body.get("lastName", "")))
        )

    def load_phones(self, contact: str) -> list[Phone]:
        """Return the phones of a contact, none if PowerSchool has no contact with this id either."""
        answer = self._calls.read("GET", _PHONES.format(contact=contact))
        if answer.status == _NOT_FOUND or answer.body == {}:  # 204: no phones.
            return []
        return [self._phone(item) for item in self._checked(answer, list)]

    def send(self, contact: str, write: PhoneWrite) -> bool:
        """Change a phone. Return False if PowerSchool refused it, as it does for a number that the contact has already.

        Raises:
            UnclearWrite: it may have been changed.
            UserError: it was not, because PowerSchool does not let us in or asks us to wait.
        """
        path = _PHONES.format(contact=contact)
        if write.change is not Change.ADD:
            path = f"{path}/{write.phone.phone_id}"
        return not self._calls.write(write.change, path, _body(write)).is_error

    def _checked(self, answer: Answer, shape: type[Any]) -> Any:
        if answer.is_error or not isinstance(answer.body, shape):
            raise self._unknown_answer()
        return answer.body

    def _phone(self, item: Any) -> Phone:
        phone_id = item.get("contactsPhoneId") if isinstance(item, dict) else None
        if not isinstance(phone_id, int):
            raise self._unknown_answer()
        return Phone(
            phone_id=phone_id,
            number=str(item.get("phoneNumber") or ""),
            phone_type=str(item.get("phoneType") or ""),
            is_sms=item.get("sms") is True,
            is_preferred=item.get("preferred") is True,
            sequence=item["sequence"] if isinstance(item.get("sequence"), int) else 0,
            extension=str(item.get("extension") or ""),
        )

    def _unknown_answer(self) -> UserError:
        sentence = (
            f"{self._calls.host} does not answer as PowerSchool does when asked for a contact. Nothing was changed."
        )
        return UserError("sis.unknown_answer", sentence, permanent=False)


def _body(write: PhoneWrite) -> dict[str, Any] | None:
    """Return a contactPhone of the API, without the id of the number's own record: other contacts may share that record."""
    if write.change is Change.DELETE:
        return None
    return {
        "deleted": False,
        "sequence": write.phone.sequence,
        "preferred": write.phone.is_preferred,
        **({"phoneType": write.phone.phone_type} if write.phone.phone_type else {}),
        "phoneNumber": write.phone.number,
        "sms": write.phone.is_sms,
    }
