"""Reads Clever's folder of CSV files (schools, students with their contacts, teachers, staff, sections, enrollments).

- A student has one row for each contact and school, so the first one says who they are. The contacts of `students.csv` are read
  as a contacts file (`bot.sis.contacts_csv`), in a second pass.
- The ids of students and teachers may be the same: those of teachers and staff get a prefix.
- The rows of several files are of one kind here. Their lines begin at another `offset` each, so that `bot.sync.stage` can name
  the file and the line of what was rejected later.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial

from bot.domain import grade, names
from bot.sis import cells, contacts_csv
from bot.sis.bundle import BundleFile
from bot.sis.columns import Block, FileFormat
from bot.sis.csv_file import CsvFile, DateReader
from bot.sis.layout import describe_no_text, find_layout
from bot.sis.rows import (
    LINES_APART,
    STAFF_ROLES,
    ClassRow,
    EnrollmentRow,
    Kind,
    OrgRow,
    Part,
    Rejection,
    RoleRow,
    Row,
    TermRow,
    UnreadRow,
    UserRow,
)

_TEACHER, _STAFF = "teacher-", "staff-"
_TEACHERS = ("Teacher_id", *(f"Teacher_{number}_id" for number in range(2, 11)))
_ReadDay = Callable[[str], date | None]
Translate = Callable[[dict[str, str], int, str, _ReadDay], Iterator[Row | Rejection]]


def is_clever(files: Mapping[str, BundleFile]) -> bool:
    """Return whether the files, by lower-case name, are Clever's rather than OneRoster's."""
    return "users.csv" not in files and not files.keys().isdisjoint(("students.csv", "sections.csv", "teachers.csv"))


def open_parts(files: Mapping[str, BundleFile], *, region: str) -> list[Part]:
    """Return the parts in reading order, also for files that should be there and are not."""
    parts: list[Part] = []
    for name, description in _FILES.items():
        if file := files.get(name):
            parts.append(CleverFile(name, file, description, region=region))
        elif description.missing:
            parts.append(MissingCleverFile(name, description))
    students = files.get("students.csv")
    if students and find_layout(students, _CONTACTS.form):
        parts.append(CleverFile("students.csv", students, _CONTACTS, region=region))
    elif students and find_layout(students, _NAMES_OF_CONTACTS):
        parts.append(MissingCleverFile("students.csv", _NO_NUMBERS))
    return parts


@dataclass(frozen=True)
class Description:
    """A file of Clever's. Its rows of each kind in `offsets` have lines above that number. `missing` says what follows if it is not
    there; without a word for that, nothing does.
    """

    form: FileFormat
    offsets: Mapping[Kind, int]
    translate: Translate
    missing: str = ""
    is_needed: bool = False

    @property
    def kind(self) -> Kind:
        return next(iter(self.offsets))


class CleverFile(CsvFile):
    """A `RenamedPart`: `name` and `titles` are Clever's words for what the sync calls by OneRoster's. It is always read as a whole."""

    is_plain = False

    def __init__(self, name: str, file: BundleFile, description: Description, *, region: str) -> None:
        dates = DateReader(file, region)
        if description.kind is Kind.CONTACTS:
            translate = partial(_translate_contacts, region=region, read_day=dates.parse)
        else:
            translate = partial(_translate, description, read_day=dates.parse)
        super().__init__(description.kind, file, description.form, translate, dates=dates, name=name)
        self.offsets = description.offsets
        self.titles = _TITLES

    def rows(self) -> Iterator[Row | Rejection]:
        for row in super().rows():
            yield row
            # The teachers of an unreadable section stay, too: which of the enrollments those are is unknown.
            if isinstance(row, UnreadRow) and self.kind is Kind.CLASSES:
                yield UnreadRow(row.line, Kind.ENROLLMENTS, "")

    def _describe_other(self) -> str | None:
        return describe_no_text(self._file)

    def read_raw(self) -> Iterator[bytes]:
        return iter(())


class MissingCleverFile:
    """A `Part` for a file that is not there. What only that file would say stays as it is."""

    has_lines = True
    is_delta = False
    size = position = rows_read = 0
    watermark: datetime | None = None

    def __init__(self, name: str, description: Description) -> None:
        self.name = name
        self.kind = description.kind
        self.is_readable = not description.is_needed
        self._description = description

    def rows(self) -> Iterator[Row | Rejection]:
        yield Rejection(self.name, None, None, self._description.missing)
        if self.is_readable:
            yield from (UnreadRow(0, kind, "") for kind in self._description.offsets)


def _translate(description: Description, block: Block, *, file: str, read_day: _ReadDay) -> Sequence[Row | Rejection]:
    rows: list[Row | Rejection] = []
    offset = description.offsets[description.kind]
    for line, cell in block.rows():
        for row in description.translate(cell, line, file, read_day):
            at = description.offsets[Kind.ENROLLMENTS] if isinstance(row, EnrollmentRow) else offset
            rows.append(row._replace(line=line + at) if at and not isinstance(row, Rejection) else row)
    return rows


def _translate_contacts(block: Block, *, file: str, region: str, read_day: _ReadDay) -> Sequence[Row | Rejection]:
    """Translate the rows that have a contact at all."""
    columns = [block.columns[column] for column in ("name", "other id", "phone", "email", "relationship")]
    return contacts_csv.translate(
        block.where(map(any, zip(*columns, strict=True))), file=file, region=region, read_day=read_day
    )


def _schools(cell: dict[str, str], line: int, _file: str, _read_day: _ReadDay) -> Iterator[Row]:
    yield OrgRow(line, cell["School_id"], False, names.clean(cell["School_name"]) or cell["School_id"], "school", "")


def _students(cell: dict[str, str], line: int, file: str, _read_day: _ReadDay) -> Iterator[Row | Rejection]:
    student = _person(cell, line, cell["Student_id"], email=cell["Student_email"])
    if not student.search:
        yield Rejection(file, line, "Last_name", "and First_name are blank; the person is kept without a name")
    number = cell["Student_number"]
    yield student._replace(grade=grade.from_roster(cell["Grade"]), identifier=number, primary_org=cell["School_id"])
    yield _role(line, student, "student", cell["School_id"])


def _teachers(cell: dict[str, str], line: int, _file: str, _read_day: _ReadDay) -> Iterator[Row]:
    teacher = _person(cell, line, _TEACHER + cell["Teacher_id"], email=cell["Teacher_email"])
    yield teacher
    yield _role(line, teacher, "teacher", cell["School_id"])


def _staff(cell: dict[str, str], line: int, file: str, _read_day: _ReadDay) -> Iterator[Row | Rejection]:
    role = cells.parse_role(cell["Role"]) or cells.parse_role(cell["Title"])
    if role not in STAFF_ROLES:
        yield Rejection(file, line, "Title", "is no role that is known here; the person was left out")
        return
    person = _person(cell, line, _STAFF + cell["Staff_id"], email=cell["Staff_email"])
    yield person
    yield _role(line, person, role, cell["School_id"])


def _person(cell: dict[str, str], line: int, sourced_id: str, *, email: str) -> UserRow:
    given, family = names.clean(cell["First_name"]), names.clean(cell["Last_name"])
    return UserRow(
        line=line,
        sourced_id=sourced_id,
        gone=False,
        enabled=True,
        given_name=given,
        family_name=family,
        search=names.fold_full_name(given, family),
        email=email if 0 < len(email) <= cells.LONGEST_EMAIL else None,
        grade=None,
        phone=None,
        phone_written=None,
        sms_problem=None,
        phone_problem=None,
        primary_org="",
        identifier="",
    )


def _role(line: int, person: UserRow, role: str, school: str) -> RoleRow:
    # As in OneRoster 1.1, the role is a part of the user's row.
    return RoleRow("users.csv", line, False, person.sourced_id, role, school, None, None)


def _sections(cell: dict[str, str], line: int, file: str, read_day: _ReadDay) -> Iterator[Row | Rejection]:
    """Yield a section, its term, and the enrollments of its teachers. A term of Clever's ends on its last day."""
    section = cell["Section_id"]
    try:
        begins_on, ends_on = read_day(cell["Term_start"]), read_day(cell["Term_end"])
    except ValueError:
        begins_on = ends_on = None
        yield Rejection(file, line, "Term_start", "or Term_end is not a date; the row was read without them")
    terms = []
    if begins_on and ends_on:
        terms = [f"term of {section}"]
        yield TermRow(line, terms[0], False, begins_on, ends_on + timedelta(days=1))
    course = " ".join(filter(None, (cell["Course_name"], cell["Section_number"])))
    title = names.clean(cell["Name"] or course) or section
    is_homeroom = "homeroom" in f"{cell['Subject']} {title}".lower()
    yield ClassRow(line, section, False, title, is_homeroom, cell["School_id"], terms)
    for teacher in dict.fromkeys(filter(None, map(cell.get, _TEACHERS))):
        person = _TEACHER + teacher
        is_primary = teacher == cell["Teacher_id"]
        yield EnrollmentRow(line, f"{section}/{person}", False, section, person, "teacher", is_primary, None, None)


