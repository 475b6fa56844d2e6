"""The contacts that a district hands over beside OneRoster, which is often a poor source of numbers: a row for each contact of
each student. Titles as Clever, Microsoft SDS and most SIS reports write them are known.

A contact may stand on several rows, or in several columns, with a number of another kind in each.
"""

import io
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from bot.domain import names
from bot.errors import UserError
from bot.sis import cells
from bot.sis.block import Block
from bot.sis.bundle import BundleFile
from bot.sis.columns import Columns
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
_FORM = Columns(
    ("student", *(name for name in _TITLES if name != "student"), "status", "dateLastModified"),
    required=("student",),
    needed=("student",),
    other_names={title: name for name, titles in _TITLES.items() for title in titles.split(", ")},
)
MOBILE, PLAIN, FIXED = 1, 2, 3
_RANKS = {
    **dict.fromkeys(("cell", "mobile", "cellular", "sms", "text", "c", "m", "iphone"), MOBILE),
    **dict.fromkeys(("home", "work", "business", "office", "landline", "h", "w", "day", "evening", "school"), FIXED),
    **dict.fromkeys(("fax", "pager", "homefax", "workfax"), 0),
}
_PRIORITIES = {"primary": 1, "secondary": 2}
_MOST_PRIORITY = 32_767
_LONGEST_PRIORITY = 12  # Digits, some of which may be zeros before it.


def opened(source: Path, *, region: str) -> Part:
    """The file at `source`, to be read once.

    Raises:
        UserError: there is no file that can be read; also when it is opened.
    """
    if not source.is_file():
        raise UserError("sis.no_file", f"There is no file {source}. Give the CSV of contacts that the SIS exports.")
    file = BundleFile(source.name, source.stat().st_size, partial(_stream, source))
    return CsvFile(Kind.CONTACTS, f"{Kind.CONTACTS}.csv", file, _FORM, partial(_contacts, region=region))


def _stream(source: Path) -> io.BufferedReader:
    try:
        return source.open("rb")
    except OSError as problem:
        raise UserError("sis.unreadable", f"{source.name} cannot be read: {problem.strerror}.") from problem


def _contacts(block: Block, *, file: str, region: str) -> list[Row | Rejection]:
    return [row for line, cell in block.rows() for row in _contact(cell, file=file, line=line, region=region)]


def _contact(cell: dict[str, str], *, file: str, line: int, region: str) -> Iterator[Row | Rejection]:
    if cells.is_gone(cell["status"]):
        return
    given, family = _name(cell)
    email = cell["email"] if 0 < len(cell["email"]) <= cells.LONGEST_EMAIL else None
    if not given and not family and not email and not cell["contact id"]:
        yield Rejection(file, line, "name", "is blank, and so is the e-mail; the row was left out")
        yield UnreadRow(line, Kind.CONTACTS, cell["student"])
        return
    priority = _priority(cell)

    def row(phone: str | None, written: str | None, rank: int) -> ContactRow:
        search = names.fold_full_name(given, family)
        about = (cell["student"], cell["contact id"], given, family, search, email, _relationship(cell), priority)
        return ContactRow(line, *about, phone, written, rank)

    yield from _numbers(cell, row, file=file, line=line, region=region)


def _numbers(
    cell: dict[str, str], row: Callable[[str | None, str | None, int], ContactRow], *, file: str, line: int, region: str
) -> Iterator[Row | Rejection]:
    """A row for each number that can be read; one without a number where there is none."""
    found = False
    for column, rank in (("cell", MOBILE), ("phone", _rank(cell["phone type"])), ("home", FIXED), ("work", FIXED)):
        written = cell[column]
        if not written:
            continue
        if not rank:
            yield Rejection(file, line, column, "is of a kind that takes no texts; the number was left out")
            continue
        number = cells.number(written, region)
        if number.problem:
            yield Rejection(file, line, column, number.problem)
        if number.e164:
            found = True
            yield row(number.e164, written, rank)
    if not found:
        yield row(None, cell["cell"] or cell["phone"] or None, FIXED)


def _rank(written: str) -> int:
    """`Home Phone` and `HOME` are one; a kind that nobody knows may be a mobile."""
    word = re.sub(r"[^a-z]|phone|number", "", written.lower())
    return _RANKS.get(word, PLAIN)


def _name(cell: dict[str, str]) -> tuple[str, str]:
    """Given and family name; a whole name is `Maria Rivera` or `Rivera, Maria`."""
    whole = names.clean(cell["name"])
    if not whole:
        return names.clean(cell["given"]), names.clean(cell["family"])
    if "," in whole:
        family, _, given = whole.partition(",")
    else:
        given, _, family = whole.rpartition(" ")
    return given.strip(), family.strip()


def _relationship(cell: dict[str, str]) -> str | None:
    kind = "" if cell["type"].lower() in _PRIORITIES else cell["type"]
    return names.clean(cell["relationship"] or kind).lower() or None


def _priority(cell: dict[str, str]) -> int | None:
    written = cell["priority"]
    if written.isdecimal() and len(written) <= _LONGEST_PRIORITY and int(written) <= _MOST_PRIORITY:
        return int(written)
    return _PRIORITIES.get(cell["type"].lower())
