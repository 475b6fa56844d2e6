"""Others that a change to a contact affects: its other students, and other contacts with the same number.

Names only of students and contacts the person may see; of the others, how many there are.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from bot.access import rights
from bot.access.rights import Actor
from bot.cleanup_list.student import Sibling
from bot.db.models.roster import Student
from bot.db.models.views import contact_reach, contacts_with_phone, effective_contacts
from bot.domain import display

_MAX_NAMED = 3


@dataclass(frozen=True)
class Impact:
    """The other students of a contact, and a few other contacts with the same number (an office line can have thousands).

    `more_siblings` and `more_sharing` count those without a name here.
    """

    siblings: tuple[Sibling, ...]
    more_siblings: int
    sharing: tuple[str, ...]
    more_sharing: int


def load_impact(session: Session, contact_id: int, *, actor: Actor, student_id: int | None = None) -> Impact:
    """Return what else a change affects; `student_id` is the student at hand, who is left out.

    Raises:
        UserError: this person may not see the contact.
    """
    rights.require_contact(session, contact_id, actor=actor)
    siblings = session.execute(_siblings(contact_id).where(Student.id != (student_id or 0))).all()
    ids = {row.student_id for row in siblings}
    visible = set(session.scalars(rights.visible_students(actor).where(Student.id.in_(ids))))
    shown = tuple(
        Sibling(row.student_id, display.full_name(row.given_name, row.family_name))
        for row in siblings
        if row.student_id in visible
    )
    sharing = _sharing(session, contact_id)
    named = session.execute(_visible_names(sharing, actor)).all()
    total = session.scalar(select(func.count()).select_from(sharing.distinct().subquery())) or 0
    return Impact(
        siblings=shown,
        more_siblings=len(siblings) - len(shown),
        sharing=tuple(display.full_name(row.given_name, row.family_name) for row in named),
        more_sharing=total - len(named),
    )


def _siblings(contact_id: int) -> Select[*tuple[Any, ...]]:
    link = effective_contacts.c
    return (
        select(Student.id.label("student_id"), Student.given_name, Student.family_name)
        .join(effective_contacts, link.student_id == Student.id)
        .where(link.contact_id == contact_id)
        .order_by(Student.family_name, Student.given_name, Student.id)
    )


def _sharing(session: Session, contact_id: int) -> Select[int]:
    """Return a query of the ids of other contacts with the same number, once per student of theirs.

    The number and its contacts are looked up first: the planner mistakes all in one for a question about the whole district.
    """
    phone = session.scalar(select(contact_reach.c.phone).where(contact_reach.c.contact_id == contact_id))
    other = effective_contacts.c.contact_id
    same = contacts_with_phone(phone or "").cte("same").prefix_with("MATERIALIZED")
    return select(other).join(same, same.c.contact_id == other).where(other != contact_id)


def _visible_names(sharing: Select[int], actor: Actor) -> Select[*tuple[Any, ...]]:
    other = effective_contacts.c
    by_name = (other.family_name, other.given_name, other.contact_id)
    visible = sharing.where(other.student_id.in_(rights.visible_students(actor)))
    return visible.with_only_columns(*by_name).distinct().order_by(*by_name).limit(_MAX_NAMED)
