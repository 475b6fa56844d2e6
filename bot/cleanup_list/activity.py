"""The changes that mass messages made to one person's list since a moment: contacts that joined, left, and left thanks to that person."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.access import rights
from bot.access.rights import AccessLevel, Actor
from bot.db.models.messages import ListChange, ListMove, MassMessage
from bot.db.models.roster import StudentContact


@dataclass(frozen=True)
class Activity:
    """Numbers of contacts. `fixed` are those among `left` who got a text after this person's edit."""

    joined: int
    left: int
    fixed: int


def load_activity(session: Session, *, since: datetime, actor: Actor) -> Activity:
    """Count the contacts of this person's students, or of the whole list; one that joined and left again counts as both."""
    joined, left = ListChange.move == ListMove.JOINED, ListChange.move == ListMove.LEFT
    contacts = func.count(ListChange.contact_id.distinct())
    moves = (
        select(
            contacts.filter(joined), contacts.filter(left), contacts.filter(left, ListChange.fixed_by == actor.user_id)
        )
        .join(MassMessage, MassMessage.id == ListChange.mass_message_id)
        .where(MassMessage.settled_at > since)
    )
    if actor.level is not AccessLevel.DISTRICT:
        own = select(StudentContact.contact_id).where(
            StudentContact.student_id.in_(rights.visible_students(actor)), StudentContact.active
        )
        moves = moves.where(ListChange.contact_id.in_(own))
    return Activity(*session.execute(moves).one())
