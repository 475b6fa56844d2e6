"""The phones of one PowerSchool contact over its API: read, and changed one at a time."""

from typing import Any

from bot.domain import names
from bot.errors import UserError
from bot.sis.answers import Answer
from bot.sis.contact_phones import Phone
from bot.sis.powerschool_calls import Calls
from bot.sis.write_plan import Change, ContactEdit, Obstacle, PhoneWrite, WritePlan, plan_write

_NAME = "/ws/contacts/{contact}/demographics"
_PHONES = "/ws/contacts/{contact}/phones"
_NOT_FOUND = 404


class ContactPhones:
    """A `ContactWriter`: reads and changes phones of contacts, by PowerSchool's Contact ID."""

    sis = "PowerSchool"

    def __init__(self, calls: Calls, *, region: str) -> None:
        self._calls = calls
        self._region = region
        self.roster_host: str | None = calls.host

    def find_obstacle(self, edit: ContactEdit) -> Obstacle | None:
        if not edit.contact.isdecimal():
            return Obstacle.NOT_POWERSCHOOL
        name = self.load_folded_name(edit.contact)
        if name is None:
            return Obstacle.GONE
        return None if name == edit.search else Obstacle.OTHER_NAME

    def load_plan(self, edit: ContactEdit) -> WritePlan:
        return plan_write(self.load_phones(edit.contact), edit, region=self._region)

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

    def send(self, edit: ContactEdit, write: PhoneWrite) -> bool:
        """As `ContactWriter.send`. PowerSchool refuses a number that the contact has already."""
        path = _PHONES.format(contact=edit.contact)
        if write.change is not Change.ADD:
            path = f"{path}/{write.phone.phone_id}"
        return not self._calls.write(write.change, path, _body(write)).is_error

    def _checked(self, answer: Answer, shape: type[Any]) -> Any:
        if answer.is_error or not isinstance(answer.body, shape):
            raise self._unknown_answer()
        return answer.body

    def _phone(self, item: Any) -> Phone:
        phone_id = str(item.get("contactsPhoneId")) if isinstance(item, dict) else ""
        if not phone_id.isdecimal():
            raise self._unknown_answer()
        return Phone(
            phone_id=int(phone_id),
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
