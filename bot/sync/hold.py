"""The hold: a sync stops before it writes if more would disappear than a district loses in one night, and waits for a person.

A truncated file, an emptied column and a missing school all look like many people leaving at once. A file without a row holds
even the smallest district if everything that we have of its kind would go, and so does a first sync that would bring no people.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.orm import Session

from bot import audit
from bot.access import AccessLevel, Actor
from bot.audit import Subject
from bot.db.models.roster import SyncDecision, SyncRun, SyncState
from bot.errors import UserError
from bot.sis.rows import Kind, Part
from bot.sync.diff_merge import TableChanges

# Fewer rows than this never hold a sync, or a small school could not graduate a class.
MIN_ROWS = 20

_TABLES_OF_KIND = {
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


class SyncHeld(UserError):  # noqa: N818 (It is an outcome, not an error of the program.)
    """Nothing was written, except for rights that ended (`ended_rights`). `run_id` is the run that a person may confirm."""

    def __init__(self, sentence: str, *, run_id: int) -> None:
        super().__init__("sync.held", sentence)
        self.run_id = run_id


@dataclass(frozen=True)
class Approval:
    """A person's approval of a held sync: for the export with this `fingerprint`, and for as many changes as its `counts`."""

    fingerprint: str | None
    counts: Mapping[str, Any]

    def covers(self, fingerprint: str | None, changes: dict[str, TableChanges]) -> bool:
        """Return whether it is the approved export, and no more would change or disappear than the person saw.

        The same export can change more than it did on the day of the approval, because a term ended since.
        """
        return (
            fingerprint is not None
            and fingerprint == self.fingerprint
            and all(
                change.count(kind) <= self.counts.get(table, {}).get(kind, 0)
                for table, change in changes.items()
                for kind in ("changed", "inactive")
            )
        )


def hold_sentence(
    connection: Connection,
    changes: dict[str, TableChanges],
    *,
    parts: Sequence[Part],
    percent: float,
    changes_at_risk: str = "",
) -> str | None:
    """Return why this sync is held, or None.

    It is held if more than `percent` (and at least `MIN_ROWS`) of the students, contacts, links, phone numbers or enrollments
    would disappear, because of an empty file, or because of `changes_at_risk`, which says what staff did that would be lost.
    """
    reasons = [f"{part.name} holds no row" for part in parts if is_empty(part) and _would_empty_tables(part, changes)]
    disappearing = _count_disappearing(connection, changes)
    too_many = [
        f"{gone:,} of {before:,} {noun}"
        for noun, (gone, before) in disappearing.items()
        if is_too_many(gone, before, percent)
    ]
    if too_many:
        reasons.append(f"{', '.join(too_many)} would disappear, more than {percent:g}%")
    if changes_at_risk:
        reasons.append(changes_at_risk)
    if not reasons:
        return None
    # The report counts them among the changed contacts, where they would look harmless.
    phones_gone, phones = disappearing["phone numbers of contacts"]
    few_phones = f" Of the changed contacts, {phones_gone:,} would have no phone number anymore."
    sentence = f"Nothing was written: {'; '.join(reasons)}. Check the export. If it is right, confirm the sync."
    return sentence + (few_phones if phones_gone and not is_too_many(phones_gone, phones, percent) else "")


def is_too_many(gone: int, before: int, percent: float) -> bool:
    """Return whether more disappears than a district loses in one night."""
    return gone >= MIN_ROWS and gone * 100 > percent * before


def _count_disappearing(connection: Connection, changes: dict[str, TableChanges]) -> dict[str, tuple[int, int]]:
    """Return {noun: (number that would disappear, number before)}."""
    with connection.begin():
        phones_gone, phones = connection.exec_driver_sql(_PHONES).one()
    enrollments = changes["class_students"], changes["class_teachers"]
    return {
        "students": _inactive_of(changes["students"]),
        "contacts": _inactive_of(changes["contacts"]),
        "links between students and contacts": _inactive_of(changes["student_contacts"]),
        "phone numbers of contacts": (phones_gone, phones),
        "enrollments": (
            sum(change.count("inactive") for change in enrollments),
            sum(change.before for change in enrollments),
        ),
    }


def _inactive_of(change: TableChanges) -> tuple[int, int]:
    return change.count("inactive"), change.before


def is_empty(part: Part) -> bool:
    return part.is_readable and not part.is_delta and not part.rows_read


def _would_empty_tables(part: Part, changes: dict[str, TableChanges]) -> bool:
    """Return whether an empty file takes away everything of its kind; of a contacts overlay, anything; or a first sync has no people."""
    tables = [changes[table] for table in _TABLES_OF_KIND.get(part.kind, ())]
    if part.kind is Kind.CONTACTS:
        return any(change.count("inactive") for change in tables)
    is_first = part.kind in _NEVER_EMPTY and not any(change.before or change.after for change in tables)
    return is_first or any(change.before and change.count("inactive") == change.before for change in tables)


def decide_held_sync(session: Session, run_id: int, decision: SyncDecision, *, actor: Actor, now: datetime) -> SyncRun:
    """Store a person's decision about a held sync.

    Raises:
        UserError: the actor does not see the whole district, the decision was made already, or another sync ran since.
    """
    if actor.level is not AccessLevel.DISTRICT:
        raise UserError(
            "sync.not_allowed",
            "Nothing was changed: only people who see the whole district can decide this. Please ask your data manager.",
        )
    run = session.scalars(select(SyncRun).where(SyncRun.id == run_id).with_for_update()).one()
    if run.decision:
        raise UserError(
            "sync.already_decided", "This was decided already. The message above says who decided, and how."
        )
    if run.state != SyncState.HELD or _newest_run_id(session) != run.id:
        raise UserError("sync.overtaken", "Another sync ran since then, so there is nothing left to decide here.")
    run.decision, run.decided_by, run.decided_at = decision, actor.user_id, now
    audit.record(session, Subject("sync", run.id), actor=actor.user_id, action=f"sync.{decision}", now=now)
    return run


def load_approval(session: Session) -> Approval | None:
    """Return a person's approval of the held sync, or None if no sync waits to run again."""
    run = session.get(SyncRun, _newest_run_id(session) or 0)
    is_waiting = run is not None and run.state == SyncState.HELD and run.decision == SyncDecision.CONFIRMED
    return Approval(run.fingerprint, run.counts) if run is not None and is_waiting else None


def _newest_run_id(session: Session) -> int | None:
    return session.scalar(select(SyncRun.id).order_by(SyncRun.id.desc()).limit(1))
