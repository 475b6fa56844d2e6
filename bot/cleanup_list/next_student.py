"""The next student to work on: the first of a list who has a contact that is not fixed and that no one takes care of.

A contact stands under the first of its students only, as in the list. What the reader claimed counts, unless they logged a call:
such a contact waits for the family until the claim ends.

Students are read in their order, a few at a time: conditions on their contacts would be checked for the whole list before it is
sorted.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Integer, Select, Text, any_, bindparam, func, or_, select, tuple_
from sqlalchemy.orm import Session

from bot.access.rights import AccessLevel, Actor
from bot.cleanup_list.page import load_page, ranking
from bot.cleanup_list.query import StudentRow, matching_students, query_params
from bot.db.models.listed_students import ALL_FIXED
from bot.db.models.messages import ListEntry
from bot.db.models.roster import StudentContact
from bot.db.session import fetch_rows, plan_for_names
from bot.filters.filter import MOST_IDS, Criteria, Filter

_AFTER, _SIZE = bindparam("after", type_=BigInteger), bindparam("size", type_=Integer)
_READER = bindparam("reader", type_=Text)
# Mostly the first student is the one. Where colleagues took all of these, many more are read at once.
_FIRST_SIZE, _GROWTH = 20, 25


def find_next(
    session: Session, which: Filter, *, actor: Actor, after: int | None, without: Collection[int] = ()
) -> int | None:
    """Return the id of the next student in the order of the list, None at its end.

    `after` is the student after which the list goes on. It begins anew if that student is not on it anymore. The students in
    `without` are left out.
    """
    if which.names or which.student_ids:
        plan_for_names(session)
    params, size = query_params(which, actor), _FIRST_SIZE
    while True:
        following = _following_query(which.criteria, actor.level, has_start=after is not None)
        rows = fetch_rows(session, following, params | {"after": after, "size": size})
        for row in rows:
            is_open = row.open_ids and row.student_id not in without
            if is_open and _stands_first(session, which, row.student_id, row.open_ids, actor):
                return int(row.student_id)
        if len(rows) == size:
            size, after = size * _GROWTH, rows[-1].student_id
        elif (
            rows
            or after is None
            or fetch_rows(session, _place_query(which.criteria, actor.level), params | {"after": after})
        ):
            return None
        else:
            after = None


def load_card(session: Session, which: Filter, student_id: int, *, actor: Actor) -> StudentRow | None:
    """Return a student with the contacts on the list, None if it has none; contacts know whether they stand under a sibling."""
    of_student = select(StudentContact.contact_id).where(StudentContact.student_id == student_id)
    siblings = set(session.scalars(select(StudentContact.student_id).where(StudentContact.contact_id.in_(of_student))))
    if which.student_ids:
        siblings.intersection_update(which.student_ids)
    ids = (student_id, *sorted(siblings - {student_id})[: MOST_IDS - 1])
    family = load_page(session, replace(which, student_ids=ids, page=1), actor=actor, page_size=MOST_IDS)
    return next((student for student in family.students if student.student_id == student_id), None)


@cache
def _following_query(criteria: Criteria, level: AccessLevel, *, has_start: bool) -> Select[*tuple[Any, ...]]:
    """Select students in the order of the list, with the contacts that are to be fixed and free."""
    students = matching_students(criteria, level)
    following = select(students).order_by(*ranking(students)).limit(_SIZE)
    if has_start:
        place = _place(students.alias("last")).scalar_subquery()
        following = following.where(tuple_(*ranking(students)) > place)
    shown = following.cte("shown")
    free = (
        select(ListEntry.contact_id)
        .where(ListEntry.contact_id == any_(shown.c.contact_ids), ListEntry.updated_at.is_(None), is_free())
        .correlate(shown)
    )
    return select(shown.c.student_id, func.array(free.scalar_subquery()).label("open_ids")).order_by(*ranking(shown))


@cache
def _place_query(criteria: Criteria, level: AccessLevel) -> Select[*tuple[Any, ...]]:
    return _place(matching_students(criteria, level))


def _place(students: Any) -> Select[*tuple[Any, ...]]:
    """Select the place of the student `after` in the order of the list. One whose contacts were all fixed has moved to its end."""
    return select(*ranking(students)).where(students.c.student_id == _AFTER, students.c.worst != ALL_FIXED)


def is_free() -> ColumnElement[bool]:
    """Return the condition that an entry is for the reader (parameter `reader`) to work on."""
    is_own = (ListEntry.claimed_by == _READER) & ListEntry.called_by.is_distinct_from(_READER)
    return or_(ListEntry.claimed_by.is_(None), is_own)


def _stands_first(session: Session, which: Filter, student_id: int, contact_ids: Sequence[int], actor: Actor) -> bool:
    """Return whether one of the contacts stands under this student, and not under a sibling further up."""
    others = select(StudentContact.student_id).where(
        StudentContact.contact_id.in_(contact_ids), StudentContact.student_id != student_id
    )
    siblings = set(session.scalars(others))
    if which.student_ids:
        siblings.intersection_update(which.student_ids)
    if not siblings:
        return True
    page = load_page(session, replace(which, student_ids=(student_id, *siblings), page=1), actor=actor)
    listed = (contact for student in page.students if student.student_id == student_id for contact in student.listed)
    return any(contact.contact_id in contact_ids and not contact.stands_above for contact in listed)
