"""What the made-up SIS exports: a OneRoster 1.2 CSV folder in bulk mode, and the two things a clerk does in an SIS:
look a contact up and type another number.
"""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from bot.domain.names import fold
from bot.sandbox.district.families import Adult, Child, Family
from bot.sandbox.district.staff import DISTRICT_ID, DISTRICT_NAME, SCHOOLS, School, SchoolClass, Staff

Row = dict[str, str]

_S3 = ("sourcedId", "status", "dateLastModified")
_COLUMNS = {
    "academicSessions": (*_S3, "title", "type", "startDate", "endDate", "parentSourcedId", "schoolYear"),
    "classes": (
        *_S3, "title", "grades", "courseSourcedId", "classCode", "classType", "location", "schoolSourcedId",
        "termSourcedIds", "subjects", "subjectCodes", "periods",
    ),
    "courses": (*_S3, "schoolYearSourcedId", "title", "courseCode", "grades", "orgSourcedId", "subjects", "subjectCodes"),
    "enrollments": (
        *_S3, "classSourcedId", "schoolSourcedId", "userSourcedId", "role", "primary", "beginDate", "endDate",
    ),
    "orgs": (*_S3, "name", "type", "identifier", "parentSourcedId"),
    "roles": (*_S3, "userSourcedId", "roleType", "role", "beginDate", "endDate", "orgSourcedId", "userProfileSourcedId"),
    "users": (
        *_S3, "enabledUser", "username", "userIds", "givenName", "familyName", "middleName", "identifier", "email", "sms",
        "phone", "agentSourcedIds", "grades", "password", "userMasterIdentifier", "preferredGivenName",
        "preferredMiddleName", "preferredFamilyName", "primaryOrgSourcedId", "pronouns",
    ),
}  # fmt: skip
_SCHOOL_OF = {grade: school for school in SCHOOLS for grade in school.grades}
_CEDS_KINDERGARTEN = "KG"


@dataclass(frozen=True)
class Held:
    """A contact as the SIS holds it now; `students` are the names of the children, `phone` is as it is written there."""

    sourced_id: str
    name: str
    students: tuple[str, ...]
    phone: str


def write_tables(folder: Path, tables: dict[str, Iterable[Row]]) -> None:
    """Write one file a table, and the manifest, into a folder that may not exist yet."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in tables.items():
        _write(folder / f"{name}.csv", _COLUMNS[name], rows)
    facts = {"manifest.version": "1.0", "oneroster.version": "1.2", **{f"file.{name}": "bulk" for name in tables}}
    rows = ({"propertyName": name, "value": value} for name, value in facts.items())
    _write(folder / "manifest.csv", ("propertyName", "value"), rows)


def tables(
    families: list[Family], office: Iterable[Staff], classes: list[SchoolClass], today: date
) -> dict[str, Iterable[Row]]:
    """The rows of every file for the school year that `today` is in."""
    staff = [*office, *{one.teacher.sourced_id: one.teacher for one in classes}.values()]
    return {
        "academicSessions": _sessions(today),
        "classes": map(_class, classes),
        "courses": _courses(classes),
        "enrollments": _enrollments(classes),
        "orgs": _orgs(),
        "roles": _roles(families, staff),
        "users": _users(families, staff),
    }


def contacts(folder: Path) -> list[Held]:
    """Every contact the SIS holds, in the order of the file."""
    users = _read(folder / "users.csv")
    names = {row["sourcedId"]: f"{row['givenName']} {row['familyName']}" for row in users}
    return [
        Held(
            row["sourcedId"],
            names[row["sourcedId"]],
            tuple(names[child] for child in row["agentSourcedIds"].split(",")),
            row["sms"] or row["phone"],
        )
        for row in users
        if row["sourcedId"].startswith("G")
    ]


def find(folder: Path, text: str) -> list[Held]:
    """Contacts whose name, or a child's, holds every word of `text`, however it is typed."""
    words = fold(text).split()
    return [one for one in contacts(folder) if all(word in fold(" ".join((one.name, *one.students))) for word in words)]


def set_phone(folder: Path, contact_sourced_id: str, written: str) -> None:
    """Type another number for a contact in the SIS; blank takes it away. The next sync reads it.

    Raises:
        KeyError: the SIS holds no such contact.
    """
    users = _read(folder / "users.csv")
    held = {row["sourcedId"]: row for row in users if row["sourcedId"].startswith("G")}
    held[contact_sourced_id].update(sms=written, phone="")
    _write(folder / "users.csv", _COLUMNS["users"], users)


