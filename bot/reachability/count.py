"""SQL that counts `Score`: for all groups of the district at once, or for some students.

A text counts as delivered for an adult if it went to the number that they have now, in a mass message that was final by the end of
the day and sent at most `REACHABLE_DAYS` before that, and if the adult can still be texted. As everywhere, a number that staff typed
tells nothing before a message went to it through this contact.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    CTE,
    BigInteger,
    Boolean,
    ColumnElement,
    CompoundSelect,
    FromClause,
    Select,
    SQLColumnExpression,
    Subquery,
    Text,
    and_,
    any_,
    case,
    column,
    exists,
    func,
    insert,
    literal,
    literal_column,
    or_,
    select,
    table,
    text,
    true,
    tuple_,
    union,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session, aliased

from bot.access import rights
from bot.cleanup_list.forecast import select_without_adult
from bot.cleanup_list.query import unnest_entries
from bot.cleanup_list.student_columns import has_other_way
from bot.cleanup_list.tried_numbers import CONTACTS_WITH_PROOF
from bot.db.models.base import ContactMethod
from bot.db.models.edits import IN_FORCE, Edit, Removal
from bot.db.models.listed_students import ListedStudent
from bot.db.models.messages import Delivery, ListChange, ListMove, MassMessage, PhoneNumber
from bot.db.models.roster import ClassStudent, ClassTeacher, Contact, Student, StudentContact, StudentSchool
from bot.db.models.views import NUMBER_STATUS, effective_contacts, textable
from bot.db.session import set_local, use_indexes
from bot.domain.sms_status import Outcome
from bot.reachability.score import GroupKind, Score

NUMBERS = tuple(field.name for field in fields(Score))
_OF_STUDENTS, _OF_CONTACTS = NUMBERS[:5], NUMBERS[5:]
# How a student can be reached at best; each includes the ones before it.
_UNREACHABLE, _OTHER_WAY, _TEXTABLE, _DELIVERED = range(4)
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


def count_groups(session: Session, window: Window) -> Select[*tuple[Any, ...]]:
    """Select a row for each group with students: the columns of `Group`, 0 and '' in place of None, and those of `Score`.

    To look at every contact through `effective_contacts` takes three times as long for a district of a million students
    (`tests/bench/bench_scores.py`). So students without a textable adult, who are few, are found as for a forecast, and only
    contacts with edits or removals are looked at one by one.
    """
    _find_unreachable(session)
    students, work = _students(window).cte("counted"), _work(window).cte("work")
    # The counts of a contact are of distinct ones anyway.
    taught = _taught(students, window.day).distinct().subquery("taught_students")
    by_students = union_all(*_by_group(students, taught, _count_students)).subquery("by_students")
    of_taught = _taught(work, window.day).subquery("taught_work")
    by_contacts = union_all(*_by_group(work, of_taught, _count_contacts)).subquery("by_contacts")
    same_group = and_(*(by_contacts.c[name] == by_students.c[name] for name in _GROUP))
    contacts = (func.coalesce(by_contacts.c[name], 0).label(name) for name in _OF_CONTACTS)
    columns = (by_students.c[name] for name in (*_GROUP, *_OF_STUDENTS))
    return select(*columns, *contacts).select_from(by_students.outerjoin(by_contacts, same_group))


# Students without a textable adult, until the transaction ends.
_without_adult = table("students_without_adult", column("student_id", BigInteger), column("other_ways", Boolean))
_CREATE_WITHOUT_ADULT = text("""
DROP TABLE IF EXISTS pg_temp.students_without_adult;
CREATE TEMPORARY TABLE students_without_adult (student_id bigint PRIMARY KEY, other_ways boolean NOT NULL) ON COMMIT DROP
""")
# After the forecast, which looks up rows one by one: from here on whole tables are joined.
_PLAN = ("enable_hashjoin = on", "random_page_cost = 4", "work_mem = '128MB'")


def _find_unreachable(session: Session) -> None:
    session.execute(_CREATE_WITHOUT_ADULT)
    session.execute(insert(_without_adult).from_select(["student_id", "other_ways"], select_without_adult(session)))
    session.execute(text("ANALYZE students_without_adult"))
    for setting in _PLAN:
        set_local(session, setting)


def _students(window: Window) -> Select[*tuple[Any, ...]]:
    reached = _reached_students(window).subquery("reached")
    level = case(
        (_without_adult.c.other_ways, _OTHER_WAY),
        (_without_adult.c.student_id.is_not(None), _UNREACHABLE),
        (reached.c.student_id.is_not(None), _DELIVERED),
        else_=_TEXTABLE,
    )
    return (
        select(Student.id.label("student_id"), Student.grade, level.label("level"))
        .outerjoin(reached, reached.c.student_id == Student.id)
        .outerjoin(_without_adult, _without_adult.c.student_id == Student.id)
        .where(Student.active)
    )


def _reached_students(window: Window) -> CompoundSelect[int]:
    """Select the students with a textable adult who got a text, each once.

    Contacts without edits and removals have the values of the SIS; for all others the view is asked.
    """
    reached = _delivered_messages(window).with_only_columns(Delivery.phone)
    removed = select(Removal.contact_id).where(Removal.undone_at.is_(None))
    changed = union(removed, CONTACTS_WITH_PROOF, select(Edit.contact_id).where(Edit.state.in_(IN_FORCE))).cte(
        "changed"
    )
    number = aliased(PhoneNumber, name="n")
    has_status = exists().where(number.phone == Contact.sis_phone, literal_column(NUMBER_STATUS, Text).is_not(None))
    unchanged = select(Contact.id).where(
        *(Contact.active, Contact.sis_method == ContactMethod.TEXT, Contact.sis_phone.in_(reached)),
        *(~has_status, Contact.id.not_in(select(changed.c.contact_id))),
    )
    by_sis = select(StudentContact.student_id).where(StudentContact.active, StudentContact.contact_id.in_(unchanged))
    adult = effective_contacts.c
    by_view = select(adult.student_id).where(
        *(adult.contact_id.in_(select(changed.c.contact_id)), textable, adult.is_tried, adult.phone.in_(reached))
    )
    return union(by_sis, by_view)


def count_of(session: Session, student_ids: Sequence[int], window: Window) -> Score:
    """Return the score of these active students together, as of now."""
    use_indexes(session)
    chosen = select(func.unnest(literal(list(student_ids), ARRAY(BigInteger))).label("student_id")).cte("chosen")
    to_number = _delivered_messages(window).where(Delivery.phone == effective_contacts.c.phone)
    has_delivery = and_(effective_contacts.c.is_tried, to_number.correlate(effective_contacts).exists())
    # `OFFSET 0` keeps it at looking up the contacts of each student; as a join it becomes one of the whole district.
    level = case(
        (and_(textable, has_delivery), _DELIVERED),
        (textable, _TEXTABLE),
        (has_other_way(effective_contacts.c), _OTHER_WAY),
        else_=_UNREACHABLE,
    )
    adult = (
        select(func.max(level).label("level"))
        .where(effective_contacts.c.student_id == chosen.c.student_id)
        .offset(literal_column("0"))
        .lateral("adult")
    )
    best = func.coalesce(adult.c.level, _UNREACHABLE).label("level")
    students = select(best).select_from(chosen.join(adult, true())).cte("counted")
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


def _count_students(students: FromClause) -> Iterator[ColumnElement[Any]]:
    yield func.count().label("students")
    for name, level in (("delivered", _DELIVERED), ("textable", _TEXTABLE), ("reachable", _OTHER_WAY)):
        yield func.count().filter(students.c.level >= level).label(name)
    yield func.count().filter(students.c.level == _UNREACHABLE).label("unreachable")


def _work(window: Window) -> Select[*tuple[Any, ...]]:
    """Select the contacts of each student that are on the list (`to_fix`, `fixed`), and those `confirmed` by a message of the day."""
    entry = unnest_entries(ListedStudent.__table__)
    listed = select(
        *(ListedStudent.id.label("student_id"), ListedStudent.grade, entry.c.contact_id),
        case((entry.c.waiting, "fixed"), else_="to_fix").label("state"),
    ).join(entry, true())
    fixed = (
        select(ListChange.contact_id)
        .join(MassMessage, MassMessage.id == ListChange.mass_message_id)
        .where(ListChange.move == ListMove.LEFT, ListChange.fixed_by.is_not(None))
        .where(MassMessage.settled_at >= window.start, MassMessage.settled_at < window.end)
        .distinct()
        .cte("confirmed")
        .prefix_with("MATERIALIZED")
    )
    links = select(effective_contacts.c.student_id).where(effective_contacts.c.contact_id == fixed.c.contact_id)
    link = links.offset(literal_column("0")).lateral("link")  # As in `count_of`.
    confirmed = (
        select(link.c.student_id, Student.grade, fixed.c.contact_id, literal("confirmed", Text))
        .join_from(fixed, link, true())
        .join(Student, Student.id == link.c.student_id)
    )
    return select(union_all(listed, confirmed).subquery())


def _count_contacts(work: FromClause) -> Iterator[ColumnElement[Any]]:
    for name in _OF_CONTACTS:
        yield func.count(work.c.contact_id.distinct()).filter(work.c.state == name).label(name)


def _taught(rows: CTE, day: date) -> Select[*tuple[Any, ...]]:
    """Select the rows of students with those who teach them that day, at each of the student's schools."""
    return (
        select(rows, StudentSchool.school_id, ClassTeacher.staff_id)
        .join_from(rows, ClassStudent, ClassStudent.student_id == rows.c.student_id)
        .join(ClassTeacher, ClassTeacher.class_id == ClassStudent.class_id)
        .join(StudentSchool, StudentSchool.student_id == rows.c.student_id)
        .where(rights.is_current(ClassStudent, literal(day)), rights.is_current(ClassTeacher, literal(day)))
    )


