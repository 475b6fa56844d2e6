"""The export of the made-up SIS, a OneRoster 1.2 CSV folder in bulk mode, and what a clerk does in an SIS: find a contact
and type another number.
"""

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from bot.domain.names import fold
from bot.sandbox.district.families import Contact, Family, Student
from bot.sandbox.district.schools import DISTRICT_ID, DISTRICT_NAME, SCHOOLS, School, SchoolClass, Staff

Row = dict[str, str]

_COMMON = ("sourcedId", "status", "dateLastModified")
_COLUMNS = {
    "academicSessions": (*_COMMON, "title", "type", "startDate", "endDate", "parentSourcedId", "schoolYear"),
    "classes": (
        *_COMMON, "title", "grades", "courseSourcedId", "classCode", "classType", "location", "schoolSourcedId",
        "termSourcedIds", "subjects", "subjectCodes", "periods",
    ),
    "courses": (*_COMMON, "schoolYearSourcedId", "title", "courseCode", "grades", "orgSourcedId", "subjects", "subjectCodes"),
    "enrollments": (
        *_COMMON, "classSourcedId", "schoolSourcedId", "userSourcedId", "role", "primary", "beginDate", "endDate",
    ),
    "orgs": (*_COMMON, "name", "type", "identifier", "parentSourcedId"),
    "roles": (*_COMMON, "userSourcedId", "roleType", "role", "beginDate", "endDate", "orgSourcedId", "userProfileSourcedId"),
    "users": (
        *_COMMON, "enabledUser", "username", "userIds", "givenName", "familyName", "middleName", "identifier", "email", "sms",
        "phone", "agentSourcedIds", "grades", "password", "userMasterIdentifier", "preferredGivenName",
        "preferredMiddleName", "preferredFamilyName", "primaryOrgSourcedId", "pronouns",
    ),
}  # fmt: skip
_SCHOOL_OF_GRADE = {grade: school for school in SCHOOLS for grade in school.grades}
_JULY = 7


def write(
    folder: Path, families: Sequence[Family], office: Iterable[Staff], classes: Sequence[SchoolClass], *, today: date
) -> None:
    """Write one file per table and the manifest, for the school year of `today`; creates the folder."""
    staff = [*office, *{school_class.teacher.sourced_id: school_class.teacher for school_class in classes}.values()]
    tables: dict[str, Iterable[Row]] = {
        "academicSessions": _sessions(today),
        "classes": map(_class_row, classes),
        "courses": _courses(classes),
        "enrollments": _enrollments(classes),
        "orgs": _orgs(),
        "roles": _roles(families, staff),
        "users": _users(families, staff),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in tables.items():
        _write_file(folder / f"{name}.csv", _COLUMNS[name], rows)
    manifest = {"manifest.version": "1.0", "oneroster.version": "1.2", **{f"file.{name}": "bulk" for name in tables}}
    properties = ({"propertyName": name, "value": value} for name, value in manifest.items())
    _write_file(folder / "manifest.csv", ("propertyName", "value"), properties)


def _write_file(file: Path, columns: tuple[str, ...], rows: Iterable[Row]) -> None:
    # Written to a second file and moved, so that a concurrent sync never reads half a file.
    temporary = file.with_suffix(".new")
    with temporary.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, columns, restval="")
        writer.writeheader()
        writer.writerows(rows)
    temporary.replace(file)


@dataclass(frozen=True)
class ContactRecord:
    """A contact in the SIS now; `students` are names, `phone` is as typed."""

    sourced_id: str
    name: str
    students: tuple[str, ...]
    phone: str


def contacts(folder: Path) -> list[ContactRecord]:
    """Every contact in the SIS, in the order of the file."""
    users = _read_users(folder)
    names = {row["sourcedId"]: f"{row['givenName']} {row['familyName']}" for row in users}
    return [
        ContactRecord(
            row["sourcedId"],
            names[row["sourcedId"]],
            tuple(names[student] for student in row["agentSourcedIds"].split(",")),
            row["sms"] or row["phone"],
        )
        for row in users
        if row["sourcedId"].startswith("G")
    ]


def find_contacts(folder: Path, text: str) -> list[ContactRecord]:
    """Contacts whose name, or a student's, contains every word of `text`, ignoring case and accents."""
    words = fold(text).split()
    return [
        contact
        for contact in contacts(folder)
        if all(word in fold(" ".join((contact.name, *contact.students))) for word in words)
    ]


def set_phone(folder: Path, contact_sourced_id: str, phone: str) -> None:
    """Type another number for a contact, or none; the next sync reads it.

    Raises:
        KeyError: the SIS has no such contact.
    """
    users = _read_users(folder)
    by_id = {row["sourcedId"]: row for row in users if row["sourcedId"].startswith("G")}
    by_id[contact_sourced_id].update(sms=phone, phone="")
    _write_file(folder / "users.csv", _COLUMNS["users"], users)


def leave_out_school(folder: Path, school: School) -> None:
    """Write an export without the students of a school, as an SIS does whose export was set up wrong: the next sync is held."""
    lost = {"role": "student", "orgSourcedId": school.sourced_id}
    roles = _read_rows(folder / "roles.csv")
    gone = {row["userSourcedId"] for row in roles if lost.items() <= row.items()}
    for name, column in (("roles", "userSourcedId"), ("users", "sourcedId"), ("enrollments", "userSourcedId")):
        kept = [row for row in _read_rows(folder / f"{name}.csv") if row[column] not in gone]
        _write_file(folder / f"{name}.csv", _COLUMNS[name], kept)


