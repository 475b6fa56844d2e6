"""The changes that mass messages made to one person's list since a moment: contacts that joined, left, and left thanks to that person."""

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
    """Numbers of contacts. `fixed` are those among `left` who got a text after this person's edit."""

    joined: int
    left: int
    fixed: int


def load_activity(session: Session, *, since: datetime, actor: Actor) -> Activity:
    """Count the contacts of this person's students; one that joined and left again counts as both."""
    own = select(StudentContact.contact_id).where(
        StudentContact.student_id.in_(access.visible_students(actor)), StudentContact.active
    )
    contacts, left = func.count(ListChange.contact_id.distinct()), ListChange.move == ListMove.LEFT
    counts = (
        select(
            contacts.filter(ListChange.move == ListMove.JOINED).label("joined"),
            contacts.filter(left).label("left"),
            contacts.filter(left, ListChange.fixed_by == actor.user_id).label("fixed"),
        )
        .join(MassMessage, MassMessage.id == ListChange.mass_message_id)
        .where(MassMessage.settled_at > since, ListChange.contact_id.in_(own))
    )
    row = session.execute(counts).one()
    return Activity(row.joined, row.left, row.fixed)
