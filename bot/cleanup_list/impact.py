"""Whom else a change of a contact touches.

Names only of students and contacts the asking person may see; of the others, how many there are.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from bot import access
from bot.access import Actor
from bot.cleanup_list.cards import Sibling
from bot.db.models.roster import Student
from bot.db.models.views import contact_reach, contacts_with_phone, effective_contacts

_NAMED = 3
"""How many of those with the same number are named."""


@dataclass(frozen=True)
class Impact:
    """Whom a change of a contact touches: its other students, and other contacts with the same number.

    `sharing` names a few whom one may see, and `more_sharing` counts the rest: an office's line stands with thousands.
    """

    siblings: tuple[Sibling, ...]
    more_siblings: int
    sharing: tuple[str, ...]
    more_sharing: int


def load_impact(session: Session, contact_id: int, *, actor: Actor, student_id: int | None = None) -> Impact:
    """Whom else a change touches; `student_id` is the student at hand, no sibling of their own.

    Raises:
        UserError: this person may not see the contact.
    """
    access.require_contact(session, contact_id, actor=actor)
    siblings = session.execute(_siblings(contact_id).where(Student.id != (student_id or 0))).all()
    students = {row.student_id for row in siblings}
    seen = set(session.scalars(access.visible_students(actor).where(Student.id.in_(students))))
    shown = [
        Sibling(row.student_id, f"{row.given_name} {row.family_name}") for row in siblings if row.student_id in seen
    ]
    of_number = _sharing(session, contact_id)
    named = session.execute(_named(of_number, actor)).all()
    sharing = session.scalar(select(func.count()).select_from(of_number.distinct().subquery()))
    return Impact(
        siblings=tuple(shown),
        more_siblings=len(siblings) - len(shown),
        sharing=tuple(f"{row.given_name} {row.family_name}" for row in named),
        more_sharing=(sharing or 0) - len(named),
    )


def _siblings(contact_id: int) -> Select[*tuple[Any, ...]]:
    of_contact = effective_contacts.c
    return (
        select(Student.id.label("student_id"), Student.given_name, Student.family_name)
        .join(effective_contacts, of_contact.student_id == Student.id)
        .where(of_contact.contact_id == contact_id)
        .order_by(Student.family_name, Student.given_name, Student.id)
    )


def _sharing(session: Session, contact_id: int) -> Select[int]:
    """The ids of the other contacts with the same number, once for each student of theirs. The number, and who has it,
    are found first: the planner takes all at once for a question about the whole district.
    """
    phone = session.scalar(select(contact_reach.c.phone).where(contact_reach.c.contact_id == contact_id))
    other = effective_contacts.c.contact_id
    same = contacts_with_phone(phone or "").cte("same").prefix_with("MATERIALIZED")
    return select(other).join(same, same.c.contact_id == other).where(other != contact_id)


def _named(sharing: Select[int], actor: Actor) -> Select[*tuple[Any, ...]]:
    """The first few of them who are contacts of a student this person may see."""
    other = effective_contacts.c
    by_name = (other.family_name, other.given_name, other.contact_id)
    seen = sharing.where(other.student_id.in_(access.visible_students(actor)))
    return seen.with_only_columns(*by_name).distinct().order_by(*by_name).limit(_NAMED)
