"""SQL that counts `Score`: for all groups of the district at once, or for some students.

A text counts as delivered for an adult if it went to the number that they have now, in a mass message that was final by the end of
the day and sent at most `REACHABLE_DAYS` before that, and if the adult can still be texted. As everywhere, a number that staff typed
tells nothing before a message went to it through this contact.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    FromClause,
    Select,
    Text,
    and_,
    any_,
    case,
    func,
    literal,
    literal_column,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from bot.access import rights
from bot.cleanup_list.query import has_other_way, unnest_entries, use_indexes
from bot.db.models.listed_students import ListedStudent
from bot.db.models.messages import Delivery, ListChange, ListMove, MassMessage
from bot.db.models.roster import ClassStudent, ClassTeacher, Student, StudentSchool
from bot.db.models.views import effective_contacts, textable
from bot.domain.sms_status import Outcome
from bot.reachability.score import GroupKind, Score

NUMBERS = tuple(field.name for field in fields(Score))
_OF_STUDENTS, _OF_CONTACTS = NUMBERS[:5], NUMBERS[5:]
_GROUP = ("kind", "school_id", "grade", "staff_id")


@dataclass(frozen=True)
class Window:
    """A day of the district, from `start` to `end`, and `since` when texts count as delivered."""

    day: date
    since: datetime
    start: datetime
    end: datetime


def window_of(day: date, *, zone: ZoneInfo, reachable_days: int) -> Window:
    start, end = (datetime.combine(each, datetime.min.time(), tzinfo=zone) for each in (day, day + timedelta(days=1)))
    return Window(day, end - timedelta(days=reachable_days), start, end)


def count_groups(window: Window) -> Select[*tuple[Any, ...]]:
    """Select a row for each group with students: the columns of `Group`, 0 and '' in place of None, and those of `Score`."""
    reached = _delivered_messages(window).with_only_columns(Delivery.phone).distinct().subquery("reached")
    has_delivery = and_(effective_contacts.c.is_tried, reached.c.phone.is_not(None))
    adults = (
        select(effective_contacts.c.student_id, *_ways(effective_contacts.c, has_delivery))
        .join_from(effective_contacts, reached, reached.c.phone == effective_contacts.c.phone, isouter=True)
        .group_by(effective_contacts.c.student_id)
        .subquery("adults")
    )
    students = (
        select(Student.id.label("student_id"), Student.grade, *_known(adults))
        .outerjoin(adults, adults.c.student_id == Student.id)
        .where(Student.active)
        .cte("counted")
    )
    taught = _taught(window.day)
    work = _work(window).cte("work")
    by_students = union_all(*_by_group(students, taught, _count_students(students))).subquery("by_students")
    by_contacts = union_all(*_by_group(work, taught, _count_contacts(work))).subquery("by_contacts")
    same_group = and_(*(by_contacts.c[name] == by_students.c[name] for name in _GROUP))
    contacts = (func.coalesce(by_contacts.c[name], 0).label(name) for name in _OF_CONTACTS)
    columns = (by_students.c[name] for name in (*_GROUP, *_OF_STUDENTS))
    return select(*columns, *contacts).select_from(by_students.outerjoin(by_contacts, same_group))


def count_of(session: Session, student_ids: Sequence[int], window: Window) -> Score:
    """Return the score of these active students together, as of now."""
    use_indexes(session)
    chosen = select(func.unnest(literal(list(student_ids), ARRAY(BigInteger))).label("student_id")).cte("chosen")
    to_number = _delivered_messages(window).where(Delivery.phone == effective_contacts.c.phone)
    has_delivery = and_(effective_contacts.c.is_tried, to_number.correlate(effective_contacts).exists())
    # `OFFSET 0` keeps it at looking up the contacts of each student; as a join it becomes one of the whole district.
    adult = (
        select(*_ways(effective_contacts.c, has_delivery))
        .where(effective_contacts.c.student_id == chosen.c.student_id)
        .offset(literal_column("0"))
        .lateral("adult")
    )
    students = select(*_known(adult)).select_from(chosen.join(adult, true())).cte("counted")
    entries = _work(window).subquery("entries")
    work = select(entries).where(
        entries.c.student_id == any_(func.array(select(chosen.c.student_id).scalar_subquery()))
    )
    of_contacts = work.cte("work")
    counts = session.execute(select(*_count_students(students))).one()
    return Score(*counts, *session.execute(select(*_count_contacts(of_contacts))).one())


def _delivered_messages(window: Window) -> Select[*tuple[Any, ...]]:
    """Select the deliveries that count, joined with their messages."""
    return (
        select(Delivery.id)
        .join(MassMessage, MassMessage.id == Delivery.mass_message_id)
        .where(Delivery.outcome == Outcome.DELIVERED, MassMessage.silent_at.is_(None))
        .where(MassMessage.sent_at >= window.since, MassMessage.sent_at < window.end)
        .where(MassMessage.settled_at < window.end)
    )


def _ways(adult: ReadOnlyColumnCollection[str, Any], has_delivery: ColumnElement[bool]) -> Iterator[ColumnElement[Any]]:
    """Yield whether one of the adults of a student was delivered to, can be texted, and can be reached."""
    yield func.bool_or(and_(textable, has_delivery)).label("delivered")
    yield func.bool_or(textable).label("textable")
    yield func.bool_or(or_(textable, has_other_way(adult))).label("reachable")


def _known(adults: FromClause) -> Iterator[ColumnElement[Any]]:
    """Yield the columns of `_ways`, false for a student without adults."""
    return (func.coalesce(adults.c[name], False).label(name) for name in ("delivered", "textable", "reachable"))


def _count_students(students: CTE) -> Iterator[ColumnElement[Any]]:
    yield func.count().label("students")
    for name in ("delivered", "textable", "reachable"):
        yield func.count().filter(students.c[name]).label(name)
    yield func.count().filter(~students.c.reachable).label("unreachable")


def _work(window: Window) -> Select[*tuple[Any, ...]]:
    """Select the contacts of each student that are on the list (`to_fix`, `fixed`), and those `confirmed` by a message of the day."""
    entry = unnest_entries(ListedStudent.__table__)
    listed = select(
        *(ListedStudent.id.label("student_id"), ListedStudent.grade, entry.c.contact_id),
        case((entry.c.waiting, "fixed"), else_="to_fix").label("state"),
    ).join(entry, true())
    link = effective_contacts.c
    confirmed = (
        select(link.student_id, Student.grade, link.contact_id, literal("confirmed", Text))
        .select_from(ListChange)
        .join(MassMessage, MassMessage.id == ListChange.mass_message_id)
        .join(effective_contacts, link.contact_id == ListChange.contact_id)
        .join(Student, Student.id == link.student_id)
        .where(ListChange.move == ListMove.LEFT, ListChange.fixed_by.is_not(None))
        .where(MassMessage.settled_at >= window.start, MassMessage.settled_at < window.end)
    )
    return select(union_all(listed, confirmed).subquery())


def _count_contacts(work: CTE) -> Iterator[ColumnElement[Any]]:
    for name in _OF_CONTACTS:
        yield func.count(work.c.contact_id.distinct()).filter(work.c.state == name).label(name)


def _taught(day: date) -> CTE:
    """Select each student with those who teach them that day, at each of the student's schools."""
    return (
        select(ClassStudent.student_id, StudentSchool.school_id, ClassTeacher.staff_id)
        .join(ClassTeacher, ClassTeacher.class_id == ClassStudent.class_id)
        .join(StudentSchool, StudentSchool.student_id == ClassStudent.student_id)
        .where(rights.is_current(ClassStudent, literal(day)), rights.is_current(ClassTeacher, literal(day)))
        .distinct()
        .cte("taught")
    )


