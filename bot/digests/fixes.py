"""Fixes that worked: contacts that a mass message was delivered to after an edit. Shown to the person who made the edit only."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.access import rights
from bot.access.rights import Actor
from bot.db.models.folding import full_name
from bot.db.models.messages import ListChange, ListMove
from bot.db.models.roster import Student
from bot.db.models.views import effective_contacts


@dataclass(frozen=True)
class Fix:
    """A contact's name, and the names of their students that the reader may see."""

    contact: str
    students: tuple[str, ...]


def load_worked_fixes(session: Session, message_id: str, *, actor: Actor) -> list[Fix]:
    """Return the contacts that the message was delivered to thanks to the actor's edits, if the actor may see them now."""
    links = effective_contacts.c
    student = full_name(Student.given_name, Student.family_name)
    contact = full_name(links.given_name, links.family_name)
    rows = (
        select(contact.label("contact"), func.array_agg(student.distinct()).label("students"))
        .join_from(ListChange, effective_contacts, links.contact_id == ListChange.contact_id)
        .join(Student, Student.id == links.student_id)
        .where(ListChange.mass_message_id == message_id, ListChange.move == ListMove.LEFT)
        .where(ListChange.fixed_by == actor.user_id, Student.id.in_(rights.visible_students(actor)))
        .group_by(links.contact_id, contact)
        .order_by(contact, links.contact_id)
    )
    return [Fix(row.contact, tuple(row.students)) for row in session.execute(rows)]
