"""What mass messages did to one person's list since a moment: who joined it, who left it, and whom that person's edits brought back."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot import access
from bot.access import Actor
from bot.db.models.messages import ListChange, ListMove, MassMessage
from bot.db.models.roster import StudentContact


@dataclass(frozen=True)
class Activity:
    """Counts of contacts; `fixed` are those of `left` who could be texted after this person's own edit."""

    joined: int
    left: int
    fixed: int


def load_activity(session: Session, *, since: datetime, actor: Actor) -> Activity:
    """Of the contacts of this person's students; one who joined and left again counts as both."""
    own = select(StudentContact.contact_id).where(
        StudentContact.student_id.in_(access.visible_students(actor)), StudentContact.active
    )
    change = ListChange
    moved = func.count(change.contact_id.distinct())
    row = session.execute(
        select(
            moved.filter(change.move == ListMove.JOINED).label("joined"),
            moved.filter(change.move == ListMove.LEFT).label("left"),
            moved.filter(change.move == ListMove.LEFT, change.fixed_by == actor.user_id).label("fixed"),
        )
        .join(MassMessage, MassMessage.id == change.mass_message_id)
        .where(MassMessage.settled_at > since, change.contact_id.in_(own))
    ).one()
    return Activity(row.joined, row.left, row.fixed)
