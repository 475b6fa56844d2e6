"""A OneRoster 1.2 bundle of a district of any size, and of its next day. Written row by row, the same each time.

Of 100,000 students: 250,000 contacts, 40,000 classes, 1,040,000 enrolments; the next day 2,500 contacts have another
number, 1,200 are gone, and 10,000 students have moved to another class.
"""

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import md5
from itertools import count
from pathlib import Path

from support.sis_bundles import COLUMNS

GIVEN = ("Sam", "Lea", "João", "Nguyễn", "Zoë", "Mary Ann", "DeShawn", "Søren", "Ximena", "Ali")
FAMILY = ("Rivera", "O'Brien", "García-López", "Tran", "Smith", "van der Berg", "Okafor", "Kim", "Ćosić", "Lee")
PERIODS, CLASS_SIZE = 10, 25
STUDENTS_OF_A_SCHOOL = 650
CLASSES_OF_A_TEACHER = 6
CONTACTS_OF_A_PAIR = 5
"""Two students have five contacts between them: three and two."""


def guid(kind: str, number: int) -> str:
    said = md5(f"{kind} {number}".encode(), usedforsecurity=False).hexdigest()
    return f"{said[:8]}-{said[8:12]}-{said[12:16]}-{said[16:20]}-{said[20:]}"


def phone(contact: int, day: int) -> str:
    """One of a hundred has another number on the next day."""
    changed = 5_000_000 if day > 1 and contact % 100 == 7 else 0
    number = (2_000_000 + contact + changed) % 10_000_000
    area = 312 + contact // 8_000_000
    return f"({area}) {number // 10_000:03}-{number % 10_000:04}"


def is_gone(contact: int, day: int) -> bool:
    """One of 208 has left on the next day."""
    return day > 1 and contact % 208 == 11


def write(folder: Path, *, students: int, day: int = 1) -> Path:
    """The bundle as a folder; what stood there before goes."""
    folder.mkdir(parents=True, exist_ok=True)
    manifest = "propertyName,value\r\nmanifest.version,1.0\r\noneroster.version,1.2\r\n"
    for name in COLUMNS:
        manifest += f"file.{name},bulk\r\n"
    (folder / "manifest.csv").write_text(manifest, newline="")
    schools = max(1, students // STUDENTS_OF_A_SCHOOL)
    classes = max(PERIODS, students * PERIODS // CLASS_SIZE)
    for name, rows in (
        ("orgs", _orgs(schools)),
        (
            "academicSessions",
            [{"sourcedId": "Y27", "type": "term", "startDate": "2026-08-17", "endDate": "2027-06-05"}],
        ),
        ("classes", _classes(classes, schools)),
        ("users", _users(students, classes, schools, day)),
        ("roles", _roles(students, classes, schools, day)),
        ("enrollments", _enrollments(students, classes, schools, day)),
    ):
        with _table(folder / f"{name}.csv", COLUMNS[name].split(",")) as table:
            table.writerows(rows)
    return folder


@contextmanager
def _table(path: Path, columns: list[str]) -> Iterator[csv.DictWriter]:
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, columns, restval="")
        table.writeheader()
        yield table


def _orgs(schools: int) -> Iterator[dict[str, str]]:
    yield {"sourcedId": "district", "name": "Bigfield", "type": "district"}
    for number in range(schools):
        name = f"{FAMILY[number % 10]} Elementary {number}"
        yield {"sourcedId": guid("school", number), "name": name, "type": "school", "parentSourcedId": "district"}


def _classes(classes: int, schools: int) -> Iterator[dict[str, str]]:
    for number in range(classes):
        yield {
            "sourcedId": guid("class", number),
            "title": f"Class {number}",
            "classType": "homeroom" if number % PERIODS == 0 else "scheduled",
            "schoolSourcedId": guid("school", _school_of_class(number, schools)),
            "termSourcedIds": "Y27",
        }


def _school_of_class(number: int, schools: int) -> int:
    return number // PERIODS % schools


def _contacts_of(student: int) -> range:
    pair = student // 2 * CONTACTS_OF_A_PAIR
    return range(pair, pair + 3) if student % 2 == 0 else range(pair + 3, pair + CONTACTS_OF_A_PAIR)


def _staff(classes: int) -> int:
    return classes // CLASSES_OF_A_TEACHER + 1


def _users(students: int, classes: int, schools: int, day: int) -> Iterator[dict[str, str]]:
    for number in range(_staff(classes)):
        yield _person("staff", number, email=f"t{number}@district.example")
    for number in range(students):
        contacts = [guid("contact", one) for one in _contacts_of(number) if not is_gone(one, day)]
        grade = f"{number % 13:02}" if number % 13 else "KG"
        yield _person("student", number, identifier=str(900_000 + number), grades=grade) | {
            "agentSourcedIds": ",".join(contacts),
            "primaryOrgSourcedId": guid("school", number // CLASS_SIZE % schools),
        }
        for one in _contacts_of(number):
            if not is_gone(one, day):
                student = guid("student", number)
                yield _person("contact", one, sms=phone(one, day), agentSourcedIds=student)


def _person(kind: str, number: int, **cells: str) -> dict[str, str]:
    return {
        "sourcedId": guid(kind, number),
        "enabledUser": "true",
        "username": f"{kind}{number}",
        "givenName": GIVEN[number % 10],
        "familyName": f"{FAMILY[number // 10 % 10]}-{number // 100}",
        **cells,
    }


def _roles(students: int, classes: int, schools: int, day: int) -> Iterator[dict[str, str]]:
    for number in range(_staff(classes)):
        yield _role("staff", number, "teacher", number % schools)
    for number in range(students):
        school = number // CLASS_SIZE % schools
        yield _role("student", number, "student", school)
        for one in _contacts_of(number):
            if not is_gone(one, day):
                yield _role("contact", one, "parent", school)


def _role(kind: str, number: int, role: str, school: int) -> dict[str, str]:
    return {
        "sourcedId": f"R-{guid(kind, number)}",
        "userSourcedId": guid(kind, number),
        "roleType": "primary",
        "role": role,
        "orgSourcedId": guid("school", school),
    }


def _enrollments(students: int, classes: int, schools: int, day: int) -> Iterator[dict[str, str]]:
    for number in range(classes):
        yield _enrollment(number, "staff", number // CLASSES_OF_A_TEACHER, "teacher", schools) | {"primary": "true"}
    taken = count()
    for student in range(students):
        for period in range(PERIODS):
            moved = 1 if day > 1 and next(taken) % 100 == 0 else 0
            number = ((student // CLASS_SIZE + moved) * PERIODS + period) % classes
            yield _enrollment(number, "student", student, "student", schools)


def _enrollment(in_class: int, kind: str, who: int, role: str, schools: int) -> dict[str, str]:
    return {
        "sourcedId": guid(f"{kind} {who} in", in_class),
        "classSourcedId": guid("class", in_class),
        "schoolSourcedId": guid("school", _school_of_class(in_class, schools)),
        "userSourcedId": guid(kind, who),
        "role": role,
    }
