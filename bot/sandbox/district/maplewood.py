"""Maplewood, a made-up school district: 3 schools, 600 students and their contacts. It is generated from one seed, so every
sandbox has the same families, numbers, and delivery results.
"""

from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from random import Random

from bot.sandbox.district import schools, sis_export
from bot.sandbox.district.families import Family, FamilyGenerator, block_some_of_grade_5
from bot.sandbox.district.numbers import NumberPool, TextResult
from bot.sandbox.district.schools import SchoolClass, Staff

_SEED = "Maplewood 21"


@dataclass(frozen=True)
class District:
    """The ground truth. `text_results` maps numbers in E.164 to the result of a text, which only a text reveals."""

    families: tuple[Family, ...]
    office: tuple[Staff, ...]
    classes: tuple[SchoolClass, ...]
    text_results: dict[str, TextResult] = field(repr=False)

    def text_result(self, number: str) -> TextResult:
        """A number that was never in the SIS receives texts."""
        return self.text_results.get(number, TextResult.DELIVERED)


@cache
def generate() -> District:
    """Return the same district at every call."""
    random = Random(_SEED)
    pool = NumberPool(random)
    families = FamilyGenerator(random, pool).generate()
    block_some_of_grade_5(families, pool.text_results)
    students = sorted(
        (student for family in families for student in family.students), key=lambda student: student.sourced_id
    )
    return District(tuple(families), schools.office(), tuple(schools.classes(students)), pool.text_results)


def write_export(folder: Path, today: date) -> None:
    """Write the SIS's export of tonight: a OneRoster 1.2 CSV bundle for the school year of `today`."""
    district = generate()
    sis_export.write(folder, district.families, district.office, district.classes, today=today)
