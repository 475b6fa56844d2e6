"""The CSV of contacts that a district adds to OneRoster, which is often a poor source of numbers: a row for each contact of each
student. The column titles of Clever, Microsoft SDS, and most SIS reports are known.

A contact may have several rows, or several columns, with a number of another type in each.
"""

import io
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from bot.domain import names
from bot.errors import UserError
from bot.sis import cells
from bot.sis.bundle import BundleFile
from bot.sis.columns import Block, FileFormat
from bot.sis.csv_file import CsvFile
from bot.sis.rows import ContactRow, Kind, Part, Rejection, Row, UnreadRow

_TITLES = {
    "student": "Student_id, studentSourcedId, userSourcedId, Student_number, Student_sis_id, SIS ID, student_identifier",
    "contact id": "Contact_sis_id, relationshipUserSourcedId, contactSourcedId, guardian_id, parent_id",
    "name": "Contact_name, contact, guardian_name, parent_name, full_name, display_name, name",
    "given": "Contact_first_name, Contact_given_name, givenName, First_name, guardian_first_name, parent_first_name",
    "family": "Contact_last_name, Contact_family_name, familyName, Last_name, surname, guardian_last_name, "
    "parent_last_name",
    "relationship": "Contact_relationship, relationshipRole, relation, relationship_to_student, Role",
    "type": "Contact_type",
    "priority": "Contact_priority, Contact_order, order, sequence, Contact_sequence, rank",
    "phone": "Contact_phone, phone_number, telephone, Contact_phone_number, primary_phone, phone1",
    "phone type": "Contact_phone_type, type_of_phone",
    "cell": "cell_phone, mobile, mobile_phone, Contact_cell_phone, Contact_mobile_phone, cellphone_number, sms",
    "home": "home_phone, Contact_home_phone",
    "work": "work_phone, Contact_work_phone, business_phone",
    "email": "Contact_email, e-mail, email_address, Contact_email_address, mail",
}
_FORMAT = FileFormat(
    (*_TITLES, "status", "dateLastModified"),
    required=("student",),
    needed=("student",),
    other_titles={title: name for name, titles in _TITLES.items() for title in titles.split(", ")},
)
# How good a number is for texts (`ContactRow.rank`); 0 for one that is not a phone.
_MOBILE, _UNKNOWN, _FIXED = 1, 2, 3
_RANKS = {
    **dict.fromkeys(("cell", "mobile", "cellular", "sms", "text", "c", "m", "iphone"), _MOBILE),
    **dict.fromkeys(("home", "work", "business", "office", "landline", "h", "w", "day", "evening", "school"), _FIXED),
    **dict.fromkeys(("fax", "pager", "homefax", "workfax"), 0),
}
_PRIORITIES = {"primary": 1, "secondary": 2}
_MOST_PRIORITY = 32_767
_LONGEST_PRIORITY = 12  # Digits, some of which may be leading zeros.


def open_part(source: Path, *, region: str) -> Part:
    """Return the file at `source` as a part, to be read once.

    Raises:
        UserError: there is no file, or it cannot be read; also later, when it is opened.
    """
    if not source.is_file():
        raise UserError("sis.no_file", f"There is no file {source}. Give the CSV of contacts that the SIS exports.")
    file = BundleFile(source.name, source.stat().st_size, partial(_open, source))
    return CsvFile(Kind.CONTACTS, file, _FORMAT, partial(_translate, region=region))


def _open(source: Path) -> io.BufferedReader:
    try:
        return source.open("rb")
    except OSError as error:
        raise UserError("sis.unreadable", f"{source.name} cannot be read: {error.strerror}.") from error


def _translate(block: Block, *, file: str, region: str) -> list[Row | Rejection]:
    return [row for line, cell in block.rows() for row in _contact(cell, file=file, line=line, region=region)]


def _contact(cell: dict[str, str], *, file: str, line: int, region: str) -> Iterator[Row | Rejection]:
    """Yield a row for each number of a contact that can be read, or one without a number."""
    if cells.is_gone(cell["status"]):
        return
    given, family = _names(cell)
    email = cell["email"] if 0 < len(cell["email"]) <= cells.LONGEST_EMAIL else None
    if not given and not family and not email and not cell["contact id"]:
        yield Rejection(file, line, "name", "is blank, and so is the email; the row was left out")
        yield UnreadRow(line, Kind.CONTACTS, cell["student"])
        return
    identity = (line, cell["student"], cell["contact id"], given, family, names.fold_full_name(given, family))
    contact = (*identity, email, _relationship(cell), _priority(cell))
    has_number = False
    unread_note = unread_kind = None
    for column, rank in (("cell", _MOBILE), ("phone", _rank(cell["phone type"])), ("home", _FIXED), ("work", _FIXED)):
        written = cell[column]
        if written and not rank:
            yield Rejection(file, line, column, "is of a kind that takes no texts; the number was left out")
        elif written:
            e164, problem, note, kind = cells.parse_phone(written, region)
            if problem:
                yield Rejection(file, line, column, problem)
            if e164:
                has_number = True
                yield ContactRow(*contact, e164, written, rank, note, kind)
            else:
                unread_note, unread_kind = unread_note or note, unread_kind or kind
    if not has_number or unread_note:
        yield ContactRow(*contact, None, cell["cell"] or cell["phone"] or None, _FIXED, unread_note, unread_kind)


def _rank(phone_type: str) -> int:
    # `Home Phone` and `HOME` are the same; an unknown type may be a mobile.
    word = re.sub(r"[^a-z]|phone|number", "", phone_type.lower())
    return _RANKS.get(word, _UNKNOWN)


def _names(cell: dict[str, str]) -> tuple[str, str]:
    """Return given and family name; a full name is `Maria Rivera` or `Rivera, Maria`."""
    full = names.clean(cell["name"])
    if not full:
        return names.clean(cell["given"]), names.clean(cell["family"])
    if "," in full:
        family, _, given = full.partition(",")
    else:
        given, _, family = full.rpartition(" ")
    return given.strip(), family.strip()


def _relationship(cell: dict[str, str]) -> str | None:
    contact_type = "" if cell["type"].lower() in _PRIORITIES else cell["type"]
    return names.clean(cell["relationship"] or contact_type).lower() or None


def _priority(cell: dict[str, str]) -> int | None:
    written = cell["priority"]
    if written.isdecimal() and len(written) <= _LONGEST_PRIORITY and int(written) <= _MOST_PRIORITY:
        return int(written)
    return _PRIORITIES.get(cell["type"].lower())
