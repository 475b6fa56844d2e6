"""Changes that the SIS does not have yet: edits in force and removals, one row per change, for given students."""

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

from bot.db.models.base import ContactMethod
from bot.db.models.edits import IN_FORCE, Edit, EditField, EditState, Removal
from bot.db.models.folding import full_name
from bot.db.models.roster import Contact, School, Staff, Student, StudentContact, StudentSchool
from bot.db.models.slack import SlackUser
from bot.db.models.views import contact_reach, effective_contacts

_BATCH = 500


class ChangeKind(StrEnum):
    """The kind of change: one of `EditField`, or the contact was removed."""

    PHONE = EditField.PHONE
    METHOD = EditField.METHOD
    REMOVED = "removed"


@dataclass(frozen=True)
class PendingChange:
    """A change that the SIS does not have. `old` is what the SIS has now and `new` what was entered here: E.164 or a contact method,
    None for no number; for a removal `new` is the reason.

    `disputed`: the SIS has a third value meanwhile, and a person has to choose first. `students` are names and `student_ids`
    their sourced_ids, in the same order; `opens` is the id of the first, in whose dialog the change is seen. `texted`: the
    contact takes texts now. `sis_contact_id` is the contact's id in the contacts file, and `powerschool_id` the same if it is
    PowerSchool's. `left`: the contact is not in the SIS now, and the edit waits for their return. `made_by` is a name, or a
    Slack user id where there is no name.
    """

    kind: ChangeKind
    contact_id: int
    contact_sourced_id: str
    sis_contact_id: str | None
    powerschool_id: str | None
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
    left: bool
    made_by: str
    made_at: datetime


def iter_pending(session: Session, students: Select[int]) -> Iterator[PendingChange]:
    """Yield every pending change of the contacts of `students` (a query of ids), by school, student, and contact.

    Without edits of contacts who left: there is nothing in the SIS to change.
    """
    changes = _changes(students, [Edit.contact_id.in_(select(Contact.id).where(Contact.active))])
    order = (changes.c.schools, changes.c.students, changes.c.contact_id, changes.c.kind)
    return _rows(session, select(changes).order_by(*order))


_USER_ID = bindparam("user_id", type_=Text)
_EDITS_BY = select(func.count()).where(Edit.made_by == _USER_ID, Edit.state.in_(IN_FORCE))
_STILL_IN_SIS = exists().where(
    StudentContact.contact_id == Removal.contact_id,
    StudentContact.active,
    or_(Removal.student_id.is_(None), StudentContact.student_id == Removal.student_id),
)
_REMOVALS_BY = select(func.count()).where(Removal.made_by == _USER_ID, Removal.undone_at.is_(None), _STILL_IN_SIS)
# One row: `changes`, the number of pending changes of the Slack user `user_id`.
OWN_PENDING_QUERY = select((_EDITS_BY.scalar_subquery() + _REMOVALS_BY.scalar_subquery()).label("changes"))


def count_own_pending(session: Session, user_id: str) -> int:
    """Return how many changes of this Slack user are pending."""
    return int(session.execute(OWN_PENDING_QUERY, {"user_id": user_id}).scalar_one())


def load_changes(
    session: Session, students: Select[int], *, edit_ids: Sequence[int], removal_ids: Sequence[int]
) -> list[PendingChange]:
    """Return these changes for display: disputed ones first, then the newest. Only `students` are named."""
    changes = _changes(students, [Edit.id.in_(edit_ids)], [Removal.id.in_(removal_ids)])
    order = (
        *(changes.c.disputed.desc(), changes.c.made_at.desc()),
        *(changes.c.contact_id, changes.c.kind, changes.c.opens),
    )
    return list(_rows(session, select(changes).order_by(*order)))


def _rows(session: Session, statement: Select[*tuple[Any, ...]]) -> Iterator[PendingChange]:
    for row in session.execute(statement, execution_options={"yield_per": _BATCH}).mappings():
        converted = {
            "kind": ChangeKind(row["kind"]),
            "students": tuple(row["students"]),
            "student_ids": tuple(row["student_ids"]),
            "schools": tuple(dict.fromkeys(name for name in row["schools"] if name)),
        }
        yield PendingChange(**{**row, **converted})


def _changes(
    students: Select[int],
    edits: Sequence[SQLColumnExpression[bool]] = (),
    removals: Sequence[SQLColumnExpression[bool]] = (),
) -> Subquery:
    """Select the changes that meet further conditions on `Edit` and `Removal`."""
    return union_all(
        _edits(students, [Edit.state.in_(IN_FORCE), *edits]),
        _removals(students, [Removal.undone_at.is_(None), *removals]),
    ).subquery("changes")


