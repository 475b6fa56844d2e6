"""The next student to work on: the first of a list who has a contact that is not fixed and that no one takes care of.

A contact stands under the first of its students only, as in the list. What the reader claimed counts, unless they logged a call:
such a contact waits for the family until the claim ends.
"""

from functools import cache

from sqlalchemy import BigInteger, ColumnElement, Select, Text, any_, bindparam, exists, or_, select, tuple_
from sqlalchemy.orm import Session

from bot.access import AccessLevel, Actor
from bot.cleanup_list.page import ranking
from bot.cleanup_list.query import matching_students, plan_for_names, query_params, unnest_entries
from bot.db.models.listed_students import ALL_FIXED
from bot.db.models.messages import ListEntry
from bot.db.models.roster import StudentContact
from bot.db.session import fetch_rows
from bot.filters.filter import Criteria, Filter

_AFTER = bindparam("after", type_=BigInteger)
_READER = bindparam("reader", type_=Text)


def find_next(session: Session, which: Filter, *, actor: Actor, after: int | None) -> int | None:
    """Return the id of the next student in the order of the list, None at its end.

    `after` is the student from whom the list goes on. It begins anew where that student is not on it anymore.
    """
    if which.names or which.student_ids:
        plan_for_names(session)
    params = query_params(which, actor) | {"after": after}
    rows = fetch_rows(session, _next_query(which.criteria, actor.level, has_start=after is not None), params)
    return rows[0].student_id if rows else None


@cache
def _next_query(criteria: Criteria, level: AccessLevel, *, has_start: bool) -> Select[int]:
    students = matching_students(criteria, level)
    entry, earlier = unnest_entries(students), students.alias("earlier")
    stands_above = (
        exists()
        .where(StudentContact.contact_id == entry.c.contact_id, StudentContact.student_id == earlier.c.student_id)
        .where(tuple_(*ranking(earlier)) < tuple_(*ranking(students)))
        .where(entry.c.contact_id == any_(earlier.c.contact_ids))
        .correlate(students, entry)
    )
    is_open = (
        exists()
        .select_from(entry)
        .where(ListEntry.contact_id == entry.c.contact_id, ~entry.c.waiting, _is_free(), ~stands_above)
        .correlate(students)
    )
    following = select(students.c.student_id).where(is_open).order_by(*ranking(students)).limit(1)
    if not has_start:
        return following
    last = students.alias("last")
    place = select(*ranking(last)).where(last.c.student_id == _AFTER, last.c.worst != ALL_FIXED)
    is_after = tuple_(*ranking(students)) > place.scalar_subquery()
    return following.where(or_(is_after, ~exists(place)))


def _is_free() -> ColumnElement[bool]:
    is_own = (ListEntry.claimed_by == _READER) & ListEntry.called_by.is_distinct_from(_READER)
    return or_(ListEntry.claimed_by.is_(None), is_own)
