"""What the SIS does not know yet: edits in force and removals, a row a contact, for the students that are asked about."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    FromClause,
    ScalarSelect,
    Select,
    SQLColumnExpression,
    Subquery,
    Text,
    and_,
    bindparam,
    case,
    cast,
    exists,
    false,
    func,
    join,
    literal,
    null,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import Session

from bot.db.fast_rows import fetch_rows
from bot.db.models.base import ContactMethod
from bot.db.models.edits import IN_FORCE, Edit, EditField, EditState, Removal
from bot.db.models.roster import Contact, School, Staff, Student, StudentContact, StudentSchool
from bot.db.models.slack import SlackUser
from bot.db.models.views import contact_reach, effective_contacts

_AT_ONCE = 500


class PendingChange(StrEnum):
    """What was changed of a contact: one of `EditField`, or that it is none of these students' contact any more."""

    PHONE = EditField.PHONE
    METHOD = EditField.METHOD
    REMOVED = "removed"


@dataclass(frozen=True)
class PendingPage:
    """A change that the SIS has not heard of. `old` is what the SIS has now and `new` what was entered here: E.164 or a
    contact method, None for no number; of a removal `new` is why.

    `disputed`: the SIS has a third value meanwhile, and a person has to choose first. `students` are names and
    `student_ids` their sourced_ids, in the same order; `made_by` is a name, or the Slack user id of who has none.
    `opens` is the id of the first of them, in whose dialog the change is seen. `texted` says whether the contact takes texts
    now.
    """

    change: PendingChange
    contact_id: int
    contact_sourced_id: str
    given_name: str
    family_name: str
    students: tuple[str, ...]
    student_ids: tuple[str, ...]
    opens: int
    schools: tuple[str, ...]
    old: str | None
    new: str | None
    disputed: bool
    texted: bool
    made_by: str
    made_at: datetime


@dataclass(frozen=True)
class PendingCounts:
    """How many changes wait, by what they change; `disputed` are among them."""

    phone: int = 0
    method: int = 0
    removed: int = 0
    disputed: int = 0

    @property
    def total(self) -> int:
        return self.phone + self.method + self.removed


def load_pending(session: Session, students: Select[int]) -> Iterator[PendingPage]:
    """Every change that waits of the contacts of `students` (a query of ids), by school, student and contact; streamed."""
    changes = _changes(students)
    order = (changes.c.schools, changes.c.students, changes.c.contact_id, changes.c.change)
    return _streamed(session, select(changes).order_by(*order))


_USER_ID = bindparam("user_id", type_=Text)
_EDITS_BY = select(func.count()).where(Edit.made_by == _USER_ID, Edit.state.in_(IN_FORCE))
_TOLD_BY_SIS = exists().where(
    StudentContact.contact_id == Removal.contact_id,
    StudentContact.active,
    or_(Removal.student_id.is_(None), StudentContact.student_id == Removal.student_id),
)
_REMOVALS_BY = select(func.count()).where(Removal.made_by == _USER_ID, Removal.undone_at.is_(None), _TOLD_BY_SIS)
OWN_PENDING_QUERY = select((_EDITS_BY.scalar_subquery() + _REMOVALS_BY.scalar_subquery()).label("changes"))
"""How many changes of the Slack user `user_id` wait: one row, `changes`."""


def count_own_pending(session: Session, user_id: str) -> int:
    """How many changes of this Slack user wait."""
    (row,) = fetch_rows(session, OWN_PENDING_QUERY, {"user_id": user_id})
    return int(row.changes)


def newest_pending(
    session: Session, students: Select[int], *, limit: int, skip: int = 0, made_by: str | None = None
) -> list[PendingPage]:
    """The first changes that somebody looks at: those that a person has to settle, then the newest; with `made_by`, only of
    that Slack user. `skip` so many to come to those after them.
    """
    changes = _changes(students, made_by)
    order = (
        changes.c.disputed.desc(),
        changes.c.made_at.desc(),
        changes.c.contact_id,
        changes.c.change,
        changes.c.opens,
    )
    return list(_streamed(session, select(changes).order_by(*order).limit(limit).offset(skip)))


def count_pending(session: Session, students: Select[int]) -> PendingCounts:
    """How many changes wait."""
    changes = _changes(students)
    told = {
        row.change: row
        for row in session.execute(
            select(
                changes.c.change,
                func.count().label("number"),
                func.count().filter(changes.c.disputed).label("disputed"),
            ).group_by(changes.c.change)
        )
    }
    number = {change: told[change].number if change in told else 0 for change in PendingChange}
    disputed = sum(row.disputed for row in told.values())
    return PendingCounts(
        number[PendingChange.PHONE], number[PendingChange.METHOD], number[PendingChange.REMOVED], disputed
    )