def _edits(students: Select[int], conditions: Sequence[SQLColumnExpression[bool]]) -> Select[*tuple[Any, ...]]:
    """Select edits of contacts that were not removed; the SIS has a conflict's third value, or else still the base."""
    links = effective_contacts.c
    # An array of each contact's students: for a join, PostgreSQL would work out the students of all contacts.
    current = select(func.array_agg(links.student_id)).where(links.contact_id == Edit.contact_id)
    # A contact who left has none; the edit is shown with the students they had.
    earlier = (
        select(func.array_agg(StudentContact.student_id))
        .join(Contact, Contact.id == StudentContact.contact_id)
        .where(StudentContact.contact_id == Edit.contact_id, ~Contact.active)
    )
    ids = func.coalesce(current.correlate(Edit).scalar_subquery(), earlier.correlate(Edit).scalar_subquery())
    of_contact = select(ids.label("ids")).lateral("of_contact")
    student = func.unnest(of_contact.c.ids).table_valued("id").render_derived("student")
    linked = join(join(Edit, of_contact, true()), student, true())
    affected = _affected_students(Edit, linked, student.c.id, student.c.id.in_(students), *conditions)
    in_conflict = Edit.state == EditState.CONFLICT
    sis_value = case((in_conflict, Edit.sis_value), else_=Edit.base)
    return _change_rows(Edit, affected, kind=Edit.field, old=sis_value, new=Edit.value, disputed=in_conflict)


def _removals(students: Select[int], conditions: Sequence[SQLColumnExpression[bool]]) -> Select[*tuple[Any, ...]]:
    """Select removals; a contact that was removed from all its students is one row with all of them."""
    student_id = StudentContact.student_id
    same_contact = StudentContact.contact_id == Removal.contact_id
    linked = join(Removal, StudentContact, and_(same_contact, StudentContact.active, concerns_student(student_id)))
    affected = _affected_students(Removal, linked, student_id, student_id.in_(students), *conditions)
    kind, nothing = literal(ChangeKind.REMOVED, Text), cast(null(), Text)
    return _change_rows(Removal, affected, kind=kind, old=nothing, new=Removal.reason, disputed=false())


def concerns_student(student_id: SQLColumnExpression[int]) -> SQLColumnExpression[bool]:
    """Return the condition that a `Removal` is from this student, or from all.

    With a plain OR, PostgreSQL expects a single row and checks anew for each who may be seen.
    """
    return func.coalesce(Removal.student_id == student_id, true())


def _change_rows(
    table: type[Edit | Removal], affected: FromClause, *, kind: Any, old: Any, new: Any, disputed: Any
) -> Select[*tuple[Any, ...]]:
    reach = contact_reach.c
    return (
        select(
            *(kind.label("kind"), table.contact_id, Contact.sourced_id.label("contact_sourced_id")),
            Contact.sis_contact_id,
            case((Contact.is_powerschool_id, Contact.sis_contact_id)).label("powerschool_id"),
            *(Contact.given_name, Contact.family_name),
            *(affected.c.students, affected.c.student_ids, affected.c.opens, affected.c.schools),
            *(old.label("old"), new.label("new"), disputed.label("disputed")),
            (reach.method == ContactMethod.TEXT).label("texted"),
            (~Contact.active).label("left"),
            func.coalesce(_staff_name(table.made_by), table.made_by).label("made_by"),
            table.made_at,
        )
        .join_from(affected, table, table.id == affected.c.id)
        .join(Contact, Contact.id == table.contact_id)
        .outerjoin(contact_reach, reach.contact_id == table.contact_id)
    )


def _affected_students(
    table: type[Edit | Removal], linked: FromClause, student_id: Any, *conditions: SQLColumnExpression[bool]
) -> Subquery:
    """Select one row of arrays per change: its students. All at once, because asked change by change each would go through
    every student that a person may see.
    """

    def in_order(value: Any) -> Any:
        return func.array_agg(aggregate_order_by(value, Student.family_name, Student.given_name, Student.id))

    schools = (
        select(func.string_agg(School.name, aggregate_order_by(literal(", "), School.name)))
        .join(StudentSchool, StudentSchool.school_id == School.id)
        .where(StudentSchool.student_id == Student.id)
        .correlate(Student)
        .scalar_subquery()
    )
    name = full_name(Student.given_name, Student.family_name)
    return (
        select(
            table.id,
            *(in_order(name).label("students"), in_order(Student.sourced_id).label("student_ids")),
            *(in_order(Student.id)[1].label("opens"), in_order(schools).label("schools")),
        )
        .select_from(linked)
        .join(Student, Student.id == student_id)
        .where(Student.active, *conditions)
        .group_by(table.id)
        .subquery()
    )


def _staff_name(user_id: Any) -> ScalarSelect[str]:
    return (
        select(full_name(Staff.given_name, Staff.family_name))
        .join(SlackUser, SlackUser.email == Staff.email)
        .where(SlackUser.user_id == user_id, Staff.active)
        .order_by(Staff.id)
        .limit(1)
        .scalar_subquery()
    )
