"""The expected result of a mass message sent now: who would get it, who would miss it, and students without a textable adult."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, case, func, select, true
from sqlalchemy.orm import Session

from bot import access
from bot.access import Actor
from bot.cleanup_list.query import (
    StudentRow,
    grade_order,
    narrow_students,
    reachability_query,
    school_names,
    student_from_row,
    teacher_names,
)
from bot.db.models.base import ContactMethod
from bot.db.models.roster import Student
from bot.db.models.views import effective_contacts, has_textable_adult, textable
from bot.domain.sms_status import SEVERITY, SmsStatus
from bot.filters.filter import Filter, page_count

_DELIVERED, _NOT_TEXTED = "delivered", "not_texted"


@dataclass(frozen=True)
class Forecast:
    """Numbers of contacts, each counted once: `delivered` would get the text as far as the last messages showed; `missed` would be
    texted in vain, by status; `not_texted` gets calls or email.

    `without_adult` counts students no adult of whom gets the text; `students` is one page of them, first those who cannot be
    reached in another way either. `page` is the last page where fewer are left than what was asked for.
    """

    delivered: int
    missed: Mapping[SmsStatus, int]
    not_texted: int
    without_adult: int
    students: tuple[StudentRow, ...]
    page: int
    pages: int


def load_forecast(session: Session, which: Filter, *, actor: Actor, page_size: int) -> Forecast:
    """Return the forecast for the contacts of a grade, a school, or a teacher's students, as far as this person may see them.

    A filter's names and SMS statuses are not considered: a mass message knows neither.
    """
    students = narrow_students(access.visible_students(actor), which, today=actor.today)
    counts = {row.fate: row.contacts for row in session.execute(_counts_by_fate(students))}
    alone = session.execute(_without_adult(students, actor, which.page, page_size)).all()
    total = alone[0].total if alone else 0
    pages = page_count(total, page_size)
    return Forecast(
        delivered=counts.get(_DELIVERED, 0),
        missed={status: counts[status] for status in SEVERITY if status in counts},
        not_texted=counts.get(_NOT_TEXTED, 0),
        without_adult=total,
        students=tuple(map(student_from_row, alone)),
        page=min(which.page, pages),
        pages=pages,
    )


def _counts_by_fate(students: Select[int]) -> Select[*tuple[Any, ...]]:
    adult = effective_contacts.c
    fate = case(
        (textable, _DELIVERED),
        (adult.method != ContactMethod.TEXT, _NOT_TEXTED),
        (adult.opted_out, SmsStatus.OPT_OUT),
        (adult.phone.is_(None), SmsStatus.NO_NUMBER),
        else_=adult.sms_status,
    ).label("fate")
    contacts = select(adult.contact_id, fate).where(adult.student_id.in_(students)).distinct().subquery()
    return select(contacts.c.fate, func.count().label("contacts")).group_by(contacts.c.fate)


def _without_adult(students: Select[int], actor: Actor, page: int, page_size: int) -> Select[*tuple[Any, ...]]:
    columns = (Student.id.label("student_id"), Student.given_name, Student.family_name, Student.grade)
    alone = students.with_only_columns(*columns).where(~has_textable_adult(Student.id)).cte("alone")
    reachability = reachability_query(alone.c.student_id).lateral()
    total = select(func.count()).select_from(alone).scalar_subquery()
    last_page = func.greatest(total - 1, 0) // page_size
    return (
        select(
            *(alone, reachability, total.label("total")),
            school_names(alone.c.student_id).label("schools"),
            teacher_names(alone.c.student_id, actor.today).label("teachers"),
        )
        .join_from(alone, reachability, true())
        .order_by(reachability.c.other_ways, grade_order(alone.c.grade))
        .order_by(alone.c.family_name, alone.c.given_name, alone.c.student_id)
        .limit(page_size)
        .offset(func.least(page - 1, last_page) * page_size)
    )
