"""The brake: before anything is written, stop when more would vanish than a district loses in a night. A person confirms.

A file cut short, a column emptied or a school left out of an export all look like many people leaving at once.
"""

from sqlalchemy import Connection

from bot.errors import UserError
from bot.roster.merge import Changes

FEWEST = 20
"""Below this many nothing brakes, or a small school could never graduate a class."""

_PHONES = """
SELECT count(*) FILTER (WHERE x.sis_phone IS NULL), (SELECT count(*) FROM contacts WHERE active AND sis_phone IS NOT NULL)
FROM change_contacts x JOIN contacts c ON c.sourced_id = x.live_sourced_id
WHERE x.kind = 'changed' AND c.active AND c.sis_phone IS NOT NULL
"""


class Braked(UserError):  # noqa: N818 (It says what happened to the sync.)
    """Nothing was written. `run_id` names the run that a person may confirm."""

    def __init__(self, sentence: str, *, run_id: int | None = None) -> None:
        super().__init__(sentence)
        self.run_id = run_id


def check(connection: Connection, changes: dict[str, Changes], *, percent: float) -> None:
    """Compare what would vanish with what is there now.

    Raises:
        Braked: more than `percent` of the students, contacts, links, numbers or enrolments, and at least `FEWEST`.
    """
    with connection.begin():
        phones_gone, phones = connection.exec_driver_sql(_PHONES).one()
    enrolments = (changes["class_students"], changes["class_teachers"])
    vanishing = {
        "students": _of(changes["students"]),
        "contacts": _of(changes["contacts"]),
        "links between students and contacts": _of(changes["student_contacts"]),
        "contacts' numbers": (phones_gone, phones),
        "enrolments": (sum(one.of("inactive") for one in enrolments), sum(one.held for one in enrolments)),
    }
    much = {what: (gone, held) for what, (gone, held) in vanishing.items() if _too_many(gone, held, percent)}
    if much:
        numbers = ", ".join(f"{gone:,} of {held:,} {what}" for what, (gone, held) in much.items())
        raise Braked(
            f"Nothing was written: {numbers} would vanish, more than {percent:g} %. "
            "Check the export; if it is right, run the sync again and confirm."
        )


def _of(changes: Changes) -> tuple[int, int]:
    return changes.of("inactive"), changes.held


def _too_many(gone: int, held: int, percent: float) -> bool:
    return gone >= FEWEST and gone * 100 > percent * held
