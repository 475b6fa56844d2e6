"""The cleanup list of one person: `load` returns everything that a list card shows, and `Freshness` says how current that is.

A page is one statement, whatever its size: it ranks the students and reads the contacts of those shown. For a school that takes a
fifth to a third less than two statements.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    FromClause,
    Integer,
    Label,
    ScalarSelect,
    Select,
    Text,
    any_,
    bindparam,
    cast,
    exists,
    func,
    select,
    true,
    tuple_,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import Session, aliased

from bot.access import rights
from bot.access.rights import BOUND_PARAMS, AccessLevel, Actor
from bot.cleanup_list.empty_reasons import EmptyReason, explain_empty, find_unlisted_students
from bot.cleanup_list.name_search import similar_names, teacher_namesakes
from bot.cleanup_list.number_search import MAX_STUDENTS, NumberSearch, find_number
from bot.cleanup_list.query import (
    StudentRow,
    contact_from_row,
    listed_contacts_query,
    matching_students,
    query_params,
    student_from_row,
)
from bot.cleanup_list.student_columns import school_names, teacher_names
from bot.cleanup_list.vocabulary import load_grades, load_letters, load_vocabulary
from bot.db.models.listed_students import ListedStudent
from bot.db.models.messages import MassMessage
from bot.db.models.roster import StudentContact, SyncRun, SyncState, last_sync_query
from bot.db.models.views import effective_contacts
from bot.db.session import fetch_rows, plan_for_names
from bot.domain.sms_status import SmsStatus
from bot.filters.filter import Criteria, Filter, page_count
from bot.filters.parse import Parsed, parse_filter, suggest_commands
from bot.filters.questions import Question, read_question
from bot.filters.vocabulary import Vocabulary

STUDENTS_ON_A_PAGE = 10
MAX_UNLISTED = 5
_FEW_PAGES = 3  # A list with more pages has places to jump to.


@dataclass(frozen=True)
class Page:
    """One page of students; totals and counts are of the whole filter, each contact counted once.

    `total_entries` counts each contact once for each of its students; `without_adult` counts students without an adult who can be texted;
    `fixed` counts the contacts that staff fixed, which wait for the next mass message and stay in all other counts; `landlines`
    counts those that are not fixed yet.
    `filter.page` is the page shown: the last one where the list has become shorter than what was asked for.
    """

    filter: Filter
    total_students: int
    total_contacts: int
    total_entries: int
    pages: int
    without_adult: int
    fixed: int
    counts_by_status: dict[SmsStatus, int]
    students: tuple[StudentRow, ...]
    landlines: int = 0


@dataclass(frozen=True)
class Freshness:
    """The last final mass message that receipts came for and the end of the last sync that was applied; None where there was none.

    `roster` identifies what the syncs have made of the roster; None while one runs, or before the first.
    """

    title: str
    sent_at: datetime | None
    synced_at: datetime | None
    roster: str | None


@dataclass(frozen=True)
class ListView:
    """Everything that a list card shows.

    Where nothing matches, `empty` says why. Where no one has the typed name, `similar` are lists of similar names, and `page`
    shows the first. `commands` are what may have been meant instead of a list; `namesakes` is one list for each of several
    teachers with that name. `number` says who has the typed number, and `unlisted` are the found students who are not on the list,
    beside those who are. `schools`, `teachers`, and `grades` are the choices of the menus; `letters`, of last names, of long lists.
    """

    page: Page
    parsed: Parsed
    empty: EmptyReason | None
    similar: tuple[Filter, ...]
    commands: tuple[str, ...]
    namesakes: tuple[Filter, ...]
    schools: tuple[str, ...]
    teachers: tuple[str, ...]
    grades: tuple[str, ...]
    freshness: Freshness
    letters: tuple[str, ...] = ()
    number: NumberSearch | None = None
    unlisted: tuple[StudentRow, ...] = ()


def load(
    session: Session,
    text: str,
    *,
    actor: Actor,
    freshness: Freshness,
    mentioned: Mapping[str, str] | None = None,
) -> ListView:
    """Return the list that a person asked for in words; `mentioned` are the emails of mentioned colleagues by Slack user id."""
    roster = freshness.roster
    vocabulary = load_vocabulary(session, actor, mentioned, roster=roster)
    parsed = parse_filter(text, vocabulary)
    number = find_number(session, parsed.filter, actor=actor) if parsed.filter.number else None
    which = number.narrowed(parsed.filter) if number else parsed.filter
    page = _empty_page(which) if number and not number.student_ids else load_page(session, which, actor=actor)
    limit = MAX_STUDENTS if which.student_ids else MAX_UNLISTED + 1
    unlisted: tuple[StudentRow, ...] = ()
    empty: EmptyReason | None = None
    similar: tuple[Filter, ...] = ()
    question: Question | None = None
    if not page.total_students:
        asked = which if which.student_ids else parsed.filter
        empty = explain_empty(session, asked, vocabulary, actor=actor, roster=roster, limit=limit)
        if not empty.unlisted:
            similar = similar_names(session, parsed.filter, actor=actor, roster=roster)
        if not (empty.unlisted or similar):
            question = _as_question(text, parsed, vocabulary)
        if question and not question.command:
            return load(session, question.text, actor=actor, freshness=freshness)
        if similar:
            page = load_page(session, similar[0], actor=actor)
    elif which.student_ids:
        unlisted = find_unlisted_students(session, which, actor=actor, roster=roster, limit=limit)
    is_long = page.pages > _FEW_PAGES or page.filter.letter is not None
    has_place = page.filter.school or page.filter.teacher or page.filter.class_title
    commands = suggest_commands(parsed, unmatched_names=empty is not None) if empty or parsed.unknown else ()
    return ListView(
        page=page,
        parsed=parsed,
        empty=empty,
        similar=similar,
        commands=(question.text,) if question else commands,
        namesakes=teacher_namesakes(session, page.filter, actor=actor) if page.filter.teacher else (),
        schools=vocabulary.schools,
        teachers=vocabulary.teachers,
        grades=load_grades(session, page.filter, actor=actor, roster=roster) if has_place else vocabulary.grades,
        freshness=freshness,
        letters=load_letters(session, page.filter, actor=actor, roster=roster) if is_long else (),
        number=number,
        unlisted=unlisted,
    )


def _as_question(text: str, parsed: Parsed, vocabulary: Vocabulary) -> Question | None:
    """Return what words that are no names mean in a question: `bloqueado`, `sin nadie`, `que sigue`."""
    question = read_question(text, vocabulary) if parsed.loose_names else None
    return question if question and question.is_clear and not question.filter.names else None


def load_page(session: Session, which: Filter, *, actor: Actor, page_size: int = STUDENTS_ON_A_PAGE) -> Page:
    """Return the page `which.page` of what this person may see, students who need help most first."""
    if which.names or which.student_ids:
        plan_for_names(session)
    params = query_params(which, actor) | {"page": which.page, "page_size": page_size}
    rows = fetch_rows(session, _page_query(which.criteria, actor.level), params)
    if not rows:
        return _empty_page(which)
    first = rows[0]
    by_student: dict[int, list[Any]] = {}
    for row in rows:
        by_student.setdefault(row.student_id, []).append(row)
    by_status = {SmsStatus(status): numbers for status, numbers in json.loads(first.counts).items()}
    counts = {status: number for status, (number, _) in by_status.items()}
    landlines, fixed_landlines = by_status.get(SmsStatus.LANDLINE, (0, 0))
    pages = page_count(first.total, page_size)
    return Page(
        filter=which.with_page(min(which.page, pages)),
        total_students=first.total,
        total_contacts=sum(counts.values()),
        total_entries=first.entries,
        pages=pages,
        without_adult=first.without_adult,
        fixed=sum(fixed for _, fixed in by_status.values()),
        counts_by_status=counts,
        students=tuple(
            student_from_row(contacts[0], map(contact_from_row, contacts)) for contacts in by_student.values()
        ),
        landlines=landlines - fixed_landlines,
    )


def _empty_page(which: Filter) -> Page:
    return Page(which.with_page(1), 0, 0, 0, 1, 0, 0, {}, ())


@cache
def _page_query(criteria: Criteria, level: AccessLevel) -> Select[*tuple[Any, ...]]:
    page, page_size = bindparam("page", type_=Integer), bindparam("page_size", type_=Integer)
    students = matching_students(criteria, level)
    totals = select(
        func.count().label("total"),
        func.sum(func.cardinality(students.c.contact_ids)).label("entries"),
        func.count().filter(students.c.textable == 0).label("without_adult"),
    ).cte("totals")
    total = select(totals.c.total).scalar_subquery()
    offset = func.greatest(func.least(page - 1, (total - 1) // page_size) * page_size, 0)
    shown = select(students).order_by(*ranking(students)).limit(page_size).offset(offset).cte("shown")
    is_matching = effective_contacts.c.contact_id == any_(shown.c.contact_ids)
    listed = listed_contacts_query(shown.c.student_id).where(is_matching)
    contact = listed.add_columns(_other_students(shown, students, level)).lateral("contact")
    statement = select(
        *(shown.c.student_id, shown.c.given_name, shown.c.family_name, shown.c.grade),
        *(shown.c.textable, shown.c.other_ways),
        contact,
        school_names(shown.c.student_id).label("schools"),
        teacher_names(shown.c.student_id, BOUND_PARAMS.today, family_only=True).label("teachers"),
        totals,
        _counts_by_status(students).label("counts"),
    )
    return statement.join_from(shown, contact, true()).join(totals, true()).order_by(*ranking(shown), contact.c.turn)


def _other_students(shown: CTE, students: CTE, level: AccessLevel) -> Label[Any]:
    """Select given name, family name, and grade of the other visible students of a listed contact, by name, as a JSON array; and
    whether they are on the list of this filter with that contact before the student shown.
    """
    contact_id, other = effective_contacts.c.contact_id, aliased(ListedStudent)
    earlier = students.alias("earlier")
    stands_before = (
        exists()
        .where(earlier.c.student_id == other.id, contact_id == any_(earlier.c.contact_ids))
        .where(tuple_(*ranking(earlier)) < tuple_(*ranking(shown)))
        .correlate(other, effective_contacts, shown)
    )
    names = (other.family_name, other.given_name, other.id)
    values = func.json_build_array(other.given_name, other.family_name, other.grade, stands_before)
    return (
        select(func.json_agg(aggregate_order_by(values, *names)))
        .join(StudentContact, StudentContact.student_id == other.id)
        .where(StudentContact.contact_id == contact_id, contact_id == any_(other.contact_ids))
        .where(other.id != shown.c.student_id, rights.can_see(level, other.id))
        .correlate(effective_contacts, shown)
        .scalar_subquery()
        .label("others")
    )


def ranking(students: FromClause) -> tuple[ColumnElement[Any], ...]:
    """Return the order of a list: by need, the first thing to do, grade, and name. The index `ix_listed_students_rank` begins like it.

    A contact whose number was just edited counts as textable.
    """
    by_name = (students.c.family_name, students.c.given_name, students.c.student_id)
    return (students.c.need, students.c.worst, students.c.grade_order, *by_name)


def _counts_by_status(students: CTE) -> ScalarSelect[Any]:
    """Select a JSON object by status: the number of contacts and of the fixed ones; a contact of two students counts once."""
    # In the select list, arrays are unnested side by side, in half the time of a join with them.
    entries = select(
        func.unnest(students.c.contact_ids).label("contact_id"),
        func.unnest(students.c.statuses).label("status"),
        func.unnest(students.c.waits).label("waits"),
    )
    contacts = entries.distinct().subquery()
    numbers = func.jsonb_build_array(func.count(), func.count().filter(contacts.c.waits))
    by_status = select(contacts.c.status, numbers.label("numbers")).group_by(contacts.c.status).subquery()
    counts = func.jsonb_object_agg(by_status.c.status, by_status.c.numbers)
    return select(cast(counts, Text)).scalar_subquery()  # As text: every row carries it, and only one is parsed.


_MESSAGE = (
    select(MassMessage.title, MassMessage.sent_at)
    .where(MassMessage.settled_at.is_not(None), MassMessage.silent_at.is_(None))
    .order_by(MassMessage.sent_at.desc())
    .limit(1)
    .subquery()
)
_SYNC = last_sync_query().subquery()
_RUN = (
    select(SyncRun.id.label("run_id"), SyncRun.state, SyncRun.started_at, SyncRun.finished_at)
    .order_by(SyncRun.id.desc())
    .limit(1)
    .subquery()
)
# One row, for `freshness_from_row`.
FRESHNESS_QUERY = select(_MESSAGE, _SYNC, _RUN).select_from(_SYNC.outerjoin(_MESSAGE, true()).outerjoin(_RUN, true()))


def load_freshness(session: Session) -> Freshness:
    return freshness_from_row(session.execute(FRESHNESS_QUERY).one())


def freshness_from_row(row: Any) -> Freshness:
    is_settled = row.run_id is not None and row.state != SyncState.RUNNING
    roster = f"{row.run_id} {row.started_at} {row.finished_at}" if is_settled else None
    return Freshness(row.title or "", row.sent_at, row.synced_at, roster)
