"""The whole list, contact by contact, for a file: read through a cursor, so that memory holds a few hundred of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from bot.access import BOUND_PARAMS, Actor
from bot.cleanup_list.query import matching_entries, plan_for_names, query_params
from bot.cleanup_list.rows import school_names, severity, teacher_names
from bot.db.models.base import ContactMethod
from bot.db.models.messages import ListEntry
from bot.db.models.views import effective_contacts
from bot.domain.sms_status import SmsStatus
from bot.filters.filter import Filter

_AT_ONCE = 500


@dataclass(frozen=True)
class ExportRow:
    """A listed contact of one student; `textable` and `other_ways` are of the student, whoever reaches them.

    `is_updated`: the contact was edited since, and the status is of how it was before.
    """

    family_name: str
    given_name: str
    grade: str | None
    schools: tuple[str, ...]
    teachers: tuple[str, ...]
    contact: str
    relationship: str | None
    status: SmsStatus
    since: datetime
    phone: str | None
    method: ContactMethod
    is_updated: bool
    textable: bool
    other_ways: bool


def iter_export_rows(session: Session, which: Filter, *, actor: Actor) -> Iterator[ExportRow]:
    """Every entry that this person may see, by grade and name; a contact of two students stands with both."""
    plan_for_names(session, which)
    of_list, adult = matching_entries(which.criteria, actor.reach), effective_contacts.c
    rows = (
        select(
            *(of_list.c.family_name, of_list.c.given_name, of_list.c.grade, of_list.c.textable, of_list.c.other_ways),
            school_names(of_list.c.student_id).label("schools"),
            teacher_names(of_list.c.student_id, BOUND_PARAMS.today).label("teachers"),
            (adult.given_name + " " + adult.family_name).label("contact"),
            *(adult.relationship, adult.phone, adult.method, ListEntry.status, ListEntry.since, ListEntry.updated_at),
        )
        .select_from(of_list)
        .join(
            effective_contacts,
            and_(adult.student_id == of_list.c.student_id, adult.contact_id == of_list.c.contact_id),
        )
        .join(ListEntry, ListEntry.contact_id == of_list.c.contact_id)
        .order_by(
            *(of_list.c.grade_order, of_list.c.family_name, of_list.c.given_name, of_list.c.student_id),
            *(severity(ListEntry.status), adult.priority.nulls_last(), of_list.c.contact_id),
        )
    )
    for row in session.execute(rows, query_params(which, actor.sight), execution_options={"yield_per": _AT_ONCE}):
        yield ExportRow(
            family_name=row.family_name,
            given_name=row.given_name,
            grade=row.grade,
            schools=tuple(row.schools),
            teachers=tuple(row.teachers),
            contact=row.contact,
            relationship=row.relationship,
            status=SmsStatus(row.status),
            since=row.since,
            phone=row.phone,
            method=ContactMethod(row.method),
            is_updated=row.updated_at is not None,
            textable=row.textable > 0,
            other_ways=row.other_ways,
        )
