"""A page of the cleanup list: two statements, whatever its size. The first ranks students, the second reads contacts."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Integer,
    Row,
    ScalarSelect,
    Select,
    bindparam,
    case,
    func,
    select,
)
from sqlalchemy.orm import Session

from bot.access import ANYBODY, Actor, Reach
from bot.cleanup_list.matching import found, plan_for_names, values
from bot.cleanup_list.rows import (
    ListedContact,
    StudentRow,
    listed_contact,
    listed_contacts,
    schools_of,
    severity,
    student_row,
    teachers_of,
)
from bot.filters import Criteria, Filter
from bot.sms_status import SmsStatus


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


def page(session: Session, which: Filter, *, actor: Actor, page_size: int) -> Page:
    """The page `which.page` of what this person may see, worst first."""
    plan_for_names(session, which)
    shown = {"page": which.page, "page_size": page_size}
    ranked = session.execute(_ranked_page(which.criteria, actor.reach), values(which, actor.sight) | shown).all()
    if not ranked:
        return Page(which.with_page(1), 0, 0, 0, 1, 0, {}, ())
    counts = {SmsStatus(status): number for status, number in ranked[0].counts.items()}
    total, pages = ranked[0].total, -(-ranked[0].total // page_size)
    return Page(
        filter=which.with_page(min(which.page, pages)),
        total_students=total,
        total_contacts=sum(counts.values()),
        total_entries=ranked[0].entries,
        pages=pages,
        alone=ranked[0].alone,
        counts_by_status=counts,
        students=_with_contacts(session, ranked),
    )


@cache
def _ranked_page(criteria: Criteria, reach: Reach) -> Select[*tuple[Any, ...]]:
    page, page_size = bindparam("page", type_=Integer), bindparam("page_size", type_=Integer)
    listed = found(criteria, reach)
    ranked = _ranked(listed)
    total = select(func.count()).select_from(ranked).scalar_subquery()
    entries = select(func.sum(func.cardinality(ranked.c.contact_ids))).scalar_subquery()
    alone = select(func.count()).where(ranked.c.textable == 0).scalar_subquery()
    first = func.least(page - 1, (total - 1) / page_size) * page_size
    worst_first = (
        *(_need(ranked), ranked.c.worst, ranked.c.grade_order),
        *(ranked.c.family_name, ranked.c.given_name, ranked.c.student_id),
    )
    place = func.row_number().over(order_by=worst_first).label("place")
    shown = select(ranked, place).order_by(place).limit(page_size).offset(func.greatest(first, 0)).cte("shown")
    return select(
        shown,
        schools_of(shown.c.student_id).label("schools"),
        teachers_of(shown.c.student_id, ANYBODY.today).label("teachers"),
        total.label("total"),
        entries.label("entries"),
        alone.label("alone"),
        _counts(listed).label("counts"),
    ).order_by(shown.c.place)


def _ranked(listed: CTE) -> CTE:
    student = (
        *(listed.c.student_id, listed.c.given_name, listed.c.family_name, listed.c.grade, listed.c.grade_order),
        *(listed.c.textable, listed.c.other_ways),
    )
    worst = func.min(severity(listed.c.status)).label("worst")
    return (
        select(*student, worst, func.array_agg(listed.c.contact_id).label("contact_ids"))
        .group_by(*student)
        .cte("ranked")
    )


def _need(ranked: CTE) -> ColumnElement[int]:
    return case((ranked.c.textable > 0, 2), (ranked.c.other_ways, 1), else_=0)


def _counts(listed: CTE) -> ScalarSelect[Any]:
    by_status = (
        select(listed.c.status, func.count(listed.c.contact_id.distinct()).label("number"))
        .group_by(listed.c.status)
        .subquery()
    )
    return select(func.jsonb_object_agg(by_status.c.status, by_status.c.number)).scalar_subquery()


def _with_contacts(session: Session, ranked: Sequence[Row[*tuple[Any, ...]]]) -> tuple[StudentRow, ...]:
    of_student: defaultdict[int, list[ListedContact]] = defaultdict(list)
    for row in listed_contacts(session, [row.student_id for row in ranked]):
        of_student[row.student_id].append(listed_contact(row))
    return tuple(
        student_row(row, (one for one in of_student[row.student_id] if one.contact_id in row.contact_ids))
        for row in ranked
    )
