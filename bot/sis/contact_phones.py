"""The phones of a contact in an SIS, and which of them is the contact's number here.

PowerSchool's nightly read and the write-back choose with the same function, so a write is known to be read as what was meant.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain.phone_note import NoteKind, worst
from bot.sis import cells
from bot.sis.cells import PhoneCell

# How good a phone is for texts, by its type: PowerSchool's own types, and what districts call theirs.
_MOBILE, _UNKNOWN, _FIXED_LINE, _NO_PHONE = 1, 2, 3, 4
_RANKS = {
    **dict.fromkeys(("mobile", "cell", "cellular", "sms", "text"), _MOBILE),
    **dict.fromkeys(("home", "work", "daytime", "evening", "business", "office", "landline"), _FIXED_LINE),
    **dict.fromkeys(("fax", "pager"), _NO_PHONE),
}


@dataclass(frozen=True)
class Phone:
    """A phone of a contact. `phone_id` is the SIS's (PowerSchool's contactsPhoneId), `number` as it was entered there; `sequence` begins at 1."""

    phone_id: int
    number: str
    phone_type: str = ""
    is_sms: bool = False
    is_preferred: bool = False
    sequence: int = 0
    extension: str = ""

    @property
    def rank(self) -> int:
        """How good it is for texts; 1 is best."""
        words = re.findall(r"[a-z]+", self.phone_type.lower())
        rank = max((_RANKS.get(word, 0) for word in words), default=0) or _UNKNOWN
        if self.extension and rank != _NO_PHONE:
            return _FIXED_LINE
        return _MOBILE if self.is_sms and rank != _NO_PHONE else rank

    def parsed(self, region: str) -> PhoneCell:
        return cells.parse_phone(cells.tidy(self.number), region)


@dataclass(frozen=True)
class ContactNumber:
    """The number of a contact (E.164, None for none), the phone it was read from, and what the notes beside all phones say."""

    e164: str | None = None
    phone: Phone | None = None
    problem: str | None = None
    note: str | None = None
    kind: NoteKind | None = None

    @property
    def written(self) -> str | None:
        return self.phone.number if self.phone else None


def choose_number(phones: Sequence[Phone], *, region: str) -> ContactNumber:
    """Choose the number that takes texts best: one that no note says is dead, a mobile, the preferred, the first.

    A refusal concerns the person, whichever of their numbers it stands beside.
    """
    read = [(phone, phone.parsed(region)) for phone in phones if phone.rank != _NO_PHONE and phone.number.strip()]
    if not read:
        return ContactNumber()

    def order(item: tuple[Phone, PhoneCell]) -> tuple[bool, bool, int, bool, int, int]:
        phone, cell = item
        return cell.e164 is None, cell.is_doubtful, phone.rank, not phone.is_preferred, phone.sequence, phone.phone_id

    phone, cell = min(read, key=order)
    notes = dict.fromkeys(each.note for _, each in read if each.note)
    refused = NoteKind.REFUSED if any(each.kind is NoteKind.REFUSED for _, each in read) else None
    return ContactNumber(cell.e164, phone, cell.problem, " · ".join(notes) or None, worst((refused, cell.kind)))
