"""Maplewood, a school district that never was: 3 schools, 600 students and the adults who answer for them.

Drawn from one seed, so everybody who starts a sandbox meets the same families, the same numbers, and the same fates.
"""

from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from random import Random

from bot.sandbox.district import bundle, staff, workspace
from bot.sandbox.district.families import Family, Registry, block_some_of_grade_5
from bot.sandbox.district.numbers import Fate, Numbers
from bot.sandbox.district.staff import SchoolClass, Staff
from bot.sandbox.district.workspace import SlackChannel, SlackUser

__all__ = [
    "CLERK", "DISTRICT_NAME", "FAMILY_TEXTS", "LINCOLN", "MAIL_DOMAIN", "ROOSEVELT", "SCHOOLS", "WASHINGTON",
    "Adult", "Child", "District", "Family", "Fate", "Held", "Household", "SchoolClass", "SlackChannel", "SlackUser", "Staff",
    "contacts", "find", "make", "set_phone", "slack_channels", "slack_people", "write",
]  # fmt: skip

_SEED = "Maplewood 21"


@dataclass(frozen=True)
class District:
    """The whole truth. `fates` is what only a text can find out: what becomes of one to a number in E.164."""

    families: tuple[Family, ...]
    office: tuple[Staff, ...]
    classes: tuple[SchoolClass, ...]
    fates: dict[str, Fate] = field(repr=False)

    def fate(self, number: str) -> Fate:
        """What a text to this number meets; a number that was never in the SIS is fine."""
        return self.fates.get(number, Fate.FINE)


@cache
def make() -> District:
    """The district; the same at every call."""
    random = Random(_SEED)
    numbers = Numbers(random)
    drawn = Registry(random, numbers).families()
    block_some_of_grade_5(drawn, numbers.fates)
    children = sorted((child for family in drawn for child in family.children), key=lambda child: child.sourced_id)
    return District(tuple(drawn), staff.office(), tuple(staff.classes(children)), numbers.fates)


def write(folder: Path, today: date) -> None:
    """Export the district as the SIS would tonight: a OneRoster 1.2 CSV bundle for the school year of `today`."""
    made = make()
    bundle.write_tables(folder, bundle.tables(list(made.families), made.office, list(made.classes), today))


def slack_people(district: District) -> tuple[SlackUser, ...]:
    """Who has a Slack account, the clerk of Lincoln Elementary first; then teachers, office, a guest, a stranger."""
    return workspace.users(district.office, list(district.classes))


def slack_channels(district: District) -> tuple[SlackChannel, ...]:
    return workspace.channels(district.office, list(district.classes))
