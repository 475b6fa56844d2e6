"""Students by name who are not on the list: a parent calls about one of them, too, and whoever answers has to find them."""

from collections.abc import Iterator

from sqlalchemy import ColumnElement, exists, or_, select, true
from sqlalchemy.orm import Session

from bot import access, selection
from bot.access import Actor
from bot.cleanup_list.known_names import known_names
from bot.cleanup_list.matching import plan_for_names
from bot.cleanup_list.rows import StudentRow, reach_of, schools_of, student_row, teachers_of
from bot.filters import Filter
from bot.models import Contact, ListEntry, Student, effective_contacts


def unlisted(session: Session, which: Filter, *, actor: Actor, most: int) -> tuple[StudentRow, ...]:
    """By name, the first of those with the filter's names, or with a contact who has them; a filter without names means nobody.

    Its SMS statuses say nothing here: whoever is not on the list has none.
    """
    if not which.names or not known_names(session).may_be(which.names):
        return ()
    plan_for_names(session, which)
    columns = (Student.id.label("student_id"), Student.given_name, Student.family_name, Student.grade)
    named = access.students_for(actor).where(*_conditions())
    meant = (
        selection.narrowed(named, which, today=actor.today)
        .with_only_columns(*columns)
        .order_by(Student.family_name, Student.given_name, Student.id)
        .limit(most)
        .cte("meant")
    )
    reach = reach_of(meant.c.student_id).lateral()
    rows = (
        select(
            *(meant, reach),
            schools_of(meant.c.student_id).label("schools"),
            teachers_of(meant.c.student_id, actor.today).label("teachers"),
        )
        .join_from(meant, reach, true())
        .order_by(meant.c.family_name, meant.c.given_name, meant.c.student_id)
    )
    return tuple(student_row(row, ()) for row in session.execute(rows))


def _conditions() -> Iterator[ColumnElement[bool]]:
    adult, names = effective_contacts.c, selection.NAMES
    named = select(adult.student_id).join(Contact, Contact.id == adult.contact_id)
    yield or_(
        selection.has_words(Student.search, names),
        Student.id.in_(named.where(selection.has_words(Contact.search, names))),
    )
    of_list = select(ListEntry.contact_id)
    yield ~exists().where(adult.student_id == Student.id, adult.contact_id.in_(of_list))
