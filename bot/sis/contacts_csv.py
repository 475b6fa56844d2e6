"""The CSV of contacts that a district adds to OneRoster, which is often a poor source of numbers: a row for each contact of each
student. The column titles of PowerSchool's Data Import and Export Manager, Clever, Microsoft SDS, and most SIS reports are known.

A contact may have several rows, or several columns, with a number of another type in each. PowerSchool writes the student and the
name of a contact only once; `bot.sync.overlay_rows` fills in what the other rows leave blank.
"""

import io
import re
from collections.abc import Callable, Iterator
from datetime import date
from functools import partial
from pathlib import Path

from bot.domain import names
from bot.domain.phone_note import LONGEST_NOTE, NoteKind, kind_of
from bot.errors import UserError
from bot.sis import cells
from bot.sis.bundle import BundleFile
from bot.sis.columns import Block, FileFormat, id_problem
from bot.sis.csv_file import CsvFile, DateReader
from bot.sis.layout import describe_no_text
from bot.sis.rows import ContactRow, Kind, Part, Rejection, Row, UnreadRow

_TITLES = {
    "student": "Student_id, studentSourcedId, userSourcedId, Student_number, Student_sis_id, SIS ID, student_identifier, "
    "Students.Student_Number, Local student id",
    # PowerSchool's title; those of other products are never exported to it.
    "contact id": "Contact ID, ContactID",
    "other id": "Contact_sis_id, relationshipUserSourcedId, contactSourcedId, guardian_id, parent_id, "
    "New Contact Identifier",
    "name": "Contact_name, contact, guardian_name, parent_name, full_name, display_name, name",
    "given": "Contact_first_name, Contact_given_name, givenName, First_name, guardian_first_name, parent_first_name",
    "family": "Contact_last_name, Contact_family_name, familyName, Last_name, surname, guardian_last_name, "
    "parent_last_name",
    "relationship": "Contact_relationship, relationshipRole, relation, relationship_to_student, Role, Relationship Type",
    "type": "Contact_type, Original Contact Type",
    "priority": "Contact_priority, Contact_order, order, sequence, Contact_sequence, rank, Contact Priority Order",
    "phone": "Contact_phone, phone_number, telephone, Contact_phone_number, primary_phone, phone1, phoneNumberAsEntered, "
    "Phone Number As Entered",
    "phone type": "Contact_phone_type, type_of_phone, Phone Number Type",
    "phone order": "Phone Number Priority Order, Phone Priority Order, Phone Order, Phone Priority",
    "preferred": "Is Preferred, Preferred Phone, Is Preferred Phone",
    "takes sms": "Is SMS, SMS Enabled, Text Enabled",
    "extension": "Extension, Phone Extension",
    "cell": "cell_phone, mobile, mobile_phone, Contact_cell_phone, Contact_mobile_phone, cellphone_number, sms",
    "home": "home_phone, Contact_home_phone",
    "work": "work_phone, Contact_work_phone, business_phone",
    "email": "Contact_email, e-mail, email_address, Contact_email_address, mail",
    "active": "Is Active",
    "deceased": "PERSONCOREFIELDS.isDeceased, Is Deceased",
    "relationship note": "Relationship Note",
    "ends on": "Relationship End Date",
}
# The rest of the template of PowerSchool's Data Import Manager ("Contacts", version 22.9).
_UNUSED = (
    *("Prefix", "Middle Name", "Suffix", "Gender", "Employer", "State Contact ID", "Exclude From State Reporting"),
    *(
        f"PERSONCOREFIELDS.{name}"
        for name in (
            *("countryOfOrigin", "dob", "educationLevel", "employmentStatus", "govWorkLoc", "isAvailableAtWork"),
            *("isOnActiveDuty", "livesOnBase", "maidenName", "militaryStatus", "needsInterpreterAssist", "occupation"),
            *("payGrade", "serviceBranch", "ssn"),
        )
    ),
    *("Contact Email Address ID", "Email Type", "Is Primary Email Address", "PHONENUMBERCOREFIELDS.isUnlisted"),
    *("Contact Phone Number ID", "Street", "Line Two", "Unit", "City", "State", "Postal Code", "Geocode Latitude"),
    *("Geocode Longitude", "PERSONADDRESSCOREFIELDS.addressVerification", "PERSONADDRESSCOREFIELDS.county"),
    *("PERSONADDRESSCOREFIELDS.isAddressVerified", "PERSONADDRESSCOREFIELDS.line3", "Contact Address ID"),
    *("Address Type", "Address Priority Order", "Address Start Date", "Address End Date", "* NOT MAPPED *"),
    *("Student Contact ID", "Student Contact Detail ID", "Relationship Start Date", "Contact Has Custody"),
    *("STUDENTCONTACTASSOCCOREFIELDS.legalGuardian", "Contact Lives With", "Contact Allow School Pickup"),
    *("Is Emergency Contact", "Contact Receives Mailings"),
    *(f"STUDENTCONTACTDETAILCOREFIELDS.{name}" for name in ("classroomParticipation", "isCaregiver", "isVolunteer")),
)
FORMAT = FileFormat(
    (*_TITLES, "status", "dateLastModified"),
    required=("student",),
    needed=(),
    other_titles={title: name for name, titles in _TITLES.items() for title in titles.split(", ")},
    unused=_UNUSED,
    identity="student",
)
# How good a number is for texts (`ContactRow.rank`); None for one that is not a phone.
_MARKED, _MOBILE, _UNKNOWN, _FIXED = 0, 1, 2, 3
_RANKS: dict[str, int | None] = {
    **dict.fromkeys(("cell", "mobile", "cellular", "sms", "text", "c", "m", "iphone"), _MOBILE),
    **dict.fromkeys(("home", "work", "business", "office", "landline", "h", "w"), _FIXED),
    **dict.fromkeys(("day", "daytime", "evening", "school"), _FIXED),
    **dict.fromkeys(("fax", "pager", "homefax", "workfax"), None),
}
_PRIORITIES = {"primary": 1, "secondary": 2}
_MOST = 32_767
_LONGEST_COUNT = 12  # Digits, some of which may be leading zeros.


