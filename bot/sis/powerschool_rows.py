"""Records of PowerSchool's named queries, and the roster rows that they mean.

Ids: students `S` and staff `T` with their DCID, contacts PowerSchool's own Contact ID (Person.ID), which the write-back and the
file for the Data Import Manager need. A field that cannot be read costs only itself.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from bot.domain import grade, names
from bot.sis import cells
from bot.sis.contact_phones import Phone, choose_number
from bot.sis.rows import (
    ClassRow,
    ContactRow,
    EnrollmentRow,
    Kind,
    OrgRow,
    Rejection,
    RoleRow,
    Row,
    TermRow,
    UserRow,
)

_DISTRICT_OFFICE = "0"  # PowerSchool's school number of the district office.
_TEACHER = "1"  # PowerSchool's staff status of a teacher.

# The fields of a record as text, blank where PowerSchool left one out.
Record = Mapping[str, str]


@dataclass(frozen=True)
class Query:
    """A named query. Records with the same `key`, which follow each other, become the rows of `translate(number, records)`."""

    name: str
    key: str
    translate: Callable[[int, Sequence[Record]], Iterator[Row | Rejection]]


class _Record(dict[str, str]):
    """The fields of a record; one that PowerSchool left out is blank."""

    def __missing__(self, key: str) -> str:
        return ""


def as_record(item: Any) -> _Record | None:
    """Return the fields as text, None for what is not a record. A field of another shape is blank: it costs only itself."""
    if not isinstance(item, dict):
        return None
    return _Record({str(name).lower(): _text(value) for name, value in item.items()})


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, str):
        # JSON can write half a character, which no text can hold.
        return cells.tidy(value.encode("utf-8", "replace").decode())
    return str(value) if isinstance(value, int | float) else ""


def _day(text: str) -> date | None:
    try:
        return cells.parse_date(text, month_first=True)
    except ValueError:
        return None


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 10 else 0  # noqa: PLR2004


def district_office() -> OrgRow:
    """Return the organization of the district, which is no school in PowerSchool."""
    return OrgRow(1, _DISTRICT_OFFICE, gone=False, name="District Office", kind="district", parent="")


def _school(number: int, records: Sequence[Record]) -> Iterator[Row | Rejection]:
    record = records[0]
    if record["school_number"] != _DISTRICT_OFFICE:
        name = names.clean(record["school_name"]) or record["school_number"]
        # The district office is the first row.
        yield OrgRow(number + 1, record["school_number"], gone=False, name=name, kind="school", parent="")


def _term(number: int, records: Sequence[Record]) -> Iterator[Row | Rejection]:
    record = records[0]
    last_day = _day(record["term_lastday"])
    ends_on = last_day + timedelta(days=1) if last_day else None
    yield TermRow(number, _term_id(record), gone=False, begins_on=_day(record["term_firstday"]), ends_on=ends_on)


def _term_id(record: Record) -> str:
    # The id of a term is the same at each school that has it.
    return f"{record['term_school']}-{record['term_id']}"


def _section(number: int, records: Sequence[Record]) -> Iterator[Row | Rejection]:
    record = records[0]
    title = names.clean(record["course_name"]) or record["course_number"] or record["section_id"]
    school, terms = record["term_school"], [_term_id(record)]
    yield ClassRow(number, record["section_id"], gone=False, title=title, homeroom=False, school=school, terms=terms)


def _student(number: int, records: Sequence[Record]) -> Iterator[Row | Rejection]:
    record = records[0]
    person, school = f"S{record['student_dcid']}", record["student_school"]
    level = _grade(record["student_grade"])
    row = _user(number, person, record["student_first_name"], record["student_last_name"])
    yield row._replace(grade=level, primary_org=school, identifier=record["student_number"])
    yield _role(number, person, "student", school)


def _grade(written: str) -> str | None:
    if written.startswith("-") and written[1:].isdecimal():
        return grade.from_roster("PK")
    return grade.from_roster("KG" if written == "0" else written)


def _staff_member(number: int, records: Sequence[Record]) -> Iterator[Row | Rejection]:
    """Yield a person of the staff and their role at each school: teachers teach, and the others who may sign in to PowerSchool's
    pages for administrators see the students of the school there, and so they do here.
    """
    first = records[0]
    person = f"T{first['user_dcid']}"
    row = _user(number, person, first["user_first_name"], first["user_last_name"])
    yield row._replace(email=_email(first["user_email"]))
    for record in records:
        if record["staff_status"] == _TEACHER:
            yield _role(number, person, "teacher", record["staff_school"])
        if cells.is_yes(record["user_is_admin"]):
            yield _role(number, person, "administrator", record["staff_school"])


def contacts(region: str) -> Query:
    """Return the query of contacts; `region` is the country of their numbers without a country code."""

    def contact(number: int, records: Sequence[Record]) -> Iterator[Row | Rejection]:
        first = records[0]
        chosen = choose_number([_phone(record) for record in records if record["phone_id"]], region=region)
        row = _user(number, first["person_id"], first["person_first_name"], first["person_last_name"])
        yield row._replace(
            email=_email(first["person_email"]),
            phone=chosen.e164,
            phone_written=chosen.written,
            phone_problem=chosen.problem,
            phone_note=chosen.note,
            phone_note_kind=chosen.kind,
        )
        yield _role(number, first["person_id"], "guardian", "")

    return Query("contacts", "person_id", contact)


def _phone(record: Record) -> Phone:
    return Phone(
        phone_id=_number(record["phone_id"]),
        number=record["phone_number"],
        phone_type=record["phone_type"],
        is_sms=cells.is_yes(record["phone_is_sms"]),
        is_preferred=cells.is_yes(record["phone_is_preferred"]),
        sequence=_number(record["phone_order"]),
        extension=record["phone_extension"],
    )


def _link(number: int, records: Sequence[Record]) -> Iterator[Row | Rejection]:
    """Yield a contact of a student. Who the contact is, and the number, came with the users."""
    record = records[0]
    yield ContactRow(
        line=number,
        student=f"S{record['student_dcid']}",
        contact=record["person_id"],
        given_name="",
        family_name="",
        search="",
        email=None,
        relationship=names.clean(record["link_relationship"]).lower() or None,
        priority=_number(record["link_order"]) or None,
        phone=None,
        phone_written=None,
        rank=3,
        is_powerschool=True,
    )


def _enrollment(number: int, records: Sequence[Record]) -> Iterator[Row | Rejection]:
    record = records[0]
    person, begins_on, ends_on = f"S{record['student_dcid']}", _day(record["begins_on"]), _day(record["ends_on"])
    sourced_id = f"E{record['enrollment_id']}"
    yield EnrollmentRow(number, sourced_id, False, record["section_id"], person, "student", False, begins_on, ends_on)


def _section_teacher(number: int, records: Sequence[Record]) -> Iterator[Row | Rejection]:
    record = records[0]
    last_day = _day(record["ends_on"])
    yield EnrollmentRow(
        line=number,
        sourced_id=f"L{record['assignment_id']}",
        gone=False,
        class_id=record["section_id"],
        person=f"T{record['user_dcid']}",
        role="teacher",
        is_primary=cells.is_yes(record["is_lead"]),
        begins_on=_day(record["begins_on"]),
        ends_on=last_day + timedelta(days=1) if last_day else None,
    )


def _user(number: int, sourced_id: str, given: str, family: str) -> UserRow:
    given, family = names.clean(given), names.clean(family)
    search = names.fold_full_name(given, family)
    return UserRow(
        number,
        sourced_id,
        False,
        True,
        given,
        family,
        search,
        None,
        None,
        None,
        None,
        None,
        None,
        "",
        "",
    )


def _email(text: str) -> str | None:
    return text if 0 < len(text) <= cells.LONGEST_EMAIL else None


def _role(number: int, person: str, role: str, org: str) -> RoleRow:
    return RoleRow(
        f"{Kind.ROLES}.csv", number, gone=False, person=person, role=role, org=org, begins_on=None, ends_on=None
    )


SCHOOLS = Query("schools", "school_number", _school)
TERMS = Query("terms", "term_dcid", _term)
SECTIONS = Query("sections", "section_id", _section)
STUDENTS = Query("students", "student_dcid", _student)
STAFF = Query("staff", "user_dcid", _staff_member)
LINKS = Query("contact_links", "link_id", _link)
ENROLLMENTS = Query("enrollments", "enrollment_id", _enrollment)
SECTION_TEACHERS = Query("section_teachers", "assignment_id", _section_teacher)
