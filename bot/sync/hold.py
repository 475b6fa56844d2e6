"""The hold: a sync stops before it writes if it would change what no school day changes (`hold_checks`), and waits for a person.

A file without a row holds even the smallest district if everything that we have of its kind would go, and so does a first sync
that would bring no people.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.orm import Session

from bot.access.rights import AccessLevel, Actor
from bot.db import audit
from bot.db.audit import Subject
from bot.db.models.roster import SyncDecision, SyncRun, SyncState
from bot.errors import UserError
from bot.sis.rows import Kind, Part
from bot.sync import hold_checks
from bot.sync.diff_merge import TableChanges
from bot.sync.hold_checks import Reason

_TABLES_OF_KIND = {
    Kind.ORGS: ("schools",),
    Kind.CLASSES: ("classes",),
    Kind.USERS: ("students", "contacts", "staff"),
    Kind.ROLES: ("students", "contacts", "staff"),
    Kind.ENROLLMENTS: ("class_students", "class_teachers"),
    Kind.CONTACTS: ("contacts",),
}
_NEVER_EMPTY = (Kind.ORGS, Kind.USERS, Kind.ROLES)


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


def find_reasons(
    connection: Connection,
    changes: dict[str, TableChanges],
    *,
    parts: Sequence[Part],
    percent: float,
    today: date,
    changes_at_risk: str = "",
) -> list[Reason]:
    """Return why this sync is held, or nothing. `percent` is the share of rows that may disappear or change; `changes_at_risk` says
    what staff did that would be lost.
    """
    empty = [part for part in parts if is_empty(part) and _would_empty_tables(part, changes)]
    at_risk = [Reason(changes_at_risk, "whether these contacts came back under other ids")] if changes_at_risk else []
    return [
        *(Reason(f"{part.name} holds no row", "whether the export was complete") for part in empty),
        *hold_checks.find_reasons(connection, changes, percent=percent, today=today),
        *at_risk,
    ]


def hold_sentence(reasons: Sequence[Reason]) -> str:
    clauses = "; ".join(reason.clause for reason in reasons)
    return f"Nothing was changed: {clauses}. Check the export first."


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


def undecided_run(session: Session) -> SyncRun | None:
    """Return the held sync that waits for a person's decision."""
    run = session.get(SyncRun, _newest_run_id(session) or 0)
    return run if run is not None and run.state == SyncState.HELD and run.decision is None else None


def _newest_run_id(session: Session) -> int | None:
    return session.scalar(select(SyncRun.id).order_by(SyncRun.id.desc()).limit(1))
