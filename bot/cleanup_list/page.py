"""A page of the cleanup list: one statement, whatever its size. It ranks the students, and reads the contacts of those shown.

For a school that takes a fifth to a third less than two statements. Of the whole district, and of a name, PostgreSQL keeps no
plan, and planning so large a statement takes 1 ms more than two small ones.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Integer,
    ScalarSelect,
    Select,
    Text,
    any_,
    bindparam,
    case,
    cast,
    func,
    select,
    true,
)
from sqlalchemy.orm import Session

from bot.access import BOUND_PARAMS, Actor, Reach
from bot.cleanup_list.query import matching_students, plan_for_names, query_params, unnest_entries
from bot.cleanup_list.rows import (
    StudentRow,
    contact_from_row,
    listed_contacts_query,
    school_names,
    student_from_row,
    teacher_names,
)
from bot.db.fast_rows import fetch_rows
from bot.db.models.views import effective_contacts
from bot.domain.sms_status import SmsStatus
from bot.filters.filter import Criteria, Filter, page_count


@dataclass(frozen=True)
class Page:
    """Students of one page; totals and counts are of the whole filter, each contact counted once. `alone` are the students
    of whom no adult can be texted; `total_entries` counts each contact once for each of its students.

    `filter.page` is the page shown: the last one when the list has become shorter than what was asked for.
    """

    filter: Filter
    total_students: int
    total_contacts: int
    total_entries: int
    pages: int
    alone: int
    counts_by_status: dict[SmsStatus, int]
    students: tuple[StudentRow, ...]


def load_page(session: Session, which: Filter, *, actor: Actor, page_size: int) -> Page:
    """The page `which.page` of what this person may see, worst first."""
    plan_for_names(session, which)
    shown = {"page": which.page, "page_size": page_size}
    rows = fetch_rows(session, _ranked_page(which.criteria, actor.reach), query_params(which, actor.sight) | shown)
    if not rows:
        return Page(which.with_page(1), 0, 0, 0, 1, 0, {}, ())
    first = rows[0]
    counts = {SmsStatus(status): number for status, number in json.loads(first.counts).items()}
    total, pages = first.total, page_count(first.total, page_size)
    return Page(
        filter=which.with_page(min(which.page, pages)),
        total_students=total,
        total_contacts=sum(counts.values()),
        total_entries=first.entries,
        pages=pages,
        alone=first.alone,
        counts_by_status=counts,
        students=tuple(_students(rows)),
    )


@cache
def _ranked_page(criteria: Criteria, reach: Reach) -> Select[*tuple[Any, ...]]:
    page, page_size = bindparam("page", type_=Integer), bindparam("page_size", type_=Integer)
    students = matching_students(criteria, reach)
    totals = select(
        func.count().label("total"),
        func.sum(func.cardinality(students.c.contact_ids)).label("entries"),
        func.count().filter(students.c.textable == 0).label("alone"),
    ).cte("totals")
    total = select(totals.c.total).scalar_subquery()
    first = func.least(page - 1, (total - 1) // page_size) * page_size
    worst_first = (
        *(_need(students), students.c.worst, students.c.grade_order),
        *(students.c.family_name, students.c.given_name, students.c.student_id),
    )
    place = func.row_number().over(order_by=worst_first).label("place")
    shown = select(students, place).order_by(place).limit(page_size).offset(func.greatest(first, 0)).cte("shown")
    ids = effective_contacts.c.contact_id
    contact = listed_contacts_query(shown.c.student_id).where(ids == any_(shown.c.contact_ids)).lateral("contact")
    statement = select(
        *(shown.c.place, shown.c.student_id, shown.c.given_name, shown.c.family_name, shown.c.grade),
        *(shown.c.textable, shown.c.other_ways),
        contact,
        school_names(shown.c.student_id).label("schools"),
        teacher_names(shown.c.student_id, BOUND_PARAMS.today).label("teachers"),
        totals,
        _counts(students).label("counts"),
    )
    return statement.join_from(shown, contact, true()).join(totals, true()).order_by(shown.c.place, contact.c.turn)


def _need(students: CTE) -> ColumnElement[int]:
    return case((students.c.textable > 0, 2), (students.c.other_ways, 1), else_=0)


def _counts(students: CTE) -> ScalarSelect[Any]:
    entry = unnest_entries(students)
    by_status = (
        select(entry.c.status, func.count(entry.c.contact_id.distinct()).label("number"))
        .join_from(students, entry, true())
        .group_by(entry.c.status)
        .subquery()
    )
    counts = func.jsonb_object_agg(by_status.c.status, by_status.c.number)
    return select(cast(counts, Text)).scalar_subquery()  # Each row has it, and one of them is read.


def _students(rows: Sequence[Any]) -> Iterator[StudentRow]:
    """From a row for each student and contact, in the order to show them in."""
    for _, contacts in groupby(rows, key=attrgetter("place")):
        of_student = list(contacts)
        yield student_from_row(of_student[0], map(contact_from_row, of_student))
