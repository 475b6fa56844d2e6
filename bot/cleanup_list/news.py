"""What mass messages did to one person's list since a moment: who joined it, who left it, and whom that person's edits brought back."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot import access
from bot.access import Actor
from bot.models import ListChange, ListMove, MassMessage, StudentContact


@dataclass(frozen=True)
class News:
    """Counts of contacts; `fixed` are those of `left` who could be texted after this person's own edit."""

    joined: int
    left: int
    fixed: int


def news(session: Session, *, since: datetime, actor: Actor) -> News:
    """Of the contacts of this person's students; one who joined and left again counts as both."""
    own = select(StudentContact.contact_id).where(
        StudentContact.student_id.in_(access.students_for(actor)), StudentContact.active
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
    return News(row.joined, row.left, row.fixed)
