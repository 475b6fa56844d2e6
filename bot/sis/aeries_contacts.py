"""The phones of contacts in Aeries over its API: a contact is found by student, name, and number, and one field is changed.

Aeries has a contact once for each student, under the student's ID and a sequence number "without independent meaning". A phone is
ten digits in a field of its kind. A field that our certificate may not update is ignored without an error, so nothing counts as
taken before it is read again.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.domain import names
from bot.sis.aeries_calls import LARGEST_STUDENT_ID, AeriesCalls
from bot.sis.contact_phones import ContactNumber, Phone
from bot.sis.write_plan import Change, ContactEdit, Obstacle, PhoneWrite, Verdict, WritePlan, plan_write

# By type, as `Phone.phone_type`; the id of a phone here is its place in the list.
_FIELDS = {"Mobile": "CellPhone", "Home": "HomePhone", "Work": "WorkPhone"}
_TEN_DIGITS = re.compile(r"\+1\d{10}")


@dataclass(frozen=True)
class Record:
    """A contact of one student. `path` is "student ID/sequence number"; `phones` are the fields that are not blank."""

    path: str
    search: str
    is_locked: bool
    phones: tuple[Phone, ...]

    def has_number(self, numbers: Iterable[str | None], region: str) -> bool:
        wanted = {number for number in numbers if number}
        return any(phone.parsed(region).e164 in wanted for phone in self.phones)


class AeriesContacts:
    """A `ContactWriter`."""

    sis = "Aeries"
    roster_host: str | None = None

    def __init__(self, calls: AeriesCalls, *, region: str) -> None:
        self._calls = calls
        self._region = region

    def find_obstacle(self, edit: ContactEdit) -> Obstacle | None:
        found = self._find(edit)
        return found if isinstance(found, Obstacle) else None

    def load_plan(self, edit: ContactEdit) -> WritePlan:
        """As `ContactWriter.load_plan`. Of several students the first whose record has no new number yet comes first."""
        found = self._find(edit)
        if isinstance(found, Obstacle):
            return WritePlan(Verdict.BLOCKED, ContactNumber(), obstacle=found)
        plans = [plan_record(record, edit, region=self._region) for record in found]
        return min(plans, key=lambda plan: _URGENCY.index(plan.verdict))

    def send(self, edit: ContactEdit, write: PhoneWrite) -> bool:
        """As `ContactWriter.send`. Aeries answers with the contact as it is then."""
        field, value = _FIELDS[write.phone.phone_type], (edit.value or "")[2:]
        answer = self._calls.update(write.record, {field: value})
        if answer.is_error or not isinstance(answer.body, dict) or "SequenceNumber" not in answer.body:
            return False
        return re.sub(r"\D", "", _text(answer.body, field)) == value

    def _find(self, edit: ContactEdit) -> list[Record] | Obstacle:
        """Return the records of a contact, one for each of the students."""
        if not edit.students or not all(map(_is_student_id, edit.students)):
            return Obstacle.NO_STUDENT_ID
        found = [choose_record(self._load(int(student)), edit, region=self._region) for student in edit.students]
        obstacles = [each for each in found if isinstance(each, Obstacle)]
        return obstacles[0] if obstacles else [each for each in found if isinstance(each, Record)]

    def _load(self, student: int) -> list[Record]:
        records = map(_record, self._calls.contacts(student))
        return [record for record in records if re.fullmatch(rf"{student}/\d+", record.path, re.ASCII)]


# A third value in one record keeps us from changing the others.
_URGENCY = (Verdict.CONFLICT, Verdict.BLOCKED, Verdict.WRITE, Verdict.AGREES)


def choose_record(records: Sequence[Record], edit: ContactEdit, *, region: str) -> Record | Obstacle:
    """Return the record of a contact among those of a student: the one of the name; among several, the one with the number."""
    numbers = (edit.base, edit.value)
    named = [record for record in records if record.search == edit.search]
    with_number = [record for record in named or records if record.has_number(numbers, region)]
    if not named:
        return Obstacle.OTHER_NAME if with_number else Obstacle.GONE
    matching = named if len(named) == 1 else with_number
    return matching[0] if len(matching) == 1 else Obstacle.AMBIGUOUS


def plan_record(record: Record, edit: ContactEdit, *, region: str) -> WritePlan:
    """Decide how one record gets the edit's value: in the best field if that has the base, else in a blank one."""
    plan = plan_write(record.phones, edit, region=region)
    if plan.verdict is Verdict.CONFLICT and record.has_number((edit.base,), region):
        # Staff saw another field than the one that we would read: neither is known to be newer.
        return WritePlan(Verdict.BLOCKED, plan.number, obstacle=Obstacle.OTHER_NUMBER)
    if plan.write is None:
        return plan
    if obstacle := _find_obstacle(record, edit, plan.write):
        return WritePlan(Verdict.BLOCKED, plan.number, obstacle=obstacle)
    return replace(plan, write=replace(plan.write, record=record.path))


def _find_obstacle(record: Record, edit: ContactEdit, write: PhoneWrite) -> Obstacle | None:
    if record.is_locked:
        return Obstacle.LOCKED
    if edit.value and not _TEN_DIGITS.fullmatch(edit.value):
        return Obstacle.FOREIGN
    is_taken = any(phone.phone_type == write.phone.phone_type for phone in record.phones)
    return Obstacle.UNREADABLE if write.change is Change.ADD and is_taken else None


def _record(item: dict[str, Any]) -> Record:
    given, family = (names.clean(_text(item, field)) for field in ("FirstName", "LastName"))
    phones = [
        Phone(
            phone_id=at,
            number=_text(item, field),
            phone_type=kind,
            is_sms=kind == "Mobile",
            extension=_text(item, "WorkPhoneExt") if kind == "Work" else "",
        )
        for at, (kind, field) in enumerate(_FIELDS.items(), start=1)
        if _text(item, field)
    ]
    return Record(
        path=f"{_text(item, 'StudentID')}/{_text(item, 'SequenceNumber')}",
        search=names.fold_full_name(given, family),
        is_locked=bool(_text(item, "AdministrativeLockCode")),
        phones=tuple(phones),
    )


def _is_student_id(text: str) -> bool:
    """Return whether this is an integer of 32 bits: Aeries takes no other, such as the longer ids of a state."""
    return text.isdecimal() and 0 < int(text) < LARGEST_STUDENT_ID


def _text(item: dict[str, Any], field: str) -> str:
    """Return a field without the blanks that pad it; blank if it is absent or null."""
    value = item.get(field)
    return "" if value is None else str(value).strip()
