"""Before a mass message is sent: whom it would reach, whom it would miss, and which students nobody would hear for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, case, func, select, true
from sqlalchemy.orm import Session

from bot import access
from bot.access import Actor
from bot.cleanup_list.query import grade_order
from bot.cleanup_list.rows import StudentRow, reachability_query, school_names, student_from_row, teacher_names
from bot.cleanup_list.student_filter import narrow_students
from bot.db.models.base import ContactMethod
from bot.db.models.roster import Student
from bot.db.models.views import effective_contacts, has_textable_adult, textable
from bot.domain.sms_status import SEVERITY, SmsStatus
from bot.filters.filter import Filter, page_count


@dataclass(frozen=True)
class Forecast:
    """A mass message to those a filter means, of whom this person may see, if it went out now. A contact counts once.

    `reached` get it, as far as the last messages showed; `missed` are texted in vain, by status; `not_texted` chose calls
    or e-mail. `without_adult` counts the students of whom no adult gets the text; `students` are those of them on one page, first
    whoever cannot be reached in another way either. `page` is the last one where fewer are left than what was asked for.
    """

    reached: int
    missed: Mapping[SmsStatus, int]
    not_texted: int
    without_adult: int
    students: tuple[StudentRow, ...]
    page: int
    pages: int


def load_forecast(session: Session, which: Filter, *, actor: Actor, students: int) -> Forecast:
    """What would happen now to the contacts of a grade, a school, a teacher's students; names so many students a page.

    A filter's names and SMS statuses say nothing here: a mass message knows neither.
    """
    meant = narrow_students(access.visible_students(actor), which, today=actor.today)
    counts = {row.fate: row.contacts for row in session.execute(_fates(meant))}
    alone = session.execute(_without_adult(meant, actor, which.page, students)).all()
    total = alone[0].total if alone else 0
    pages = page_count(total, students)
    return Forecast(
        reached=counts.get(_REACHED, 0),
        missed={status: counts[status] for status in SEVERITY if status in counts},
        not_texted=counts.get(_NOT_TEXTED, 0),
        without_adult=total,
        students=tuple(student_from_row(row, ()) for row in alone),
        page=min(which.page, pages),
        pages=pages,
    )


_REACHED, _NOT_TEXTED = "reached", "not_texted"


def _fates(meant: Select[int]) -> Select[*tuple[Any, ...]]:
    adult = effective_contacts.c
    fate = case(
        (textable, _REACHED),
        (adult.method != ContactMethod.TEXT, _NOT_TEXTED),
        (adult.opted_out, SmsStatus.OPT_OUT),
        (adult.phone.is_(None), SmsStatus.NO_NUMBER),
        else_=adult.sms_status,
    ).label("fate")
    mine = select(adult.contact_id, fate).where(adult.student_id.in_(meant)).distinct().subquery()
    return select(mine.c.fate, func.count().label("contacts")).group_by(mine.c.fate)


def _without_adult(meant: Select[int], actor: Actor, page: int, page_size: int) -> Select[*tuple[Any, ...]]:
    alone = (
        meant.with_only_columns(Student.id.label("student_id"), Student.given_name, Student.family_name, Student.grade)
        .where(~has_textable_adult(Student.id))
        .cte("alone")
    )
    reach = reachability_query(alone.c.student_id).lateral()
    total = select(func.count()).select_from(alone).scalar_subquery()
    return (
        select(
            *(alone, reach, total.label("total")),
            school_names(alone.c.student_id).label("schools"),
            teacher_names(alone.c.student_id, actor.today).label("teachers"),
        )
        .join_from(alone, reach, true())
        .order_by(reach.c.other_ways, grade_order(alone.c.grade), alone.c.family_name, alone.c.given_name)
        .order_by(alone.c.student_id)
        .limit(page_size)
        .offset(func.least(page - 1, func.greatest(total - 1, 0) // page_size) * page_size)
    )
