"""What the page's panel shows of the district: its mass messages, its last sync, and which first steps are done.

A step is ticked by what really happened, in the workspace or the database, and not by a press in the panel.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.db.models.edits import Edit
from bot.db.models.messages import Delivery, MassMessage
from bot.db.models.roster import SyncRun, SyncState
from bot.db.models.slack import DigestPost, PostState
from bot.domain.sms_status import Outcome
from bot.sandbox.slack.deliver import PathKind
from bot.sandbox.slack.workspace import Workspace
from bot.slack.list.rows import OPEN_STUDENT

Json = dict[str, Any]

_WHY_NOT = {
    SyncState.RUNNING: "The sync is under way.",
    SyncState.BRAKED: "The sync stopped before writing: too many would vanish.",
    SyncState.FAILED: "The sync failed; the terminal says why.",
}


@dataclass(frozen=True)
class Opening:
    """How things stood when the page opened: what the story at the start did is not the newcomer's doing."""

    answers: int = 0
    messages: frozenset[str] = frozenset()


def opening(session: Session, slack: Workspace) -> Opening:
    return Opening(len(slack.answers), frozenset(session.scalars(select(MassMessage.id))))


def messages(session: Session) -> list[Json]:
    """The mass messages, the newest first, with how many texts arrived, did not, or are on their way."""
    delivered, pending = (func.count().filter(Delivery.outcome == one) for one in (Outcome.DELIVERED, Outcome.PENDING))
    listed = (
        select(MassMessage, func.count(Delivery.id), delivered, pending)
        .join(Delivery, isouter=True)
        .group_by(MassMessage.id)
        .order_by(MassMessage.sent_at.desc())
    )
    return [
        {
            "id": one.id,
            "title": one.title,
            "sent_at": one.sent_at.isoformat(),
            "settled": one.settled_at is not None,
            "delivered": arrived,
            "failed": total - arrived - waiting,
            "pending": waiting,
        }
        for one, total, arrived, waiting in session.execute(listed)
    ]


def last_sync(session: Session) -> Json | None:
    run = session.scalar(select(SyncRun).order_by(SyncRun.id.desc()).limit(1))
    if run is None:
        return None
    is_done = run.state == SyncState.DONE
    said = _done(session, run) if is_done else _WHY_NOT[SyncState(run.state)]
    return {"at": (run.finished_at or run.started_at).isoformat(), "ok": is_done, "text": said}


def _done(session: Session, run: SyncRun) -> str:
    counted = {
        word: sum(table[word] for table in run.counts.values()) for word in ("added", "changed", "inactive", "rejected")
    }
    rejected = counted.pop("rejected")
    moved = ", ".join(f"{count:,} {word}" for word, count in counted.items() if count)
    rows = f"Rows of the SIS: {moved}." if moved else "Nothing new in the SIS."
    unread = f"{rejected:,} could not be read. " if rejected else ""
    states = session.execute(select(Edit.state, func.count()).group_by(Edit.state)).all()
    said = {"absorbed": "absorbed by the SIS", "pending": "not yet in the SIS", "conflict": "in conflict with the SIS"}
    edits = [f"{count} {said[state]}" for state, count in states if state in said]
    return f"{rows} {unread}" + (f"Edits: {', '.join(edits)}." if edits else "No edits yet.")


def steps(session: Session, slack: Workspace, since: Opening) -> dict[str, bool]:
    """Whether somebody asked for a list with students on it, changed a contact, and got the digest of a message."""
    digested = select(DigestPost.id).where(
        DigestPost.state == PostState.POSTED, DigestPost.mass_message_id.not_in(since.messages)
    )
    return {
        "listed": any(
            one.kind == PathKind.COMMAND and OPEN_STUDENT in one.body for one in slack.answers[since.answers :]
        ),
        "fixed": session.scalar(select(Edit.id).limit(1)) is not None,
        "sent": session.scalar(digested.limit(1)) is not None,
    }
