"""Which students a Slack user may see, and whether they may change contacts. Asked again at every door, never remembered.

Slack user -> e-mail -> staff in the SIS -> roles -> students: a teacher's own classes, a school role's schools, a
district role's all. What cannot be decided is a no, and a no never tells whether a student exists.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    CompoundSelect,
    Date,
    Row,
    Select,
    SQLColumnExpression,
    and_,
    any_,
    bindparam,
    cast,
    func,
    literal,
    or_,
    select,
    true,
)
from sqlalchemy.orm import Session

from bot.db.fast_rows import fetch_rows
from bot.db.models.roster import ClassStudent, ClassTeacher, Staff, StaffRole, Student, StudentSchool
from bot.db.models.slack import SlackUser
from bot.db.models.views import effective_contacts
from bot.errors import UserError

DISTRICT_ROLES = {"districtAdministrator", "systemAdministrator"}
_CLASS_ROLES = {"teacher", "aide"}
_NO_ROLES = {"student", "guardian", "parent", "relative", "proctor"}
_IDS = ARRAY(BigInteger)


class Reach(StrEnum):
    """How far somebody sees: their own classes, their schools, or the whole district."""

    CLASSES = "classes"
    SCHOOLS = "schools"
    DISTRICT = "district"


@dataclass(frozen=True)
class SlackPerson:
    """What Slack says of whoever acts; `full_member` is False for guests, bots, strangers and deactivated people.

    The address is put as the SIS knows staff by it: in small letters, without anything around it.
    """

    user_id: str
    email: str | None
    full_member: bool

    def __post_init__(self) -> None:
        object.__setattr__(self, "email", (self.email or "").strip().lower() or None)


@dataclass(frozen=True)
class Scope:
    """All that decides which students somebody sees; equal for everybody who sees the same."""

    reach: Reach
    school_ids: tuple[int, ...]
    staff_ids: tuple[int, ...]
    today: date

    @property
    def values(self) -> dict[str, Any]:
        """The parameters of a statement about `ANYBODY`."""
        return {"today": self.today, "school_ids": list(self.school_ids), "staff_ids": list(self.staff_ids)}


class AccessParams(NamedTuple):
    """The same in a statement: of one person, or of `ANYBODY`."""

    today: ColumnElement[date]
    school_ids: ColumnElement[Any]
    staff_ids: ColumnElement[Any]


BOUND_PARAMS = AccessParams(
    bindparam("today", type_=Date), bindparam("school_ids", type_=_IDS), bindparam("staff_ids", type_=_IDS)
)
"""Building a statement takes longer than running it. One that is asked all the time is built once (`@cache`), says nothing of who
asks, and is executed with the `values` of their sight; any other holds its person.
"""

_UNSEEN = AccessParams(
    BOUND_PARAMS.today,
    *(cast(select(ids).scalar_subquery(), _IDS) for ids in (BOUND_PARAMS.school_ids, BOUND_PARAMS.staff_ids)),
)
"""`ANYBODY`, of whom PostgreSQL does not see the ids when it plans: a plan for these ids is then no better than one for any."""


@dataclass(frozen=True)
class Actor:
    """Somebody who may use the list. `today` is the district's date, because enrolments are dated.

    `staff_ids` are several where the SIS has a person once for each school, and none for an admin it does not know.
    """

    user_id: str
    staff_ids: tuple[int, ...]
    name: str
    email: str
    reach: Reach
    school_ids: tuple[int, ...]
    may_edit: bool
    today: date
    may_export: bool = False

    @property
    def sight(self) -> Scope:
        staff_ids = () if self.reach is Reach.DISTRICT else self.staff_ids
        return Scope(self.reach, self.school_ids, staff_ids, self.today)

    @property
    def whose(self) -> AccessParams:
        here = self.sight
        return AccessParams(
            literal(here.today), literal(list(here.school_ids), _IDS), literal(list(here.staff_ids), _IDS)
        )


class _Role(NamedTuple):
    name: str
    school_id: int | None


@dataclass(frozen=True)
class Rules:
    """The district's own: who is let in on the first day, which OneRoster roles may edit (empty: whoever may see), and
    which may take what was changed out as a file (empty: nobody).
    """

    admin_emails: tuple[str, ...] = ()
    editor_roles: tuple[str, ...] = ()
    export_roles: tuple[str, ...] = ()


_STAFF = (Staff.id, Staff.given_name, Staff.family_name, StaffRole.role, StaffRole.school_id)
_BY_EMAIL = (
    select(*_STAFF)
    .outerjoin(StaffRole, StaffRole.staff_id == Staff.id)
    .where(Staff.email == bindparam("email"), Staff.active)
    .order_by(Staff.id)
)
KNOWN_USER_QUERY = (
    select(SlackUser.email, SlackUser.full_member, *_STAFF)
    .outerjoin(Staff, and_(Staff.email == SlackUser.email, Staff.active))
    .outerjoin(StaffRole, StaffRole.staff_id == Staff.id)
    .where(SlackUser.user_id == bindparam("user_id"), SlackUser.checked_at > bindparam("told_after"))
)
"""The rows that `actor_of` takes, once they are in the order of `id`; none for whom Slack told nothing after `told_after`."""
_KNOWN_IN_ORDER = KNOWN_USER_QUERY.order_by(Staff.id)


def load_actor(session: Session, person: SlackPerson, *, rules: Rules, today: date) -> Actor:
    """Who is asking.

    Raises:
        UserError: a polite no that names whom to ask.
    """
    return _actor(person, session.execute(_BY_EMAIL, {"email": person.email}).all(), rules, today)


def find_known_actor(
    session: Session, user_id: str, *, told_after: datetime, rules: Rules, today: date
) -> Actor | None:
    """The same in one statement for a user of whom Slack told after that moment, None for any other.

    Raises:
        UserError: a polite no that names whom to ask.
    """
    rows = fetch_rows(session, _KNOWN_IN_ORDER, {"user_id": user_id, "told_after": told_after})
    return actor_from_rows(user_id, rows, rules=rules, today=today) if rows else None


def actor_from_rows(user_id: str, rows: Sequence[Any], *, rules: Rules, today: date) -> Actor:
    """The same from the rows of `KNOWN`, of which there is one at least.

    Raises:
        UserError: a polite no that names whom to ask.
    """
    person = SlackPerson(user_id, rows[0].email, full_member=rows[0].full_member)
    return _actor(person, [row for row in rows if row.id], rules, today)


def _actor(person: SlackPerson, rows: Sequence[Row[*tuple[Any, ...]]], rules: Rules, today: date) -> Actor:
    """From a row for each role of each of their places in the SIS, or one without a role."""
    email = person.email
    if not person.full_member or not email:
        raise UserError(
            "access.no_full_account",
            f"The cleanup list is for staff with a full account here. Please ask {_whom_to_ask(rules)}.",
        )
    roles = [_Role(row.role, row.school_id) for row in rows if row.role]
    is_admin = email in rules.admin_emails
    if not is_admin and not any(role.name not in _NO_ROLES for role in roles):
        raise UserError(
            "access.unknown",
            (
                f"I can't find {email} among the staff in the student information system. Please ask "
                f"{_whom_to_ask(rules)}."
            ),
        )
    name = f"{rows[0].given_name} {rows[0].family_name}" if rows else email
    reach, schools = _reach(roles, is_admin=is_admin)
    may_edit = is_admin or not rules.editor_roles or any(role.name.lower() in rules.editor_roles for role in roles)
    may_export = bool(rules.export_roles) and (
        is_admin or any(role.name.lower() in rules.export_roles for role in roles)
    )
    staff_ids = tuple(dict.fromkeys(row.id for row in rows))
    return Actor(person.user_id, staff_ids, name, email, reach, schools, may_edit, today, may_export)


def _whom_to_ask(rules: Rules) -> str:
    return rules.admin_emails[0] if rules.admin_emails else "your district's data manager"


def _reach(roles: Sequence[_Role], *, is_admin: bool) -> tuple[Reach, tuple[int, ...]]:
    listed = [role for role in roles if role.name not in _NO_ROLES]
    if is_admin or any(role.name in DISTRICT_ROLES or _district_wide(role) for role in listed):
        return Reach.DISTRICT, ()
    schools = tuple(sorted({role.school_id for role in listed if role.school_id and role.name not in _CLASS_ROLES}))
    return (Reach.SCHOOLS, schools) if schools else (Reach.CLASSES, ())


def _district_wide(role: _Role) -> bool:
    """A school role given at the district (a 1.1 `administrator` of the district office) reaches every school."""
    return role.school_id is None and role.name not in _CLASS_ROLES


def visible_students(actor: Actor) -> Select[int]:
    """The ids of the active students this person may see, as a query to narrow others with."""
    return _students(actor.reach, actor.whose)


@cache
def visible_students_query(reach: Reach, *, planned_once: bool = False) -> Select[int]:
    """The same of `ANYBODY` who reaches so far. With `planned_once`, PostgreSQL looks up each by itself: that plan is good for any
    classes and schools, and is kept, where planning for each takes longer than the rest. Not where something else of the
    statement means fewer students than that, as a name does.
    """
    if not planned_once or reach is Reach.DISTRICT:
        return _students(reach, BOUND_PARAMS)
    return select(Student.id).where(
        Student.active, Student.id == any_(func.array(_reached(reach, _UNSEEN, once=False).scalar_subquery()))
    )


def _students(reach: Reach, whose: AccessParams) -> Select[int]:
    students = select(Student.id).where(Student.active)
    return students if reach is Reach.DISTRICT else students.where(Student.id.in_(_reached(reach, whose)))


def _reached(reach: Reach, whose: AccessParams, *, once: bool = True) -> Select[int] | CompoundSelect[int]:
    """Their ids, each once; or as often as they are reached, for what makes no difference between them."""
    if reach is Reach.CLASSES:
        return taught_students(whose)
    of_schools = select(StudentSchool.student_id).where(StudentSchool.school_id == any_(whose.school_ids))
    # A union can be walked from the school outwards; with OR, PostgreSQL looks at every student of the district.
    return of_schools.union(taught_students(whose)) if once else of_schools.union_all(taught_students(whose))


def can_see(reach: Reach, student_id: SQLColumnExpression[int]) -> ColumnElement[bool]:
    """Whether `ANYBODY` who reaches so far sees a student who is known already, asked from the student: the queries above look at
    all of a school, and `EXISTS`, too, may be turned into that.
    """
    if reach is Reach.DISTRICT:
        return true()
    in_class = (
        taught_students(BOUND_PARAMS).with_only_columns(true()).where(ClassStudent.student_id == student_id).limit(1)
    )
    if reach is Reach.CLASSES:
        return in_class.scalar_subquery()
    at_school = select(true()).where(
        StudentSchool.student_id == student_id, StudentSchool.school_id == any_(BOUND_PARAMS.school_ids)
    )
    return or_(at_school.limit(1).scalar_subquery(), in_class.scalar_subquery())


def taught_students(whose: AccessParams) -> Select[int]:
    """The ids of the students of somebody's own classes today."""
    learners, teachers = ClassStudent, ClassTeacher
    return (
        select(learners.student_id)
        .join(teachers, teachers.class_id == learners.class_id)
        .where(teachers.staff_id == any_(whose.staff_ids))
        .where(is_current(teachers, whose.today), is_current(learners, whose.today))
    )


