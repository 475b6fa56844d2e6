"""The brake: before anything is written, stop when more would vanish than a district loses in a night. A person confirms.

A file cut short, a column emptied or a school left out of an export all look like many people leaving at once. A file
without a single row stops even the smallest district, if everything we hold of it would go, and a first sync that would
bring nobody.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from bot.errors import UserError
from bot.sis.rows import Kind, Part
from bot.sync.diff_merge import TableChanges
from bot.wording import say

FEWEST = 20
"""Below this many nothing brakes, or a small school could never graduate a class."""

_TABLES_OF = {
    Kind.ORGS: ("schools",),
    Kind.CLASSES: ("classes",),
    Kind.USERS: ("students", "contacts", "staff"),
    Kind.ROLES: ("students", "contacts", "staff"),
    Kind.ENROLLMENTS: ("class_students", "class_teachers"),
    Kind.CONTACTS: ("contacts",),
}

_NEVER_EMPTY = (Kind.ORGS, Kind.USERS, Kind.ROLES)

_PHONES = """
SELECT count(*) FILTER (WHERE x.sis_phone IS NULL), (SELECT count(*) FROM contacts WHERE active AND sis_phone IS NOT NULL)
FROM change_contacts x JOIN contacts c ON c.sourced_id = x.live_sourced_id
WHERE x.kind = 'changed' AND c.active AND c.sis_phone IS NOT NULL
"""


class SyncHeld(UserError):  # noqa: N818 (It says what happened to the sync.)
    """Nothing was written. `run_id` names the run that a person may confirm."""

    def __init__(self, sentence: str, *, run_id: int | None = None) -> None:
        super().__init__("sync.held", sentence)
        self.run_id = run_id


def check(connection: Connection, changes: dict[str, TableChanges], *, parts: Sequence[Part], percent: float) -> None:
    """Compare what would vanish with what is there now.

    Raises:
        Braked: more than `percent` of the students, contacts, links, numbers or enrolments, and at least `FEWEST`; or all
            of them because a file of `parts` is empty; or nobody is held and an empty file brings nobody.
    """
    vanishing = _vanishing(connection, changes)
    much = [
        say(f"roster.brake.gone.{what}", gone=gone, held=held)
        for what, (gone, held) in vanishing.items()
        if _too_many(gone, held, percent)
    ]
    reasons = [f"{part.name} holds no row" for part in parts if _is_empty(part) and _matters(part, changes)]
    if much:
        reasons.append(f"{', '.join(much)} would vanish, more than {percent:g}%")
    if reasons:
        raise SyncHeld(
            f"Nothing was written: {'; '.join(reasons)}. Check the export; if it is right, run the sync "
            "again and confirm."
        )


def is_within(changes: dict[str, TableChanges], seen: Mapping[str, Any] | None) -> bool:
    """Whether no more would change or go than in the counts (`SyncRun.counts`) that a person saw and confirmed."""
    return seen is not None and all(
        one.of(kind) <= seen.get(table, {}).get(kind, 0)
        for table, one in changes.items()
        for kind in ("changed", "inactive")
    )


def _vanishing(connection: Connection, changes: dict[str, TableChanges]) -> dict[str, tuple[int, int]]:
    """How many would vanish, of how many there are now."""
    with connection.begin():
        phones_gone, phones = connection.exec_driver_sql(_PHONES).one()
    enrolments = (changes["class_students"], changes["class_teachers"])
    return {
        "students": _of(changes["students"]),
        "contacts": _of(changes["contacts"]),
        "links": _of(changes["student_contacts"]),
        "phones": (phones_gone, phones),
        "enrolments": (sum(one.of("inactive") for one in enrolments), sum(one.held for one in enrolments)),
    }


def _is_empty(part: Part) -> bool:
    return part.is_readable and not part.is_delta and not part.rows_read


def _matters(part: Part, changes: dict[str, TableChanges]) -> bool:
    """Whether everything goes that we hold of it; of a file of contacts, anything; or whether a first sync has no people."""
    tables = [changes[table] for table in _TABLES_OF.get(part.kind, ())]
    if part.kind is Kind.CONTACTS:
        return any(one.of("inactive") for one in tables)
    is_first = part.kind in _NEVER_EMPTY and not any(one.held or one.wanted for one in tables)
    return is_first or any(one.held and one.of("inactive") == one.held for one in tables)


def _of(changes: TableChanges) -> tuple[int, int]:
    return changes.of("inactive"), changes.held


def _too_many(gone: int, held: int, percent: float) -> bool:
    return gone >= FEWEST and gone * 100 > percent * held
