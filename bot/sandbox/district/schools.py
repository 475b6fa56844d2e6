"""The made-up schools: their staff and classes.

An elementary school has homerooms with one teacher; later each subject has its own, so a student has four or five.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from bot.domain.names import fold
from bot.sandbox.district.families import Student

DISTRICT_ID = "MAPLEWOOD"
DISTRICT_NAME = "Maplewood School District"
MAIL_DOMAIN = "maplewood.example"


@dataclass(frozen=True)
class School:
    sourced_id: str
    name: str
    grades: tuple[str, ...]
    subjects: tuple[str, ...] = ()


LINCOLN = School("SCH-LINCOLN", "Lincoln Elementary", ("K", "1", "2", "3", "4", "5"))
WASHINGTON = School(
    "SCH-WASHINGTON", "Washington Middle School", ("6", "7", "8"), ("Math", "English", "Science", "Social Studies")
)
ROOSEVELT = School(
    "SCH-ROOSEVELT",
    "Roosevelt High School",
    ("9", "10", "11", "12"),
    ("Math", "English", "Science", "History", "Spanish"),
)
SCHOOLS = (LINCOLN, WASHINGTON, ROOSEVELT)


@dataclass(frozen=True)
class Staff:
    """An employee; `role` is OneRoster's, `school` is None for the district office."""

    sourced_id: str
    given: str
    family: str
    role: str
    school: School | None
    title: str

    @property
    def name(self) -> str:
        return f"{self.given} {self.family}"

    @property
    def email(self) -> str:
        given, family = (fold(name).replace(" ", "") for name in (self.given, self.family))
        return f"{given}.{family}@{MAIL_DOMAIN}"


@dataclass(frozen=True)
class SchoolClass:
    sourced_id: str
    title: str
    school: School
    grade: str
    subject: str | None
    teacher: Staff
    students: tuple[Student, ...]


_OFFICE = (
    ("Clara", "Novák", "siteAdministrator", LINCOLN, "Attendance clerk, Lincoln Elementary"),
    ("Ruth", "Feldman", "siteAdministrator", WASHINGTON, "Attendance clerk, Washington Middle School"),
    ("Oscar", "Delgado", "siteAdministrator", ROOSEVELT, "Registrar, Roosevelt High School"),
    ("Patricia", "Okafor", "principal", LINCOLN, "Principal, Lincoln Elementary"),
    ("James", "Whitehorse", "principal", WASHINGTON, "Principal, Washington Middle School"),
    ("Helen", "Papadopoulos", "principal", ROOSEVELT, "Principal, Roosevelt High School"),
    ("Dana", "Diaz", "districtAdministrator", None, "Data manager, Maplewood School District"),
)

_HOMEROOMS = {
    "K": (("Siobhán", "O'Brien"), ("Grace", "Adeyemi")),
    "1": (("Laura", "Petersen"), ("Mei-Ling", "Chen")),
    "2": (("Minh Anh", "Nguyễn"), ("Robert", "Hayes")),
    "3": (("Yolanda", "Castillo"), ("Erin", "Sullivan")),
    "4": (("Samira", "Haddad"), ("David", "Goldberg")),
    "5": (("Ana", "García"), ("Tom", "Brown")),
}

_SUBJECT_TEACHERS = {
    WASHINGTON: (
        ("Marcus", "Johnson"), ("Kathleen", "Doyle"), ("Vikram", "Iyer"), ("Beata", "Zielińska"),
        ("Terrence", "Hall"), ("Julie", "Lindström"), ("Pao", "Xiong"), ("Nadège", "Toussaint"),
    ),
    ROOSEVELT: (
        ("Pieter", "van der Berg"), ("Amina", "Yusuf"), ("Hiroshi", "Tanaka"), ("Susan", "McCarthy"), ("Inés", "Peña"),
        ("Andriy", "Melnyk"), ("Denise", "Carter"), ("Kwame", "Mensah"), ("Elena", "Rossi"), ("Raúl", "Núñez"),
    ),
}  # fmt: skip


def office() -> tuple[Staff, ...]:
    """Clerks, principals and the district's data manager; the clerk of Lincoln Elementary first."""
    return tuple(Staff(f"T{100 + n}", *employee) for n, employee in enumerate(_OFFICE, start=1))


def classes(students: list[Student]) -> list[SchoolClass]:
    """Every class of the year with its teacher and students: two sections a grade."""
    by_grade = {
        grade: [student for student in students if student.grade == grade]
        for school in SCHOOLS
        for grade in school.grades
    }
    return [*_homerooms(by_grade), *_subjects(WASHINGTON, by_grade, 300), *_subjects(ROOSEVELT, by_grade, 400)]


def _homerooms(by_grade: dict[str, list[Student]]) -> Iterator[SchoolClass]:
    number = 200
    for grade, teachers in _HOMEROOMS.items():
        for section, (given, family) in enumerate(teachers):
            number += 1
            code = f"{grade}{'AB'[section]}"
            title = f"{'Kindergarten' if grade == 'K' else f'Grade {grade}'} teacher, Lincoln Elementary"
            teacher = Staff(f"T{number}", given, family, "teacher", LINCOLN, title)
            students = tuple(by_grade[grade][section::2])
            yield SchoolClass(f"C-{code}", f"Homeroom {code}", LINCOLN, grade, None, teacher, students)


def _subjects(school: School, by_grade: dict[str, list[Student]], first_number: int) -> Iterator[SchoolClass]:
    """Each subject has two teachers, who teach one section of every grade each."""
    for number, (given, family) in enumerate(_SUBJECT_TEACHERS[school]):
        subject, section = school.subjects[number % len(school.subjects)], number // len(school.subjects)
        title = f"{subject} teacher, {school.name}"
        teacher = Staff(f"T{first_number + number + 1}", given, family, "teacher", school, title)
        for grade in school.grades:
            name = f"{subject} {grade}{'AB'[section]}"
            code = f"C-{subject.replace(' ', '')}-{grade}{'AB'[section]}"
            yield SchoolClass(code, name, school, grade, subject, teacher, tuple(by_grade[grade][section::2]))
