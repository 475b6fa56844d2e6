"""The made-up families: children in seats of the schools, and the adults who answer for them.

Brothers and sisters have the same contacts, and some adults share one number, because in every real district they do.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from random import Random
from typing import TypeVar

from bot.sandbox.district.names import NAMINGS, Naming
from bot.sandbox.district.numbers import Fate, Numbers, written

_T = TypeVar("_T")

SEATS = {
    "K": 46, "1": 46, "2": 46, "3": 46, "4": 46, "5": 46,
    "6": 47, "7": 47, "8": 47, "9": 46, "10": 46, "11": 46, "12": 45,
}  # fmt: skip

_UNREADABLE = ("555-0137", "call the office", "(312) 555-01", "000-000-0000")


class Household(StrEnum):
    COUPLE = "couple"
    ONE_PHONE = "one phone"
    APART = "apart"
    SINGLE = "single"
    GRANDPARENTS = "grandparents"
    EXTENDED = "extended"


_SHARES = {
    Household.COUPLE: 40,
    Household.ONE_PHONE: 6,
    Household.APART: 17,
    Household.SINGLE: 17,
    Household.GRANDPARENTS: 6,
    Household.EXTENDED: 14,
}


@dataclass(frozen=True)
class Adult:
    """A contact. `role` is OneRoster's word; `number` is the E.164 behind `sms` or `phone`, which are as written."""

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
class Child:
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
    adults: tuple[Adult, ...]
    children: tuple[Child, ...]

    @property
    def people(self) -> tuple[Adult | Child, ...]:
        return (*self.adults, *self.children)


class Registry:
    """Draws families until every seat is taken. One random source, so the same seed gives the same district."""

    def __init__(self, random: Random, numbers: Numbers) -> None:
        self._random, self._numbers = random, numbers
        self._open = dict(SEATS)
        self._children = self._adults = 0
        self._unreadable = list(_UNREADABLE)

    def families(self) -> list[Family]:
        drawn = []
        while any(self._open.values()):
            drawn.append(self._family())
        return drawn

    def _family(self) -> Family:
        naming = self._pick(NAMINGS, [one.share for one in NAMINGS])
        household = self._pick(tuple(Household), [_SHARES[one] for one in Household])
        family = self._random.choice(naming.families)
        grades = self._grades()
        given = self._random.sample(naming.girls + naming.boys, len(grades))
        children = tuple(self._child(first, family, grade) for first, grade in zip(given, grades, strict=True))
        return Family(household, tuple(self._adults_of(household, naming, family)), children)

    def _grades(self) -> list[str]:
        """Free seats for brothers and sisters, the eldest first; now and then twins."""
        levels = list(SEATS)
        place = levels.index(max(self._open, key=lambda grade: (self._open[grade], levels.index(grade))))
        taken: list[str] = []
        for _ in range(self._pick((1, 2, 3, 4), (40, 40, 16, 4))):
            if place >= 0 and self._open[levels[place]]:
                self._open[levels[place]] -= 1
                taken.append(levels[place])
            place -= self._pick((0, 1, 2, 3, 4), (4, 20, 40, 24, 12))
        return taken

    def _child(self, given: str, family: str, grade: str) -> Child:
        self._children += 1
        return Child(f"S{1000 + self._children}", given, family, grade)

    def _adults_of(self, household: Household, naming: Naming, family: str) -> list[Adult]:
        mother = self._adult(naming.women, self._name_of_mother(naming, family))
        father = self._adult(naming.men, family)
        match household:
            case Household.COUPLE:
                return [self._with_number(mother), self._with_number(father)]
            case Household.ONE_PHONE:
                return self._sharing(mother, father)
            case Household.APART:
                return self._apart(mother, father)
            case Household.SINGLE:
                return [self._with_number(self._pick((mother, father), (4, 1)))]
            case Household.GRANDPARENTS:
                guardians = [replace(one, role="guardian") for one in (mother, father)]
                return self._sharing(*guardians, home=self._happens(50))
            case Household.EXTENDED:
                return [self._with_number(mother), self._relative(naming)]

    def _name_of_mother(self, naming: Naming, family: str) -> str:
        return family if naming.one_name and self._happens(80) else self._random.choice(naming.families)

    def _apart(self, mother: Adult, father: Adult) -> list[Adult]:
        """Parents with a home each, and sometimes somebody new in one of them, of another culture as often as not."""
        apart = [self._with_number(mother), self._with_number(father)]
        if self._happens(80):
            return apart
        naming = self._pick(NAMINGS, [one.share for one in NAMINGS])
        step = self._adult(naming.women + naming.men, self._random.choice(naming.families))
        return [*apart, self._with_number(replace(step, role="guardian"))]

    def _relative(self, naming: Naming) -> Adult:
        one = self._adult(naming.women + naming.men, self._random.choice(naming.families))
        return self._with_number(replace(one, role="relative"), home=self._happens(25))

    def _adult(self, given: tuple[str, ...], family: str) -> Adult:
        self._adults += 1
        return Adult(f"G{4000 + self._adults}", self._random.choice(given), family, "parent")

    def _sharing(self, *adults: Adult, home: bool = False) -> list[Adult]:
        first = self._with_number(adults[0], home=home)
        return [first, *(replace(one, number=first.number, sms=first.sms, phone=first.phone) for one in adults[1:])]

    def _with_number(self, adult: Adult, *, home: bool = False) -> Adult:
        if self._happens(2):
            return adult
        if self._unreadable and self._happens(1):
            return replace(adult, phone=self._unreadable.pop())
        if home or self._happens(3):
            line = self._numbers.home_line()
            return replace(adult, number=line, phone=written(line, self._random))
        mobile = self._numbers.mobile()
        return replace(adult, number=mobile, sms=written(mobile, self._random))

    def _happens(self, percent: int) -> bool:
        return self._random.randrange(100) < percent

    def _pick(self, choices: tuple[_T, ...], shares: Sequence[int]) -> _T:
        return self._random.choices(choices, shares)[0]


def block_some_of_grade_5(families: list[Family], fates: dict[str, Fate]) -> None:
    """Make sure of the first question a newcomer asks: grade 5 has blocked numbers, one of them a family's only one."""
    for household, how_many in (
        (Household.SINGLE, 1),
        (Household.ONE_PHONE, 1),
        (Household.APART, 2),
        (Household.COUPLE, 2),
    ):
        fit = [
            one
            for one in families
            if one.household is household
            and any(child.grade == "5" for child in one.children)
            and one.adults[0].sms
            and all(fates[adult.number] is Fate.FINE for adult in one.adults if adult.number)
        ]
        for family in fit[:how_many]:
            fates[str(family.adults[0].number)] = Fate.BLOCKED