def _by_group(rows: CTE, taught: CTE, counts: Iterator[ColumnElement[Any]]) -> Iterator[Select[*tuple[Any, ...]]]:
    """Yield queries with the counts of each group; `rows` have `student_id` and `grade`."""
    columns, place = list(counts), StudentSchool.school_id

    def group(kind: GroupKind, school: Any = None, level: Any = None, staff: Any = None) -> list[ColumnElement[Any]]:
        values = (
            *(literal(kind, Text), literal(0, BigInteger) if school is None else school),
            *(literal("", Text) if level is None else level, literal(0, BigInteger) if staff is None else staff),
        )
        return [value.label(name) for name, value in zip(_GROUP, values, strict=True)]

    at_school = rows.join(StudentSchool, StudentSchool.student_id == rows.c.student_id)
    yield select(*group(GroupKind.DISTRICT), *columns).select_from(rows)
    yield select(*group(GroupKind.SCHOOL, place), *columns).select_from(at_school).group_by(place)
    of_grade = select(*group(GroupKind.GRADE, place, rows.c.grade), *columns).select_from(at_school)
    yield of_grade.where(rows.c.grade.is_not(None)).group_by(place, rows.c.grade)
    of_teacher = select(*group(GroupKind.TEACHER, taught.c.school_id, None, taught.c.staff_id), *columns)
    of_teacher = of_teacher.select_from(rows.join(taught, taught.c.student_id == rows.c.student_id))
    yield of_teacher.group_by(taught.c.school_id, taught.c.staff_id)
