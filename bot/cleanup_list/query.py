"""Parts of SQL for reading the list: the students and entries that a filter selects, and the rows of students and contacts.

Statements that every command runs are built once per (criteria, access level) with placeholders; `query_params` gives the values.
Names match the student or the listed contact, by parts of words in any order. A teacher is anyone who teaches the student today.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    CTE,
    BigInteger,
    BindParameter,
    Boolean,
    ColumnElement,
    FromClause,
    Select,
    SQLColumnExpression,
    Subquery,
    TableValuedAlias,
    Text,
    all_,
    any_,
    bindparam,
    case,
    column,
    func,
    or_,
    select,
    true,
)

from bot.access import rights
from bot.access.rights import BOUND_PARAMS, AccessLevel, Actor
from bot.cleanup_list.calls import CALL_COLUMNS, LastCall, call_from_row
from bot.cleanup_list.student_columns import both_current, work_order
from bot.db.models.base import ContactMethod
from bot.db.models.folding import full_name
from bot.db.models.listed_students import ALL_FIXED, WAITING, ListedStudent
from bot.db.models.messages import ListEntry
from bot.db.models.roster import (
    ClassStudent,
    ClassTeacher,
    Contact,
    School,
    SchoolClass,
    Staff,
    Student,
    StudentContact,
    StudentSchool,
)
from bot.db.models.views import effective_contacts
from bot.domain import display
from bot.domain.names import INITIALS, fold, search_words, word_parts
from bot.domain.sms_status import SmsStatus
from bot.filters.filter import Criteria, Criterion, Filter
from bot.filters.words import TITLES


def _texts(name: str) -> BindParameter[Any]:
    return bindparam(name, type_=ARRAY(Text))


GRADES, STATUSES, NAMES = _texts(Criterion.GRADES), _texts(Criterion.STATUSES), _texts(Criterion.NAMES)
TEACHER, SCHOOL = _texts(Criterion.TEACHER), _texts(Criterion.SCHOOL)
_INITIALS = _texts(Criterion.LETTER)
_STUDENT_IDS = bindparam(Criterion.STUDENT_IDS, type_=ARRAY(BigInteger))
_CLASS = bindparam(Criterion.CLASS, type_=Text)
_READER = bindparam("reader", type_=Text)  # The Slack user who asks.


# Criteria that some contacts of a student may meet, and others not.
_OF_ENTRIES = {Criterion.STATUSES, Criterion.NAMES, Criterion.WAITING}


# Which students and entries a filter selects.


def narrow_students(students: Select[int], which: Filter, *, today: date) -> Select[int]:
    """Narrow a query of student ids by the filter's grades, school, teacher, class, and letter. `today` is the district's date."""
    return students.where(*student_conditions(which.criteria)).params(filter_params(which, today=today))


def student_conditions(
    criteria: Criteria, student: type[Student | ListedStudent] = Student
) -> Iterator[ColumnElement[bool]]:
    """Yield the conditions on a student. Names and SMS statuses concern contacts, too, and are left to the caller."""
    if Criterion.STUDENT_IDS in criteria:
        yield student.id == any_(_STUDENT_IDS)
    if Criterion.GRADES in criteria:
        yield student.grade == any_(GRADES)
    if Criterion.LETTER in criteria:
        yield func.left(student.family_name, 1) == any_(_INITIALS)
    if Criterion.SCHOOL in criteria:
        named = has_words(func.folded_name(School.name, ""), SCHOOL)
        at_school = select(StudentSchool.student_id).join(School, School.id == StudentSchool.school_id)
        yield student.id.in_(at_school.where(named))
    if Criterion.TEACHER in criteria:
        taught = (
            select(ClassStudent.student_id)
            .join(ClassTeacher, ClassTeacher.class_id == ClassStudent.class_id)
            .join(Staff, Staff.id == ClassTeacher.staff_id)
            .where(has_words(Staff.search, TEACHER), *both_current(BOUND_PARAMS.today))
        )
        yield student.id.in_(taught)
    if Criterion.CLASS in criteria:
        in_class = (
            select(ClassStudent.student_id)
            .join(SchoolClass, SchoolClass.id == ClassStudent.class_id)
            .where(func.lower(SchoolClass.title).regexp_match(_CLASS))
            .where(SchoolClass.active, rights.is_current(ClassStudent, BOUND_PARAMS.today))
        )
        yield student.id.in_(in_class)


def filter_params(which: Filter, *, today: date) -> dict[str, Any]:
    return {
        "today": today,
        Criterion.GRADES: list(which.grades),
        Criterion.STUDENT_IDS: list(which.student_ids),
        Criterion.STATUSES: [str(status) for status in which.statuses],
        Criterion.NAMES: word_patterns(" ".join(which.names)) if which.names else [],
        Criterion.TEACHER: person_patterns(which.teacher) if which.teacher else [],
        Criterion.SCHOOL: word_patterns(which.school) if which.school else [],
        Criterion.LETTER: INITIALS.get(which.letter or "", []),
        Criterion.CLASS: rf"(^|\W){re.escape(which.class_title.lower())}($|\W)" if which.class_title else "",
    }


def query_params(which: Filter, actor: Actor) -> dict[str, Any]:
    """Return the parameters of a statement made of `matching_students` or `matching_entries`."""
    return {**actor.scope.params, **filter_params(which, today=actor.today), "reader": actor.user_id}


def has_words(folded: SQLColumnExpression[str], patterns: BindParameter[Any]) -> ColumnElement[bool]:
    """Return the condition that a folded name has all words; the parameter's value is made by `word_patterns`."""
    return folded.like(all_(patterns))


