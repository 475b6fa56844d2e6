"""The contacts of a whole list, for a change of many at once, and who else the change affects.

Two statements, whatever the length of the list: its contacts, and their students outside of it.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Integer, Select, any_, bindparam, select
from sqlalchemy.orm import Session

from bot.access import rights
from bot.access.rights import AccessLevel, Actor
from bot.cleanup_list.page import ranking
from bot.cleanup_list.query import matching_entries, query_params
from bot.db.models.folding import full_name
from bot.db.models.listed_students import ListedStudent
from bot.db.models.roster import Contact, StudentContact
from bot.db.session import fetch_rows, plan_for_names
from bot.domain import display
from bot.domain.sms_status import SmsStatus
from bot.filters.filter import Criteria, Filter

MAX_CONTACTS = 1_000
_MAX_ROWS = 3 * MAX_CONTACTS  # A row is a contact of a student; few contacts have more than three students.


@dataclass(frozen=True)
class PreviewStudent:
    student_id: int
    name: str
    grade: str | None


@dataclass(frozen=True)
class PreviewContact:
    """A contact to fix. `student` is its first student on the list, and `others` are its students that the reader may see but
    that are not on this list.
    """

    contact_id: int
    version: int
    name: str
    status: SmsStatus
    student: PreviewStudent
    others: tuple[PreviewStudent, ...]


@dataclass(frozen=True)
class BulkPreview:
    """The contacts that are not fixed yet, each once, in the order of the list; none where `is_too_long`."""

    contacts: tuple[PreviewContact, ...]
    is_too_long: bool

    @property
    def others(self) -> tuple[PreviewStudent, ...]:
        return tuple(dict.fromkeys(student for contact in self.contacts for student in contact.others))


def load_preview(session: Session, which: Filter, *, actor: Actor) -> BulkPreview:
    """Return what a change of all contacts of this filter would touch, whatever its page."""
    if which.names:
        plan_for_names(session)
    params = query_params(which, actor) | {"max_rows": _MAX_ROWS}
    rows = fetch_rows(session, _contacts_query(which.criteria, actor.level), params)
    first_rows: dict[int, Any] = {}
    for row in rows:
        first_rows.setdefault(row.contact_id, row)
    if len(rows) == _MAX_ROWS or len(first_rows) > MAX_CONTACTS:
        return BulkPreview((), is_too_long=True)
    others = _load_others(session, list(first_rows), {row.student_id for row in rows}, actor)
    contacts = (_contact(row, tuple(others.get(row.contact_id, ()))) for row in first_rows.values())
    return BulkPreview(tuple(contacts), is_too_long=False)


def _contact(row: Any, others: tuple[PreviewStudent, ...]) -> PreviewContact:
    status = SmsStatus(row.status)
    return PreviewContact(row.contact_id, row.version, row.contact_name, status, _student(row), others)


def _student(row: Any) -> PreviewStudent:
    return PreviewStudent(row.student_id, display.full_name(row.given_name, row.family_name), row.grade)


@cache
def _contacts_query(criteria: Criteria, level: AccessLevel) -> Select[*tuple[Any, ...]]:
    entry = matching_entries(criteria, level)
    return (
        select(
            *(entry.c.contact_id, entry.c.status, Contact.version),
            full_name(Contact.given_name, Contact.family_name).label("contact_name"),
            *(entry.c.student_id, entry.c.given_name, entry.c.family_name, entry.c.grade),
        )
        .join_from(entry, Contact, Contact.id == entry.c.contact_id)
        .where(~entry.c.waiting)
        .order_by(*ranking(entry), entry.c.contact_id)
        .limit(bindparam("max_rows", type_=Integer))
    )


def _load_others(
    session: Session, contact_ids: list[int], on_the_list: set[int], actor: Actor
) -> dict[int, list[PreviewStudent]]:
    params = {**actor.scope.params, "contact_ids": contact_ids}
    others: dict[int, list[PreviewStudent]] = {}
    for row in fetch_rows(session, _students_query(actor.level), params):
        if row.student_id not in on_the_list:
            others.setdefault(row.contact_id, []).append(_student(row))
    return others


@cache
def _students_query(level: AccessLevel) -> Select[*tuple[Any, ...]]:
    """Select the visible students of contacts, by name. A contact that was removed from a student is not listed with it."""
    student, contact_id = ListedStudent, StudentContact.contact_id
    return (
        select(contact_id, student.id.label("student_id"), student.given_name, student.family_name, student.grade)
        .join(student, student.id == StudentContact.student_id)
        .where(contact_id == any_(bindparam("contact_ids", type_=ARRAY(BigInteger))))
        .where(contact_id == any_(student.contact_ids), rights.can_see(level, student.id))
        .order_by(student.family_name, student.given_name, student.id)
    )