Count = Callable[[FromClause], Iterator[ColumnElement[Any]]]


def _by_group(rows: CTE, taught: Subquery, count: Count) -> Iterator[Select[*tuple[Any, ...]]]:
    """Yield queries with the counts of each group; `rows` have `student_id` and `grade`."""
    at_school = rows.join(StudentSchool, StudentSchool.student_id == rows.c.student_id)
    school, grade = StudentSchool.school_id, rows.c.grade
    school_or_grade = (literal(each, Text) for each in (GroupKind.SCHOOL, GroupKind.GRADE))
    kind = case((func.grouping(grade) == 1, next(school_or_grade)), else_=next(school_or_grade))
    yield select(*_group(literal(GroupKind.DISTRICT, Text)), *count(rows)).select_from(rows)
    yield (
        select(*_group(kind, school=school, grade=func.coalesce(grade, "")), *count(rows))
        .select_from(at_school)
        .group_by(func.grouping_sets(tuple_(school), tuple_(school, grade)))
        .having(or_(func.grouping(grade) == 1, grade.is_not(None)))
    )
    yield (
        select(
            *_group(literal(GroupKind.TEACHER, Text), school=taught.c.school_id, staff=taught.c.staff_id),
            *count(taught),
        ).group_by(taught.c.school_id, taught.c.staff_id)
    )


_NONE, _NO_GRADE = literal(0, BigInteger), literal("", Text)


def _group(
    kind: SQLColumnExpression[Any],
    *,
    school: SQLColumnExpression[Any] = _NONE,
    grade: SQLColumnExpression[Any] = _NO_GRADE,
    staff: SQLColumnExpression[Any] = _NONE,
) -> list[ColumnElement[Any]]:
    return [value.label(name) for name, value in zip(_GROUP, (kind, school, grade, staff), strict=True)]