def word_patterns(words: str) -> list[str]:
    """Return a LIKE pattern for each word. Folded words are letters and digits only, so none contains a wildcard."""
    return [f"%{'%'.join(word_parts(word))}%" for word in search_words(words)]


def person_patterns(words: str) -> list[str]:
    """Return the patterns of a person's name, leaving out titles (Ms., Mr.)."""
    return word_patterns(" ".join(word for word in fold(words).split() if word not in TITLES))


def matching_students(criteria: Criteria, level: AccessLevel, *also: ColumnElement[bool]) -> CTE:
    """Return a row for each student with matching entries: how the student can be reached, the `contact_ids` of the entries with
    their `statuses`, which of them were fixed (`waits`), and the `worst` of those. `also` are conditions on `ListEntry`.
    """
    if Criterion.MINE in criteria:
        also = (*also, ListEntry.claimed_by == _READER)
    narrows_entries = bool(also) or not criteria.isdisjoint(_OF_ENTRIES)
    entries = _narrowed_entries(criteria, also) if narrows_entries else ListedStudent.__table__
    # A student may have other contacts to fix than those that match.
    need = (
        case((entries.c.worst == ALL_FIXED, WAITING), else_=ListedStudent.need)
        if narrows_entries
        else ListedStudent.need
    )
    students = (
        select(
            *(ListedStudent.id.label("student_id"), ListedStudent.given_name, ListedStudent.family_name),
            *(ListedStudent.grade, ListedStudent.grade_order),
            *(ListedStudent.textable, ListedStudent.other_ways, need.label("need")),
            *(entries.c.contact_ids, entries.c.statuses, entries.c.waits, entries.c.worst),
        )
        .where(_is_visible(criteria, level))
        .where(*student_conditions(criteria, ListedStudent), entries.c.worst.is_not(None))
    )
    if Criterion.NO_ADULT in criteria:
        students = students.where(ListedStudent.textable == 0)
    if Criterion.STATUSES in criteria:
        students = students.where(ListedStudent.statuses.op("&&")(STATUSES))
    if Criterion.WAITING in criteria:
        students = students.where(true() == any_(ListedStudent.waits))
    if narrows_entries:
        students = students.join(Student, Student.id == ListedStudent.id).join(entries, true())
        # Statuses stand beside the students: without names and further conditions, this would be the whole list again.
        if level is AccessLevel.DISTRICT and (also or Criterion.NAMES in criteria):
            students = students.where(ListedStudent.id.in_(_students_of_entries(criteria, also)))
    # The whole list of a district is cheaper to read three times than to copy.
    is_whole = level is AccessLevel.DISTRICT and not criteria and not also
    return students.cte("listed").prefix_with("NOT MATERIALIZED" if is_whole else "MATERIALIZED")


def _is_visible(criteria: Criteria, level: AccessLevel) -> ColumnElement[bool]:
    if Criterion.STUDENT_IDS in criteria:
        return rights.can_see(level, ListedStudent.id)
    return rights.is_visible(level, ListedStudent.id, generic_plan=Criterion.NAMES not in criteria)


def _narrowed_entries(criteria: Criteria, also: Sequence[ColumnElement[bool]]) -> FromClause:
    """Select the entries of a listed student that match, with columns like those of `ListedStudent`; `worst` is null for none."""
    entry = unnest_entries(ListedStudent.__table__)
    kept = select(
        func.array_agg(entry.c.contact_id).label("contact_ids"),
        func.array_agg(entry.c.status).label("statuses"),
        func.array_agg(entry.c.waiting).label("waits"),
        func.min(case((entry.c.waiting, ALL_FIXED), else_=work_order(entry.c.status) + 1)).label("worst"),
    )
    if Criterion.STATUSES in criteria:
        kept = kept.where(entry.c.status == any_(STATUSES))
    if Criterion.WAITING in criteria:
        kept = kept.where(entry.c.waiting)
    if also:
        kept = kept.join(ListEntry, ListEntry.contact_id == entry.c.contact_id).where(*also)
    if Criterion.NAMES in criteria:
        named = or_(has_words(Student.search, NAMES), has_words(Contact.search, NAMES))
        kept = kept.join(Contact, Contact.id == entry.c.contact_id).where(named)
    return kept.correlate(ListedStudent, Student).lateral("kept")


