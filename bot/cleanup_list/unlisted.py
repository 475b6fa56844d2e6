"""Students by name who are not on the list: a parent calls about one of them, too, and whoever answers has to find them."""

from collections.abc import Iterator

from sqlalchemy import ColumnElement, exists, or_, select, true
from sqlalchemy.orm import Session

from bot import access
from bot.access import Actor
from bot.cleanup_list import student_filter
from bot.cleanup_list.known_names import load_known_names
from bot.cleanup_list.query import plan_for_names
from bot.cleanup_list.rows import StudentRow, reachability_query, school_names, student_from_row, teacher_names
from bot.cleanup_list.student_filter import has_words, narrow_students
from bot.db.models.messages import ListEntry
from bot.db.models.roster import Contact, Student
from bot.db.models.views import effective_contacts
from bot.filters.filter import Filter


def find_unlisted_students(session: Session, which: Filter, *, actor: Actor, most: int) -> tuple[StudentRow, ...]:
    """By name, the first of those with the filter's names, or with a contact who has them; a filter without names means nobody.

    Its SMS statuses say nothing here: whoever is not on the list has none.
    """
    if not which.names or not load_known_names(session).may_be(which.names):
        return ()
    plan_for_names(session, which)
    columns = (Student.id.label("student_id"), Student.given_name, Student.family_name, Student.grade)
    named = access.visible_students(actor).where(*_conditions())
    meant = (
        narrow_students(named, which, today=actor.today)
        .with_only_columns(*columns)
        .order_by(Student.family_name, Student.given_name, Student.id)
        .limit(most)
        .cte("meant")
    )
    reach = reachability_query(meant.c.student_id).lateral()
    rows = (
        select(
            *(meant, reach),
            school_names(meant.c.student_id).label("schools"),
            teacher_names(meant.c.student_id, actor.today).label("teachers"),
        )
        .join_from(meant, reach, true())
        .order_by(meant.c.family_name, meant.c.given_name, meant.c.student_id)
    )
    return tuple(student_from_row(row, ()) for row in session.execute(rows))


def _conditions() -> Iterator[ColumnElement[bool]]:
    adult, names = effective_contacts.c, student_filter.NAMES
    named = select(adult.student_id).join(Contact, Contact.id == adult.contact_id)
    yield or_(
        has_words(Student.search, names),
        Student.id.in_(named.where(has_words(Contact.search, names))),
    )
    of_list = select(ListEntry.contact_id)
    yield ~exists().where(adult.student_id == Student.id, adult.contact_id.in_(of_list))