def _streamed(session: Session, rows: Select[*tuple[Any, ...]]) -> Iterator[PendingPage]:
    for row in session.execute(rows, execution_options={"yield_per": _AT_ONCE}).mappings():
        schools = tuple(dict.fromkeys(name for name in row["schools"] if name))
        said = {"change": PendingChange(row["change"]), "schools": schools}
        yield PendingPage(
            **{**row, "students": tuple(row["students"]), "student_ids": tuple(row["student_ids"]), **said}
        )


def _changes(students: Select[int], made_by: str | None = None) -> Subquery:
    by = [] if made_by is None else [made_by]
    edits = [Edit.state.in_(IN_FORCE), *(Edit.made_by == one for one in by)]
    removals = [Removal.undone_at.is_(None), *(Removal.made_by == one for one in by)]
    return union_all(_edits(students, edits), _removals(students, removals)).subquery("changes")


def _edits(students: Select[int], which: Sequence[SQLColumnExpression[bool]]) -> Select[*tuple[Any, ...]]:
    """Edits of contacts that nobody removed; what the SIS has now is a conflict's third value or still the base."""
    links = effective_contacts.c
    # An array of each contact's students, because a join would have PostgreSQL work out everybody's.
    of_contact = (
        select(func.array_agg(links.student_id).label("ids"))
        .where(links.contact_id == Edit.contact_id)
        .lateral("of_contact")
    )
    student = func.unnest(of_contact.c.ids).table_valued("id").render_derived("student")
    linked = join(join(Edit, of_contact, true()), student, true())
    of = _about(Edit, linked, student.c.id, student.c.id.in_(students), *which)
    in_dispute = Edit.state == EditState.CONFLICT
    sis = case((in_dispute, Edit.sis_value), else_=Edit.base)
    return _row(Edit, of, change=Edit.field, old=sis, new=Edit.value, disputed=in_dispute)


def _removals(students: Select[int], which: Sequence[SQLColumnExpression[bool]]) -> Select[*tuple[Any, ...]]:
    """A contact that was removed from all its students is one row of all of them."""
    link = StudentContact
    # As a plain "or" PostgreSQL takes it for one row in all, and asks who may be seen anew for each.
    concerns = func.coalesce(Removal.student_id == link.student_id, true())
    linked = join(Removal, link, and_(link.contact_id == Removal.contact_id, link.active, concerns))
    of = _about(Removal, linked, link.student_id, link.student_id.in_(students), *which)
    removed, nothing = literal(PendingChange.REMOVED, Text), cast(null(), Text)
    return _row(Removal, of, change=removed, old=nothing, new=Removal.reason, disputed=false())


def _row(
    made: type[Edit | Removal], of: FromClause, *, change: Any, old: Any, new: Any, disputed: Any
) -> Select[*tuple[Any, ...]]:
    reach = contact_reach.c
    return (
        select(
            *(change.label("change"), made.contact_id, Contact.sourced_id.label("contact_sourced_id")),
            *(Contact.given_name, Contact.family_name, of.c.students, of.c.student_ids, of.c.opens, of.c.schools),
            *(old.label("old"), new.label("new"), disputed.label("disputed")),
            (reach.method == ContactMethod.TEXT).label("texted"),
            func.coalesce(_name_of(made.made_by), made.made_by).label("made_by"),
            made.made_at,
        )
        .join_from(of, made, made.id == of.c.id)
        .join(Contact, Contact.id == made.contact_id)
        .join(contact_reach, reach.contact_id == made.contact_id)
    )


def _about(
    made: type[Edit | Removal], linked: FromClause, student_id: Any, *which: SQLColumnExpression[bool]
) -> Subquery:
    """The students whom each change is about: one row of arrays for each that is about any. All are gathered at once: asked change by
    change, each would go through everybody whom a person may see.
    """

    def listed(value: Any) -> Any:
        return func.array_agg(aggregate_order_by(value, Student.family_name, Student.given_name, Student.id))

    at = (
        select(func.string_agg(School.name, aggregate_order_by(literal(", "), School.name)))
        .join(StudentSchool, StudentSchool.school_id == School.id)
        .where(StudentSchool.student_id == Student.id)
        .correlate(Student)
        .scalar_subquery()
    )
    name = func.concat_ws(" ", Student.given_name, Student.family_name)
    return (
        select(
            made.id,
            *(listed(name).label("students"), listed(Student.sourced_id).label("student_ids")),
            *(listed(Student.id)[1].label("opens"), listed(at).label("schools")),
        )
        .select_from(linked)
        .join(Student, Student.id == student_id)
        .where(Student.active, *which)
        .group_by(made.id)
        .subquery()
    )


def _name_of(user_id: Any) -> ScalarSelect[str]:
    return (
        select(func.concat_ws(" ", Staff.given_name, Staff.family_name))
        .join(SlackUser, SlackUser.email == Staff.email)
        .where(SlackUser.user_id == user_id, Staff.active)
        .order_by(Staff.id)
        .limit(1)
        .scalar_subquery()
    )