def _read(file: Path) -> list[Row]:
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def _write(file: Path, columns: tuple[str, ...], rows: Iterable[Row]) -> None:
    """Written beside and moved into place, so that a sync which reads meanwhile never sees half a file."""
    beside = file.with_suffix(".new")
    with beside.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, columns, restval="")
        writer.writeheader()
        writer.writerows(rows)
    beside.replace(file)


def _sessions(today: date) -> Iterator[Row]:
    """July to July, so that there is a school year today whatever the day; end dates are exclusive."""
    begins = today.year if today.month >= 7 else today.year - 1  # noqa: PLR2004 (July)
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


def _courses(classes: list[SchoolClass]) -> Iterator[Row]:
    for code, one in {_course_of(one): one for one in classes}.items():
        title = f"{one.subject} {one.grade}" if one.subject else _grade_title(one.grade)
        place = {"schoolYearSourcedId": "YEAR", "orgSourcedId": one.school.sourced_id, "grades": _ceds(one.grade)}
        yield {"sourcedId": code, "title": title, "courseCode": code, "subjects": one.subject or "", **place}


def _course_of(one: SchoolClass) -> str:
    return f"CRS-{(one.subject or 'Homeroom').replace(' ', '')}-{one.grade}"


def _grade_title(grade: str) -> str:
    return "Kindergarten" if grade == "K" else f"Grade {grade}"


def _ceds(grade: str) -> str:
    return _CEDS_KINDERGARTEN if grade == "K" else f"{int(grade):02d}"


def _class(one: SchoolClass) -> Row:
    return {
        "sourcedId": one.sourced_id,
        "title": one.title,
        "grades": _ceds(one.grade),
        "courseSourcedId": _course_of(one),
        "classType": "scheduled" if one.subject else "homeroom",
        "schoolSourcedId": one.school.sourced_id,
        "termSourcedIds": "FALL,SPRING",
        "subjects": one.subject or "",
    }


def _enrollments(classes: list[SchoolClass]) -> Iterator[Row]:
    for one in classes:
        place = {"classSourcedId": one.sourced_id, "schoolSourcedId": one.school.sourced_id}
        teacher = one.teacher.sourced_id
        identity = {"sourcedId": f"E-{one.sourced_id}-{teacher}", "userSourcedId": teacher}
        yield {**identity, **place, "role": "teacher", "primary": "true"}
        for child in one.students:
            identity = {"sourcedId": f"E-{one.sourced_id}-{child.sourced_id}", "userSourcedId": child.sourced_id}
            yield {**identity, **place, "role": "student"}


def _users(families: list[Family], staff: list[Staff]) -> Iterator[Row]:
    yield from map(_staff_user, staff)
    for family in families:
        parents = ",".join(adult.sourced_id for adult in family.adults)
        children = ",".join(child.sourced_id for child in family.children)
        yield from (_child_user(child, parents) for child in family.children)
        yield from (_adult_user(adult, children) for adult in family.adults)


def _user(one: Staff | Child | Adult, **more: str) -> Row:
    name = {"givenName": one.given, "familyName": one.family}
    return {"sourcedId": one.sourced_id, "enabledUser": "true", "username": one.sourced_id.lower(), **name, **more}


def _staff_user(one: Staff) -> Row:
    return _user(one, email=one.email, primaryOrgSourcedId=_place(one.school))


def _child_user(one: Child, parents: str) -> Row:
    school = _SCHOOL_OF[one.grade].sourced_id
    return _user(
        one, identifier=one.sourced_id[1:], agentSourcedIds=parents, grades=_ceds(one.grade), primaryOrgSourcedId=school
    )


def _adult_user(one: Adult, children: str) -> Row:
    return _user(one, sms=one.sms, phone=one.phone, agentSourcedIds=children)


def _place(school: School | None) -> str:
    return school.sourced_id if school else DISTRICT_ID


def _roles(families: list[Family], staff: list[Staff]) -> Iterator[Row]:
    yield from (_role(one.sourced_id, one.role, _place(one.school)) for one in staff)
    for family in families:
        for child in family.children:
            yield _role(child.sourced_id, "student", _SCHOOL_OF[child.grade].sourced_id)
        school = _SCHOOL_OF[family.children[0].grade].sourced_id
        yield from (_role(adult.sourced_id, adult.role, school) for adult in family.adults)


def _role(user: str, role: str, place: str) -> Row:
    identity = {"sourcedId": f"R-{user}", "userSourcedId": user}
    return {**identity, "roleType": "primary", "role": role, "orgSourcedId": place}