def _read_users(folder: Path) -> list[Row]:
    return _read_rows(folder / "users.csv")


def _read_rows(file: Path) -> list[Row]:
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def _sessions(today: date) -> Iterator[Row]:
    """July to July, so that every day is in a school year; end dates are exclusive."""
    begins = today.year if today.month >= _JULY else today.year - 1
    start, middle, end = f"{begins}-07-01", f"{begins + 1}-01-15", f"{begins + 1}-07-01"
    year = {"schoolYear": str(begins + 1)}
    title = f"{begins}-{begins + 1}"
    yield {"sourcedId": "YEAR", "title": title, "type": "schoolYear", "startDate": start, "endDate": end, **year}
    term = {"type": "semester", "parentSourcedId": "YEAR", **year}
    yield {"sourcedId": "FALL", "title": f"Fall {begins}", "startDate": start, "endDate": middle, **term}
    yield {"sourcedId": "SPRING", "title": f"Spring {begins + 1}", "startDate": middle, "endDate": end, **term}


def _orgs() -> Iterator[Row]:
    yield {"sourcedId": DISTRICT_ID, "name": DISTRICT_NAME, "type": "district"}
    for school in SCHOOLS:
        yield {"sourcedId": school.sourced_id, "name": school.name, "type": "school", "parentSourcedId": DISTRICT_ID}


def _courses(classes: Sequence[SchoolClass]) -> Iterator[Row]:
    for code, school_class in {_course_code(school_class): school_class for school_class in classes}.items():
        subject, grade = school_class.subject, school_class.grade
        yield {
            "sourcedId": code,
            "title": f"{subject} {grade}" if subject else "Kindergarten" if grade == "K" else f"Grade {grade}",
            "courseCode": code,
            "subjects": subject or "",
            "schoolYearSourcedId": "YEAR",
            "orgSourcedId": school_class.school.sourced_id,
            "grades": _ceds_grade(grade),
        }


def _course_code(school_class: SchoolClass) -> str:
    return f"CRS-{(school_class.subject or 'Homeroom').replace(' ', '')}-{school_class.grade}"


def _ceds_grade(grade: str) -> str:
    return "KG" if grade == "K" else f"{int(grade):02d}"


def _class_row(school_class: SchoolClass) -> Row:
    return {
        "sourcedId": school_class.sourced_id,
        "title": school_class.title,
        "grades": _ceds_grade(school_class.grade),
        "courseSourcedId": _course_code(school_class),
        "classType": "scheduled" if school_class.subject else "homeroom",
        "schoolSourcedId": school_class.school.sourced_id,
        "termSourcedIds": "FALL,SPRING",
        "subjects": school_class.subject or "",
    }


def _enrollments(classes: Sequence[SchoolClass]) -> Iterator[Row]:
    for school_class in classes:
        where = {"classSourcedId": school_class.sourced_id, "schoolSourcedId": school_class.school.sourced_id}
        teacher = school_class.teacher.sourced_id
        ids = {"sourcedId": f"E-{school_class.sourced_id}-{teacher}", "userSourcedId": teacher}
        yield {**ids, **where, "role": "teacher", "primary": "true"}
        for student in school_class.students:
            enrollment_id = f"E-{school_class.sourced_id}-{student.sourced_id}"
            yield {"sourcedId": enrollment_id, "userSourcedId": student.sourced_id, **where, "role": "student"}


def _users(families: Sequence[Family], staff: Sequence[Staff]) -> Iterator[Row]:
    for employee in staff:
        yield _user(employee, email=employee.email, primaryOrgSourcedId=_org_id(employee.school))
    for family in families:
        contact_ids = ",".join(contact.sourced_id for contact in family.contacts)
        student_ids = ",".join(student.sourced_id for student in family.students)
        for student in family.students:
            yield _user(
                student,
                identifier=student.sourced_id[1:],
                agentSourcedIds=contact_ids,
                grades=_ceds_grade(student.grade),
                primaryOrgSourcedId=_SCHOOL_OF_GRADE[student.grade].sourced_id,
            )
        for contact in family.contacts:
            yield _user(contact, sms=contact.sms, phone=contact.phone, agentSourcedIds=student_ids)


def _user(person: Staff | Student | Contact, **cells: str) -> Row:
    return {
        "sourcedId": person.sourced_id,
        "enabledUser": "true",
        "username": person.sourced_id.lower(),
        "givenName": person.given,
        "familyName": person.family,
        **cells,
    }


def _org_id(school: School | None) -> str:
    return school.sourced_id if school else DISTRICT_ID


def _roles(families: Sequence[Family], staff: Sequence[Staff]) -> Iterator[Row]:
    for employee in staff:
        yield _role(employee.sourced_id, employee.role, _org_id(employee.school))
    for family in families:
        for student in family.students:
            yield _role(student.sourced_id, "student", _SCHOOL_OF_GRADE[student.grade].sourced_id)
        school = _SCHOOL_OF_GRADE[family.students[0].grade].sourced_id
        for contact in family.contacts:
            yield _role(contact.sourced_id, contact.role, school)


def _role(user_id: str, role: str, org_id: str) -> Row:
    ids = {"sourcedId": f"R-{user_id}", "userSourcedId": user_id}
    return {**ids, "roleType": "primary", "role": role, "orgSourcedId": org_id}