def open_part(source: Path, *, region: str) -> Part:
    """Return the file at `source` as a part, to be read once.

    Raises:
        UserError: there is no file, or it cannot be read; also later, when it is opened.
    """
    if not source.is_file():
        raise UserError("sis.no_file", f"There is no file {source}. Give the CSV of contacts that the SIS exports.")
    return ContactsFile(BundleFile(source.name, source.stat().st_size, partial(_open, source)), region=region)


class ContactsFile(CsvFile):
    """The contacts file of a district, in the format of any product."""

    def __init__(self, file: BundleFile, *, region: str) -> None:
        dates = DateReader(file, region)
        super().__init__(
            Kind.CONTACTS, file, FORMAT, partial(translate, region=region, read_day=dates.parse), dates=dates
        )

    def _describe_other(self) -> str | None:
        return describe_no_text(self._file)


def _open(source: Path) -> io.BufferedReader:
    try:
        return source.open("rb")
    except OSError as error:
        raise UserError("sis.unreadable", f"{source.name} cannot be read: {error.strerror}.") from error


def translate(block: Block, *, file: str, region: str, read_day: Callable[[str], date | None]) -> list[Row | Rejection]:
    rows: list[Row | Rejection] = []
    for line, cell in block.rows():
        if cells.is_gone(cell["status"]):
            continue
        rows += _leave_out(cell, file=file, line=line) or _contact(
            cell, file=file, line=line, region=region, read_day=read_day
        )
    return rows


def _leave_out(cell: dict[str, str], *, file: str, line: int) -> list[Row | Rejection]:
    """Return why a row is no contact of a student; nothing for nearly all rows. What is stored of the student stays."""
    student = cell["student"]
    who = any(map(cell.get, ("contact id", "other id", "name", "given", "family")))
    how = any(map(cell.get, ("email", "cell", "phone", "home", "work")))
    problem = None if cells.plain_number(student) or (who and not student) else id_problem(student)
    if problem:
        reason = (
            f"{problem}; whose row it is cannot be read, so nothing that is missing from this file becomes inactive"
        )
        return [Rejection(file, line, "student", reason), UnreadRow(line, Kind.CONTACTS, "")]
    if not who and not how:
        reason = "is blank, and so are the email and the number; the row was left out"
        return [Rejection(file, line, "name", reason), UnreadRow(line, Kind.CONTACTS, student)]
    return []


