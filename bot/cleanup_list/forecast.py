"""The expected result of a mass message sent now: who would get it, who would miss it, and which
students would have no adult who gets it.

The contacts of the selected students are looked up student by student. For a district of a million
students that would take 10 s, so its few contacts who would not get a text are found first, and all
others are only counted.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Select,
    SQLColumnExpression,
    Subquery,
    Text,
    and_,
    case,
    exists,
    false,
    func,
    literal,
    literal_column,
    or_,
    select,
    true,
    union,
    union_all,
)
from sqlalchemy.orm import Session, aliased
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from bot.access import rights
from bot.access.rights import AccessLevel, Actor
from bot.cleanup_list.query import StudentRow, narrow_students, student_from_row
from bot.cleanup_list.student_columns import grade_order, has_other_way, reachability_query, school_names, teacher_names
from bot.cleanup_list.tried_numbers import CONTACTS_WITH_PROOF
from bot.db.models.base import ContactMethod
from bot.db.models.edits import IN_FORCE, Edit, Removal
from bot.db.models.listed_students import TEXTABLE, WAITING, ListedStudent
from bot.db.models.messages import PhoneNumber
from bot.db.models.roster import Contact, Student, StudentContact
from bot.db.models.views import NUMBER_STATUS, effective_contacts
from bot.db.session import set_local, use_indexes
from bot.domain.sms_status import SEVERITY, SmsStatus
from bot.filters.filter import STUDENT_CRITERIA, Filter, page_count

_DELIVERED, _NOT_TEXTED = "delivered", "not_texted"
# All links of a district are read once, in the order of an index: a hash table of them would be written to the disk in parts, and
# several processes would each read all of them.
_DISTRICT_PLAN = ("enable_hashjoin = off", "max_parallel_workers_per_gather = 0", "work_mem = '32MB'")


@dataclass(frozen=True)
class Forecast:
    """Numbers of contacts, each counted once: `delivered` would get the text as far as the last messages
    showed; `missed` would not, by status; `not_texted` get calls or email.

    `without_adult` counts students none of whose adults gets the text; `students` is one page of them,
    first those who cannot be reached in another way either. `page` is the page asked for, or the last.
    """

    delivered: int
    missed: Mapping[SmsStatus, int]
    not_texted: int
    without_adult: int
    students: tuple[StudentRow, ...]
    page: int
    pages: int


@dataclass(frozen=True)
class _Parts:
    """CTEs of a forecast. `expected_counts`: `expected` (a status, or one of the words above) and `contacts`, their number.
    `without_adult`: `student_id` and `other_ways`.
    """

    expected_counts: CTE
    without_adult: CTE


def load_forecast(session: Session, which: Filter, *, actor: Actor, page_size: int) -> Forecast:
    """Return the forecast for the contacts of the filter's students, as far as this person may see them.

    A filter's names and SMS statuses are ignored, because no mass message is sent by them.
    """
    is_district = actor.level is AccessLevel.DISTRICT and not which.criteria & STUDENT_CRITERIA
    students = None if is_district else narrow_students(rights.visible_students(actor), which, today=actor.today)
    parts = _prepare(session, students)
    rows = session.execute(_forecast_query(parts, actor, which.page, page_size)).all()
    counts, total = rows[0].counts or {}, rows[0].total
    pages = page_count(total, page_size)
    return Forecast(
        delivered=counts.get(_DELIVERED, 0),
        missed={status: counts[status] for status in SEVERITY if status in counts},
        not_texted=counts.get(_NOT_TEXTED, 0),
        without_adult=total,
        students=tuple(student_from_row(row) for row in rows if row.student_id is not None),
        page=min(which.page, pages),
        pages=pages,
    )


def count_without_adult(session: Session, students: Select[int] | None) -> int:
    """Return how many of these active students (a query of ids, or None for all) have no adult who
    would get a text.
    """
    return session.scalar(select(func.count()).select_from(_prepare(session, students).without_adult)) or 0


def select_without_adult(session: Session) -> Select[*tuple[Any, ...]]:
    """Select the active students of the district without a textable adult, each once: `student_id` and
    `other_ways`.

    The settings of its plan hold until the transaction ends.
    """
    without_adult = _prepare(session, None).without_adult
    return select(without_adult.c.student_id, without_adult.c.other_ways)


def _prepare(session: Session, students: Select[int] | None) -> _Parts:
    use_indexes(session)
    if students is not None:
        return _of_students(students)
    for setting in _DISTRICT_PLAN:
        set_local(session, setting)
    return _of_district()


def _of_students(students: Select[int]) -> _Parts:
    """Look up the contacts of each student. Without `OFFSET 0` the planner joins all contacts of the
    district.
    """
    chosen = students.cte("chosen").prefix_with("MATERIALIZED")
    adult = (
        select(effective_contacts.c.contact_id, *_outcome(effective_contacts.c))
        .where(effective_contacts.c.student_id == chosen.c.id)
        .offset(literal_column("0"))
        .lateral("adult")
    )
    links = (
        select(chosen.c.id.label("student_id"), adult)
        .join_from(chosen, adult, true(), isouter=True)
        .cte("links")
        .prefix_with("MATERIALIZED")
    )
    contacts = select(links.c.contact_id, links.c.expected).where(links.c.contact_id.is_not(None)).distinct().subquery()
    expected_counts = (
        select(contacts.c.expected, func.count().label("contacts")).group_by(contacts.c.expected).cte("expected_counts")
    )
    without_adult = (
        select(links.c.student_id, func.coalesce(func.bool_or(links.c.other_way), False).label("other_ways"))
        .group_by(links.c.student_id)
        .having(~func.coalesce(func.bool_or(links.c.expected == _DELIVERED), False))
        .cte("without_adult")
    )
    return _Parts(expected_counts, without_adult)


def _outcome(adult: ReadOnlyColumnCollection[str, Any]) -> tuple[ColumnElement[Any], ...]:
    """Return `expected` and `other_way` of contacts with the columns of `effective_contacts`."""
    expected = case(
        (adult.method != ContactMethod.TEXT, _NOT_TEXTED),
        (adult.phone.is_(None), SmsStatus.NO_NUMBER),
        else_=func.coalesce(adult.sms_status, _DELIVERED),
    )
    return expected.label("expected"), has_other_way(adult).label("other_way")


def _of_district() -> _Parts:
    """Find the few contacts of all students who would miss the message, and count the others.

    Contacts with a link that may be hidden (`uncertain`), edited contacts, and those who proved their
    number are read from the view. All others have the values of the SIS, and each of their links
    counts: indexes hold enough of them, so most links need not be read.
    """
    link, adult = StudentContact, effective_contacts.c
    uncertain = _with_hidden_link()
    changed = union(
        select(uncertain.c.contact_id),
        select(Edit.contact_id).where(Edit.state.in_(IN_FORCE)),
        CONTACTS_WITH_PROOF,
    )
    from_view = (
        select(adult.student_id, adult.contact_id, *_outcome(adult))
        .where(adult.contact_id.in_(changed))
        .cte("from_view")
        .prefix_with("MATERIALIZED")
    )
    values = _missed_by_sis_values()
    is_listed = values.c.contact_id.in_(select(func.unnest(ListedStudent.contact_ids)))
    unchanged = (
        select(values, is_listed.label("is_listed"))
        .where(values.c.contact_id.not_in(changed))
        .cte("unchanged")
        .prefix_with("MATERIALIZED")
    )
    # All students of contacts on the list are known there, so only the links of the others are looked up.
    links = select(link.student_id).where(link.contact_id == unchanged.c.contact_id)
    student = links.offset(literal_column("0")).lateral("student")
    unlisted = (
        select(student.c.student_id, unchanged.c.contact_id, unchanged.c.expected, unchanged.c.other_way)
        .join_from(unchanged, student, true())
        .where(~unchanged.c.is_listed)
    )
    missed = (
        union_all(unlisted, select(from_view).where(from_view.c.expected != _DELIVERED))
        .cte("missed")
        .prefix_with("MATERIALIZED")
    )
    contacts = union_all(
        select(unchanged.c.contact_id, unchanged.c.expected).where(unchanged.c.is_listed),
        select(missed.c.contact_id, missed.c.expected).distinct(),
    ).cte("missed_contacts")
    return _Parts(_count_expected(contacts, from_view, uncertain), _without_adult_in_district(missed, uncertain))


def _with_hidden_link() -> CTE:
    """Select each contact with a link that the view may hide: removed, ended, or of an inactive contact
    or student.
    """
    link = StudentContact
    of_former_students = select(link.contact_id).join(Student, Student.id == link.student_id)
    contacts = union(
        select(Removal.contact_id).where(Removal.undone_at.is_(None)),
        select(Contact.id).where(~Contact.active),
        select(link.contact_id).where(~link.active),
        of_former_students.where(~Student.active, link.active),
    )
    return contacts.cte("uncertain").prefix_with("MATERIALIZED")


def _missed_by_sis_values() -> Subquery:
    """Select the contacts who would miss the message if they had no edits: `contact_id`, `expected`, and
    `other_way`.

    `OFFSET 0` has them looked up by their numbers: to join all numbers of a district takes twice as long.
    """
    number = aliased(PhoneNumber, name="n")
    status = literal_column(NUMBER_STATUS, Text)
    contact_id = Contact.id.label("contact_id")
    gets_texts = and_(Contact.active, Contact.sis_method == ContactMethod.TEXT)
    with_number = select(contact_id).where(gets_texts, Contact.sis_phone == number.phone)
    at_number = with_number.offset(literal_column("0")).lateral("at_number")
    method, phone = Contact.sis_method.label("method"), Contact.sis_phone.label("phone")
    others = (
        select(contact_id, method, phone, Contact.email, status.label("sms_status"))
        .join_from(Contact, number, number.phone == Contact.sis_phone, isouter=True)
        .where(Contact.active, Contact.sis_method != ContactMethod.TEXT)
        .subquery("others")
    )
    return union_all(
        select(at_number.c.contact_id, status.label("expected"), false().label("other_way"))
        .join_from(number, at_number, true())
        .where(status.is_not(None)),
        select(contact_id, literal(SmsStatus.NO_NUMBER, Text), false()).where(gets_texts, Contact.sis_phone.is_(None)),
        select(others.c.contact_id, *_outcome(others.c)),
    ).subquery("values")


def _count_expected(contacts: CTE, from_view: CTE, uncertain: CTE) -> CTE:
    """Count the contacts by expected result; `contacts` are those who would miss the message, each once."""
    link = StudentContact
    all_linked = select(func.count(link.contact_id.distinct()))
    has_link = exists().where(link.contact_id == uncertain.c.contact_id)
    uncertain_linked = select(func.count()).select_from(uncertain).where(has_link)
    confirmed_linked = select(func.count(from_view.c.contact_id.distinct())).where(
        from_view.c.contact_id.in_(select(uncertain.c.contact_id))
    )
    all_missed = select(func.count()).select_from(contacts)
    delivered = (
        all_linked.scalar_subquery()
        - uncertain_linked.scalar_subquery()
        + confirmed_linked.scalar_subquery()
        - all_missed.scalar_subquery()
    )
    return union_all(
        select(literal(_DELIVERED, Text).label("expected"), delivered.label("contacts")),
        select(contacts.c.expected, func.count()).group_by(contacts.c.expected),
    ).cte("expected_counts")


def _without_adult_in_district(missed: CTE, uncertain: CTE) -> CTE:
    """Select the students without an adult who gets the text. Most of them are on the list.

    Of the others, three kinds have none: students all of whose contacts would miss it, students without
    a link, and some with a link to an uncertain contact, whose contacts are looked up (`checked`).
    """
    link = StudentContact
    missed_links = (
        select(missed.c.student_id, func.count().label("links"), func.bool_or(missed.c.other_way).label("other_ways"))
        .where(~exists().where(ListedStudent.id == missed.c.student_id))
        .group_by(missed.c.student_id)
        .cte("missed_links")
    )
    checked = (
        select(link.student_id)
        .where(link.contact_id.in_(select(uncertain.c.contact_id)), _has_active_link(link.student_id))
        .where(~exists().where(ListedStudent.id == link.student_id))
        .distinct()
        .cte("checked")
    )
    reachability = reachability_query(checked.c.student_id).lateral()
    # Ended links count, too: students with one are in `checked`.
    all_links = select(func.count()).where(link.student_id == missed_links.c.student_id).scalar_subquery()
    return union_all(
        select(ListedStudent.id.label("student_id"), ListedStudent.other_ways).where(
            or_(
                ListedStudent.need < TEXTABLE,
                (ListedStudent.need == WAITING) & (ListedStudent.textable == 0),
            )
        ),
        select(missed_links.c.student_id, missed_links.c.other_ways).where(
            missed_links.c.links == all_links, missed_links.c.student_id.not_in(select(checked.c.student_id))
        ),
        select(_without_link().c.id, false()),
        select(checked.c.student_id, reachability.c.other_ways)
        .join(Student, Student.id == checked.c.student_id)
        .join(reachability, true())
        .where(Student.active, reachability.c.textable == 0),
    ).cte("without_adult")


def _without_link() -> Subquery:
    """Select the active students who have no link, or whose links have all ended."""
    link = StudentContact
    never = select(Student.id).where(~exists().where(link.student_id == Student.id))
    ended = select(link.student_id).where(~link.active, ~_has_active_link(link.student_id))
    ids = union(never, ended).subquery()
    return select(Student.id).join(ids, ids.c.id == Student.id).where(Student.active).subquery("without_link")


def _has_active_link(student_id: SQLColumnExpression[int]) -> ColumnElement[bool]:
    link = aliased(StudentContact)
    return exists().where(link.student_id == student_id, link.active)


def _forecast_query(parts: _Parts, actor: Actor, page: int, page_size: int) -> Select[*tuple[Any, ...]]:
    """Select the counts and the total, once for each student of the page, or once with nulls."""
    expected_counts, without_adult = parts.expected_counts, parts.without_adult
    counts = select(
        func.jsonb_object_agg(expected_counts.c.expected, expected_counts.c.contacts).label("counts")
    ).subquery("counts")
    total = select(func.count().label("total")).select_from(without_adult).cte("totals")
    last_page = func.greatest(select(total.c.total).scalar_subquery() - 1, 0) // page_size
    names = (Student.given_name, Student.family_name, Student.grade, grade_order(Student.grade).label("grade_order"))
    # `OFFSET 0`: the few students are looked up. To join all of a district takes twice as long.
    student = (
        select(*names).where(Student.id == without_adult.c.student_id).offset(literal_column("0")).lateral("student")
    )
    shown = (
        select(without_adult.c.student_id, without_adult.c.other_ways, literal(0).label("textable"), student)
        .join_from(without_adult, student, true())
        .order_by(without_adult.c.other_ways, student.c.grade_order, student.c.family_name, student.c.given_name)
        .order_by(without_adult.c.student_id)
        .limit(page_size)
        .offset(func.least(page - 1, last_page) * page_size)
        .subquery("shown")
    )
    return (
        select(
            *(counts, total, shown),
            school_names(shown.c.student_id).label("schools"),
            teacher_names(shown.c.student_id, actor.today).label("teachers"),
        )
        .select_from(counts.join(total, true()).outerjoin(shown, true()))
        .order_by(shown.c.other_ways, shown.c.grade_order)
        .order_by(shown.c.family_name, shown.c.given_name, shown.c.student_id)
    )