def is_current(enrolment: type[ClassStudent | ClassTeacher], today: date | ColumnElement[date]) -> ColumnElement[bool]:
    """Whether an enrolment holds on a day of the district: blank dates mean the class's whole time, the end is exclusive."""
    return and_(
        enrolment.active,
        func.coalesce(enrolment.begins_on, today) <= today,
        func.coalesce(enrolment.ends_on > today, true()),
    )


def require_student(session: Session, student_id: int, *, actor: Actor) -> None:
    """Refuse a student whom this person may not see.

    Raises:
        UserError: the same sentence whether the student is hidden, gone or never was.
    """
    if not fetch_rows(session, _this_student(actor.reach), {**actor.sight.values, "student_id": student_id}):
        raise UserError(
            "access.no_student", "That student is not on your list any more. Type /cleanup to see it as it is now."
        )


_STUDENT_ID, _CONTACT_ID = (bindparam(name, type_=BigInteger) for name in ("student_id", "contact_id"))


@cache
def _this_student(reach: Reach) -> Select[int]:
    return select(Student.id).where(Student.id == _STUDENT_ID, Student.active, can_see(reach, Student.id))


def require_contact(session: Session, contact_id: int, *, actor: Actor, student_id: int | None = None) -> None:
    """Refuse a contact of none of the students this person may see, or (with `student_id`) not of that student.

    Raises:
        UserError: the same sentence whether the contact is hidden, removed or never was.
    """
    of_whom = {} if student_id is None else {"student_id": student_id}
    seen = _this_contact(actor.reach, of_one=student_id is not None)
    if not fetch_rows(session, seen, {**actor.sight.values, "contact_id": contact_id, **of_whom}):
        raise UserError(
            "access.no_contact", "That contact is not on your list any more. Type /cleanup to see it as it is now."
        )


@cache
def _this_contact(reach: Reach, *, of_one: bool) -> Select[int]:
    """A contact of any student who is reached so far, or of that one."""
    link = effective_contacts.c
    seen = select(link.contact_id).where(link.contact_id == _CONTACT_ID, can_see(reach, link.student_id))
    return (seen.where(link.student_id == _STUDENT_ID) if of_one else seen).limit(1)


def require_editor(actor: Actor) -> None:
    """Refuse whoever may look but not change.

    Raises:
        UserError: saying that editing is for other roles.
    """
    if not actor.may_edit:
        raise UserError(
            "access.no_editor",
            "You can see this list, but changing contacts is for other roles here. Please ask your registrar.",
        )


def require_exporter(actor: Actor) -> None:
    """Refuse whoever may not take names and numbers out as a file.

    Raises:
        UserError: saying that it is for other roles, or for nobody here.
    """
    if not actor.may_export:
        raise UserError(
            "access.no_exporter", "Taking changes out as a file is for other roles here. Please ask your registrar."
        )
