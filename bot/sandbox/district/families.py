"""The made-up families: students with a seat in a school, and their contacts.

Siblings have the same contacts, and some contacts share one number, as in every real district.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from random import Random
from typing import TypeVar

from bot.sandbox.district.names import CULTURES, Culture
from bot.sandbox.district.numbers import NumberPool, TextResult, as_typed

_T = TypeVar("_T")

# Seats in each grade.
SEATS = {
    "K": 46, "1": 46, "2": 46, "3": 46, "4": 46, "5": 46,
    "6": 47, "7": 47, "8": 47, "9": 46, "10": 46, "11": 46, "12": 45,
}  # fmt: skip
# Cells of the SIS that are no phone number.
_UNREADABLE = ("555-0137", "call the office", "(312) 555-01", "000-000-0000")


class Household(StrEnum):
    COUPLE = "couple"
    ONE_PHONE = "one phone"
    SEPARATED = "separated"
    SINGLE = "single"
    GRANDPARENTS = "grandparents"
    EXTENDED = "extended"


_HOUSEHOLD_WEIGHTS = {
    Household.COUPLE: 40,
    Household.ONE_PHONE: 6,
    Household.SEPARATED: 17,
    Household.SINGLE: 17,
    Household.GRANDPARENTS: 6,
    Household.EXTENDED: 14,
}


@dataclass(frozen=True)
class Contact:
    """`role` is OneRoster's; `number` is the E.164 form of `sms` or `phone`, which are as typed into the SIS."""

    sourced_id: str
    given: str
    family: str
    role: str
    number: str | None = None
    sms: str = ""
    phone: str = ""

    @property
    def name(self) -> str:
        return f"{self.given} {self.family}"


@dataclass(frozen=True)
class Student:
    sourced_id: str
    given: str
    family: str
    grade: str

    @property
    def name(self) -> str:
        return f"{self.given} {self.family}"


@dataclass(frozen=True)
class Family:
    household: Household
    contacts: tuple[Contact, ...]
    students: tuple[Student, ...]

    @property
    def members(self) -> tuple[Contact | Student, ...]:
        return (*self.contacts, *self.students)


class FamilyGenerator:
    """Generates families until every seat is taken. One source of randomness: the same seed gives the same families."""

    def __init__(self, random: Random, pool: NumberPool) -> None:
        self._random, self._pool = random, pool
        self._free_seats = dict(SEATS)
        self._student_count = self._contact_count = 0
        self._unreadable = list(_UNREADABLE)

    def generate(self) -> list[Family]:
        families = []
        while any(self._free_seats.values()):
            families.append(self._family())
        return families

    def _family(self) -> Family:
        culture = self._culture()
        household = self._pick(tuple(Household), [_HOUSEHOLD_WEIGHTS[kind] for kind in Household])
        family = self._random.choice(culture.families)
        grades = self._take_seats()
        given_names = self._random.sample(culture.girls + culture.boys, len(grades))
        students = tuple(self._student(given, family, grade) for given, grade in zip(given_names, grades, strict=True))
        return Family(household, tuple(self._contacts(household, culture, family)), students)

    def _culture(self) -> Culture:
        return self._pick(CULTURES, [culture.share for culture in CULTURES])

    def _take_seats(self) -> list[str]:
        """The grades of siblings, the eldest first, sometimes twins."""
        grades = list(SEATS)
        index = grades.index(max(self._free_seats, key=lambda grade: (self._free_seats[grade], grades.index(grade))))
        taken: list[str] = []
        for _ in range(self._pick((1, 2, 3, 4), (40, 40, 16, 4))):
            if index >= 0 and self._free_seats[grades[index]]:
                self._free_seats[grades[index]] -= 1
                taken.append(grades[index])
            index -= self._pick((0, 1, 2, 3, 4), (4, 20, 40, 24, 12))
        return taken

    def _student(self, given: str, family: str, grade: str) -> Student:
        self._student_count += 1
        return Student(f"S{1000 + self._student_count}", given, family, grade)

    def _contacts(self, household: Household, culture: Culture, family: str) -> list[Contact]:
        keeps_name = culture.shared_name and self._happens(80)
        mother = self._contact(culture.women, family if keeps_name else self._random.choice(culture.families))
        father = self._contact(culture.men, family)
        match household:
            case Household.COUPLE:
                return [self._with_number(mother), self._with_number(father)]
            case Household.ONE_PHONE:
                return self._sharing_number(mother, father)
            case Household.SEPARATED:
                return self._separated(mother, father)
            case Household.SINGLE:
                return [self._with_number(self._pick((mother, father), (4, 1)))]
            case Household.GRANDPARENTS:
                guardians = [replace(contact, role="guardian") for contact in (mother, father)]
                return self._sharing_number(*guardians, home_line=self._happens(50))
            case Household.EXTENDED:
                return [self._with_number(mother), self._relative(culture)]

    def _separated(self, mother: Contact, father: Contact) -> list[Contact]:
        """Parents with a number each, and sometimes a stepparent of any culture."""
        parents = [self._with_number(mother), self._with_number(father)]
        if self._happens(80):
            return parents
        culture = self._culture()
        stepparent = self._contact(culture.women + culture.men, self._random.choice(culture.families))
        return [*parents, self._with_number(replace(stepparent, role="guardian"))]

    def _relative(self, culture: Culture) -> Contact:
        relative = self._contact(culture.women + culture.men, self._random.choice(culture.families))
        return self._with_number(replace(relative, role="relative"), home_line=self._happens(25))

    def _contact(self, given_names: tuple[str, ...], family: str) -> Contact:
        self._contact_count += 1
        return Contact(f"G{4000 + self._contact_count}", self._random.choice(given_names), family, "parent")

    def _sharing_number(self, *contacts: Contact, home_line: bool = False) -> list[Contact]:
        first = self._with_number(contacts[0], home_line=home_line)
        return [
            first,
            *(replace(contact, number=first.number, sms=first.sms, phone=first.phone) for contact in contacts[1:]),
        ]

    def _with_number(self, contact: Contact, *, home_line: bool = False) -> Contact:
        if self._happens(2):
            return contact
        if self._unreadable and self._happens(1):
            return replace(contact, phone=self._unreadable.pop())
        if home_line or self._happens(3):
            number = self._pool.home_line()
            return replace(contact, number=number, phone=as_typed(number, self._random))
        number = self._pool.mobile()
        return replace(contact, number=number, sms=as_typed(number, self._random))

    def _happens(self, percent: int) -> bool:
        return self._random.randrange(100) < percent

    def _pick(self, choices: tuple[_T, ...], weights: Sequence[int]) -> _T:
        return self._random.choices(choices, weights)[0]


def block_some_of_grade_5(families: list[Family], text_results: dict[str, TextResult]) -> None:
    """Make the first question of a newcomer worthwhile: grade 5 has blocked numbers, one of them a family's only one."""
    for household, count in (
        (Household.SINGLE, 1),
        (Household.ONE_PHONE, 1),
        (Household.SEPARATED, 2),
        (Household.COUPLE, 2),
    ):
        candidates = [
            family
            for family in families
            if family.household is household
            and any(student.grade == "5" for student in family.students)
            and family.contacts[0].sms
            and all(
                text_results[contact.number] is TextResult.DELIVERED for contact in family.contacts if contact.number
            )
        ]
        for family in candidates[:count]:
            text_results[str(family.contacts[0].number)] = TextResult.BLOCKED
