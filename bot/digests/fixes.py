"""Fixes that worked: contacts that somebody edited and that the next mass message then reached. For the fixer alone."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot import access
from bot.access import Actor
from bot.db.models.messages import ListChange, ListMove
from bot.db.models.roster import Student
from bot.db.models.views import effective_contacts


@dataclass(frozen=True)
class Fix:
    """A contact and those of its students whom the fixer may see."""

    contact: str
    students: tuple[str, ...]


def load_worked_fixes(session: Session, message_id: str, *, actor: Actor) -> list[Fix]:
    """Whom this person's edits let the message reach, by name; only what they may see now."""
    links = effective_contacts.c
    student = func.concat_ws(" ", Student.given_name, Student.family_name)
    contact = func.concat_ws(" ", links.given_name, links.family_name)
    rows = (
        select(contact.label("contact"), func.array_agg(student.distinct()).label("students"))
        .join_from(ListChange, effective_contacts, links.contact_id == ListChange.contact_id)
        .join(Student, Student.id == links.student_id)
        .where(ListChange.mass_message_id == message_id, ListChange.move == ListMove.LEFT)
        .where(ListChange.fixed_by == actor.user_id, Student.id.in_(access.visible_students(actor)))
        .group_by(links.contact_id, contact)
        .order_by(contact, links.contact_id)
    )
    return [Fix(row.contact, tuple(row.students)) for row in session.execute(rows)]
