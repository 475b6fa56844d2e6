"""Who has a phone number or a student number, among the students that a person may see, on the list or not.

The number of the SIS counts, also where staff replaced it, as do the one that staff entered and the other numbers of the SIS: a
family calls from any of them. Phones are found by their last four digits (migration 0047) and compared by all that was typed.
"""

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Select,
    SQLColumnExpression,
    any_,
    exists,
    func,
    literal,
    select,
)
from sqlalchemy.orm import Session

from bot.access import rights
from bot.access.rights import Actor
from bot.cleanup_list.query import query_params, student_conditions
from bot.db.models.edits import IN_FORCE, Edit, EditField
from bot.db.models.folding import full_name
from bot.db.models.listed_students import ListedStudent
from bot.db.models.roster import Contact, OtherNumber, Student
from bot.db.models.views import effective_contacts
from bot.db.session import plan_for_names, use_indexes
from bot.domain import display
from bot.filters.filter import LAST_DIGITS, Filter

# Students of one search, all on one page. Of more, people type more digits.
MAX_STUDENTS = 10


@dataclass(frozen=True)
class NumberOwner:
    """A contact with the number, and those of the found students that it belongs to. `phone` is the number in effect, E.164, which
    may be another one.
    """

    name: str
    relationship: str | None
    phone: str | None
    students: tuple[str, ...]


@dataclass(frozen=True)
class NumberSearch:
    """`owners` are empty where only a student number matches. `has_more`: more than `MAX_STUDENTS` were found."""

    number: str
    student_ids: tuple[int, ...]
    owners: tuple[NumberOwner, ...]
    has_more: bool

    def narrowed(self, which: Filter) -> Filter:
        """Return the filter with the found students for the number, which then stands in no button and is stored nowhere."""
        return replace(which, number=None, student_ids=self.student_ids)


def find_number(session: Session, which: Filter, *, actor: Actor) -> NumberSearch:
    """Find the students of the filter's number, who also meet its grades, school, teacher, and class; those on the list first."""
    number = which.number or ""
    plan_for_names(session)
    use_indexes(session)
    params = query_params(which, actor)
    students = session.execute(_students(number, which, actor), params).all()
    shown = students[:MAX_STUDENTS]
    names = {row.id: display.full_name(row.given_name, row.family_name) for row in shown}
    owners = session.execute(_owners(number, list(names))).all() if _is_phone_end(number) and names else []
    return NumberSearch(
        number=number,
        student_ids=tuple(names),
        owners=tuple(
            NumberOwner(row.name, row.relationship, row.phone, tuple(names[student] for student in row.students))
            for row in owners
        ),
        has_more=len(students) > MAX_STUDENTS,
    )


def _students(number: str, which: Filter, actor: Actor) -> Select[*tuple[Any, ...]]:
    numbered = select(Student.id).where(Student.identifier == number, Student.identifier != "")
    found: Select[int] | CompoundSelect[int] = numbered
    if _is_phone_end(number):
        adult = effective_contacts.c
        # As a union, because for OR PostgreSQL reads every student of the district.
        found = numbered.union(select(adult.student_id).where(adult.contact_id.in_(_contacts_with(number))))
    is_listed = exists().where(ListedStudent.id == Student.id)
    return (
        select(Student.id, Student.given_name, Student.family_name)
        .where(Student.id.in_(found), Student.active, rights.can_see(actor.level, Student.id))
        .where(*student_conditions(which.criteria))
        .order_by(is_listed.desc(), Student.family_name, Student.given_name, Student.id)
        .limit(MAX_STUDENTS + 1)
    )


def _owners(number: str, student_ids: list[int]) -> Select[*tuple[Any, ...]]:
    adult = effective_contacts.c
    name = full_name(adult.given_name, adult.family_name)
    return (
        select(
            name.label("name"),
            func.min(adult.relationship).label("relationship"),
            adult.phone,
            func.array_agg(adult.student_id).label("students"),
        )
        .where(adult.contact_id.in_(_contacts_with(number)), adult.student_id == any_(literal(student_ids)))
        .group_by(adult.contact_id, name, adult.phone)
        .order_by("name", adult.contact_id)
    )


def _contacts_with(number: str) -> CompoundSelect[int]:
    in_force = Edit.field == EditField.PHONE, Edit.state.in_([str(state) for state in IN_FORCE])
    return (
        select(Contact.id)
        .where(*_ends_with(Contact.sis_phone, number))
        .union(
            select(Edit.contact_id).where(*_ends_with(Edit.value, number), *in_force),
            select(OtherNumber.contact_id).where(*_ends_with(OtherNumber.phone, number)),
        )
    )


def _ends_with(phone: SQLColumnExpression[Any], number: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Return the condition that the indexes answer, and the one on all digits."""
    return func.right(phone, LAST_DIGITS) == number[-LAST_DIGITS:], phone.like(f"%{number}")


def _is_phone_end(number: str) -> bool:
    return len(number) >= LAST_DIGITS