def _enrollments(cell: dict[str, str], line: int, _file: str, _read_day: _ReadDay) -> Iterator[Row]:
    section, student = cell["Section_id"], cell["Student_id"]
    yield EnrollmentRow(line, f"{section}/{student}", False, section, student, "student", False, None, None)


def _form(columns: str, *, needed: str, unused: str = "", other_titles: Mapping[str, str] | None = None) -> FileFormat:
    every = (*columns.split(), "status", "dateLastModified")
    return FileFormat(every, tuple(needed.split()), tuple(needed.split()), other_titles or {}, tuple(unused.split()))


_ADDRESS = "_address _street _city _state _zip _phone"
_CONTACT_TITLES = {
    "Student_id": "student",
    "Contact_sis_id": "other id",
    "Contact_id": "other id",
    "Contact_name": "name",
    "Contact_relationship": "relationship",
    "Contact_type": "type",
    "Contact_priority": "priority",
    "Contact_phone": "phone",
    "Contact_phone_type": "phone type",
    "Contact_email": "email",
}
_SCHOOL_UNUSED = "School_number State_id Low_grade High_grade Principal Principal_email MDR_number NCES_id"
_STUDENT_UNUSED = (
    "State_id Middle_name Gender Graduation_year DOB Race Hispanic_Latino Ell_status Frl_status IEP_status "
    "Home_language Username Password Unweighted_gpa Weighted_gpa Admission_date Withdraw_date Home_language_code Section_504_status"
)
_FILES = {
    "schools.csv": Description(
        _form(
            "School_id School_name",
            needed="School_id",
            unused=" ".join([_SCHOOL_UNUSED, *(f"School{end}" for end in _ADDRESS.split())]),
        ),
        {Kind.ORGS: 0},
        _schools,
        missing="is not there, and Clever's folder needs it",
        is_needed=True,
    ),
    "sections.csv": Description(
        _form(
            f"Section_id School_id Name Section_number Course_name Subject Term_start Term_end {' '.join(_TEACHERS)}",
            needed="Section_id",
            unused="Grade Course_number Course_description Period Term_name",
        ),
        {Kind.CLASSES: 0, Kind.ENROLLMENTS: LINES_APART},
        _sections,
        missing="is not there; classes and who is in them stay as they are",
    ),
    "students.csv": Description(
        _form(
            "Student_id School_id Student_number First_name Last_name Grade Student_email",
            needed="Student_id",
            unused=" ".join(
                [_STUDENT_UNUSED, *_CONTACT_TITLES, *(f"Student{end}" for end in _ADDRESS.split())],
            ),
        ),
        {Kind.USERS: 0},
        _students,
        missing="is not there, and Clever's folder needs it",
        is_needed=True,
    ),
    "teachers.csv": Description(
        _form(
            "Teacher_id School_id First_name Last_name Teacher_email",
            needed="Teacher_id",
            unused="Teacher_number State_teacher_id Middle_name Title Username Password",
        ),
        {Kind.USERS: LINES_APART},
        _teachers,
        missing="is not there; who is missing from the other files stays, too",
    ),
    "staff.csv": Description(
        _form(
            "Staff_id School_id First_name Last_name Staff_email Title Role",
            needed="Staff_id",
            unused="Department Username Password Middle_name",
        ),
        {Kind.USERS: 2 * LINES_APART},
        _staff,
    ),
    "enrollments.csv": Description(
        _form("Section_id Student_id", needed="Section_id Student_id", unused="School_id"),
        {Kind.ENROLLMENTS: 0},
        _enrollments,
        missing="is not there; who is in which class stays as it is",
    ),
}
_CONTACTS = Description(
    FileFormat(
        contacts_csv.FORMAT.columns,
        required=("student", "name", "phone"),
        needed=(),
        other_titles=_CONTACT_TITLES,
        unused=(*_FILES["students.csv"].form.columns, *_FILES["students.csv"].form.unused),
        identity="student",
    ),
    {Kind.CONTACTS: 0},
    _students,
)
# A district may share the names of contacts with us, and not their numbers: read as it stands, that would take every number away.
_NAMES_OF_CONTACTS = replace(_CONTACTS.form, required=("student", "name"))
_NO_NUMBERS = replace(_CONTACTS, missing="has no column Contact_phone: share it in Clever; contacts stay as they are")
# Clever's titles of what the sync calls by OneRoster's.
_TITLES = {
    "sourcedId": "id",
    "classSourcedId": "Section_id",
    "userSourcedId": "id",
    "orgSourcedId": "School_id",
    "orgSourcedIds": "School_id",
    "schoolSourcedId": "School_id",
    "student": "Student_id",
    "name": "Contact_name",
    "phone": "Contact_phone",
}
