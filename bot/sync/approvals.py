"""A person decides about a sync that the brake stopped. A yes counts for what that person saw, and for nothing more."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import audit
from bot.access import Actor, Reach
from bot.audit import Subject
from bot.db.models.roster import SyncDecision, SyncRun, SyncState
from bot.errors import UserError


def decide_held_sync(session: Session, run_id: int, decision: SyncDecision, *, actor: Actor, now: datetime) -> SyncRun:
    """Go on with a braked sync, or leave it at that until the next night.

    Raises:
        UserError: this person does not run the district's syncs, somebody decided already, or another sync ran since.
    """
    if actor.reach is not Reach.DISTRICT:
        raise UserError(
            "sync.not_theirs", "This is for those who see the whole district. Please ask your district's data manager."
        )
    run = session.scalars(select(SyncRun).where(SyncRun.id == run_id).with_for_update()).one()
    if run.decision:
        raise UserError("sync.decided", "Somebody has decided this already. The message above says who, and how.")
    if run.state != SyncState.BRAKED or _newest(session) != run.id:
        raise UserError("sync.overtaken", "Another sync ran since, so there is nothing to decide here any more.")
    run.decision, run.decided_by, run.decided_at = decision, actor.user_id, now
    audit.record(session, Subject("sync", run.id), actor=actor.user_id, action=f"sync.{decision}", now=now)
    return run


def approved_counts(session: Session) -> Mapping[str, Any] | None:
    """The counts that a person saw and confirmed, while no other sync ran since; None where nothing waits."""
    run = session.get(SyncRun, _newest(session) or 0)
    waits = run is not None and run.state == SyncState.BRAKED and run.decision == SyncDecision.CONFIRMED
    return run.counts if run is not None and waits else None


def _newest(session: Session) -> int | None:
    return session.scalar(select(SyncRun.id).order_by(SyncRun.id.desc()).limit(1))