def _students_of_entries(criteria: Criteria, also: Sequence[ColumnElement[bool]]) -> Select[int]:
    """Select the students of the entries with these names, found by the names beside the entries."""
    named = [has_words(ListEntry.names, NAMES)] if Criterion.NAMES in criteria else []
    entries = select(ListEntry.contact_id).where(*named, *also)
    return select(StudentContact.student_id).where(StudentContact.contact_id.in_(entries))


def matching_entries(criteria: Criteria, level: AccessLevel, *also: ColumnElement[bool]) -> Subquery:
    """Return the rows of `matching_students` with one row per entry: `contact_id`, `status`, and `waiting`."""
    students = matching_students(criteria, level, *also)
    entry = unnest_entries(students)
    return select(students, entry).join(entry, true()).subquery("entries")


def unnest_entries(students: FromClause) -> TableValuedAlias:
    entries = func.unnest(students.c.contact_ids, students.c.statuses, students.c.waits)
    columns = (column("contact_id", BigInteger), column("status", Text), column("waiting", Boolean))
    return entries.table_valued(*columns).render_derived("entry")


# Rows of students and of listed contacts.


@dataclass(frozen=True)
class OtherStudent:
    """Another student of a listed contact, if the reader may see them. `stands_before`: the list reaches that student first."""

    name: str
    family_name: str
    grade: str | None
    stands_before: bool


@dataclass(frozen=True)
class ListedContact:
    """A contact on the list. Phones are E.164, for the caller to mask.

    `listed_phone` is the number that could not be reached, to which `status` belongs; `phone` is the number now. `updated_at` is
    set where the contact was edited since; `claimed_by` is the Slack user who works on it, and `call` the last call about it.
    `others` are the contact's other students, loaded for a page only.
    """

    contact_id: int
    version: int
    name: str
    relationship: str | None
    status: SmsStatus
    since: datetime
    listed_phone: str | None
    phone: str | None
    method: ContactMethod
    updated_at: datetime | None
    claimed_by: str | None
    call: LastCall | None = None
    others: tuple[OtherStudent, ...] = ()

    @property
    def stands_above(self) -> bool:
        """Siblings are one call: a contact is shown under the first of the students, in the order of the list."""
        return any(other.stands_before for other in self.others)


@dataclass(frozen=True)
class StudentRow:
    """A student of the list. `textable` is the number of adults who can be texted; `other_ways`: an adult gets calls or email.

    `teachers` are at most three, homeroom first; in a page they are family names.
    """

    student_id: int
    name: str
    family_name: str
    grade: str | None
    schools: tuple[str, ...]
    teachers: tuple[str, ...]
    listed: tuple[ListedContact, ...]
    textable: int
    other_ways: bool


def listed_contacts_query(student_id: SQLColumnExpression[int]) -> Select[*tuple[Any, ...]]:
    """Select the listed contacts of a student, for `contact_from_row`, with their `turn`.

    The row number makes PostgreSQL look them up student by student instead of for everyone at once.
    """
    adult, entry = effective_contacts.c, ListEntry
    return (
        select(
            adult.contact_id,
            full_name(adult.given_name, adult.family_name).label("contact_name"),
            *(adult.relationship, adult.phone, adult.method),
            *(entry.status, entry.since, entry.phone.label("listed_phone")),
            *(entry.updated_at, entry.claimed_by, *CALL_COLUMNS, BOUND_PARAMS.today.label("today")),
            Contact.version,
            func.row_number()
            .over(
                order_by=(
                    entry.updated_at.is_not(None),
                    work_order(entry.status),
                    adult.priority.nulls_last(),
                    adult.contact_id,
                )
            )
            .label("turn"),
        )
        .join_from(effective_contacts, entry, entry.contact_id == adult.contact_id)
        .join(Contact, Contact.id == adult.contact_id)
        .where(adult.student_id == student_id)
    )


def student_from_row(row: Any, listed: Iterable[ListedContact] = ()) -> StudentRow:
    """Build a student from a row with names, grade, the columns of `reachability_query`, `schools`, and `teachers`."""
    return StudentRow(
        student_id=row.student_id,
        name=display.full_name(row.given_name, row.family_name),
        family_name=row.family_name,
        grade=row.grade,
        schools=tuple(row.schools),
        teachers=tuple(row.teachers),
        listed=tuple(listed),
        textable=row.textable,
        other_ways=row.other_ways,
    )


def contact_from_row(row: Any) -> ListedContact:
    """Build a listed contact from a row of `listed_contacts_query`."""
    return ListedContact(
        contact_id=row.contact_id,
        version=row.version,
        name=row.contact_name,
        relationship=row.relationship,
        status=SmsStatus(row.status),
        since=row.since,
        listed_phone=row.listed_phone,
        phone=row.phone,
        method=ContactMethod(row.method),
        updated_at=row.updated_at,
        claimed_by=row.claimed_by,
        call=call_from_row(row),
        others=tuple(map(_other_student, row.others or ())),
    )


def _other_student(values: Sequence[Any]) -> OtherStudent:
    given, family, level, stands_before = values
    return OtherStudent(display.full_name(given, family), family, level, stands_before)