def _contact(
    cell: dict[str, str], *, file: str, line: int, region: str, read_day: Callable[[str], date | None]
) -> Iterator[Row | Rejection]:
    """Yield a row for each number of a contact that can be read, or one without a number."""
    given, family = _names(cell)
    powerschool_id = cells.restore_digits(cell["contact id"]) or ""
    # The further rows of a contact who is none anymore have to end with this one.
    ends_on = date.min if cells.is_no(cell["active"]) or cells.is_yes(cell["deceased"]) else None
    try:
        ends_on = ends_on or read_day(cell["ends on"])
    except ValueError:
        yield Rejection(file, line, "Relationship End Date", "is not a date; the row was read without it")
    if cells.is_yes(cell["deceased"]):
        yield Rejection(file, line, "isDeceased", "is set; the contact was left out")
    row = ContactRow(
        line=line,
        student=cell["student"],
        contact=powerschool_id or cell["other id"],
        given_name=given,
        family_name=family,
        search=names.fold_full_name(given, family),
        email=cell["email"] if 0 < len(cell["email"]) <= cells.LONGEST_EMAIL else None,
        relationship=_relationship(cell),
        priority=_priority(cell),
        phone=None,
        phone_written=cell["cell"] or cell["phone"] or None,
        rank=_FIXED,
        phone_order=0 if cells.is_yes(cell["preferred"]) else _count(cell["phone order"]) or _MOST,
        student_number=cells.plain_number(cell["student"]),
        is_powerschool=powerschool_id.isdecimal(),
        ends_on=ends_on,
    )
    numbers = list(_numbers(cell, row, file=file, region=region))
    yield from (number for number in numbers if isinstance(number, Rejection))
    yield from _with_notes([number for number in numbers if isinstance(number, ContactRow)], row, cell)


def _numbers(cell: dict[str, str], row: ContactRow, *, file: str, region: str) -> Iterator[ContactRow | Rejection]:
    """Yield a row for each phone cell of a type that takes texts, with or without a number that can be read."""
    for column, rank in (("cell", _MOBILE), ("phone", _rank(cell)), ("home", _FIXED), ("work", _FIXED)):
        written = cell[column]
        if written and rank is None:
            yield Rejection(file, row.line, column, "is of a kind that takes no texts; the number was left out")
        elif written:
            e164, problem, note, kind = cells.parse_phone(written, region)
            if problem:
                yield Rejection(file, row.line, column, problem)
            yield row._replace(phone=e164, phone_written=written, rank=rank or 0, phone_note=note, phone_note_kind=kind)


def _with_notes(numbers: list[ContactRow], row: ContactRow, cell: dict[str, str]) -> list[ContactRow]:
    """Return the rows with a number, and one without if a note has no other row. A note on the relationship may refuse texts."""
    kept = [number for number in numbers if number.phone]
    unread = [number for number in numbers if not number.phone]
    if not kept or any(number.phone_note or number.phone_note_kind for number in unread):
        noted = next((number for number in unread if number.phone_note_kind or number.phone_note), row)
        kept.append(noted._replace(phone_written=row.phone_written, rank=_FIXED))
    note = names.clean(cell["relationship note"])[:LONGEST_NOTE]
    if not note:
        return kept
    refused = NoteKind.REFUSED if kind_of(note) is NoteKind.REFUSED else None
    return [
        number._replace(
            phone_note=" · ".join(filter(None, (number.phone_note, note))),
            phone_note_kind=refused or number.phone_note_kind,
        )
        for number in kept
    ]


def _rank(cell: dict[str, str]) -> int | None:
    # `Home Phone` and `HOME` are the same; an unknown type may be a mobile. An extension is behind a switchboard.
    word = re.sub(r"[^a-z]|phone|number", "", cell["phone type"].lower())
    rank = _RANKS.get(word, _UNKNOWN)
    if rank is not None and cells.is_yes(cell["takes sms"]):
        return _MARKED
    return _FIXED if rank is not None and cell["extension"] else rank


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
    count = _count(cell["priority"])
    return _PRIORITIES.get(cell["type"].lower()) if count is None else count


def _count(written: str) -> int | None:
    """Return a place in an order, as it fits into a small integer of the database."""
    plain = cells.restore_digits(written) or ""
    is_count = plain.isdecimal() and len(plain) <= _LONGEST_COUNT and int(plain) <= _MOST
    return int(plain) if is_count else None
