"""The fixes that give an adult to the most students of a list, among those that a person may see.

A student needs an adult while none can be texted; students without any reachable adult come first.
For these, a landline that is switched to calls counts, because autocalls reach it. Students with an
adult who gets calls or email already are helped by a number for texts only.

A fix is about one adult: a contact on the list that is not fixed and that no colleague takes care
of, or several records of them, which have the same name and number, because the SIS often has a
parent once for each child. After the first record is fixed, the others are offered its number.
Opt-outs are no fixes: only the family can end them.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from operator import attrgetter
from typing import Any

from sqlalchemy import ColumnElement, Select, SQLColumnExpression, exists, select, true
from sqlalchemy.orm import Session

from bot.access.rights import AccessLevel, Actor
from bot.cleanup_list.next_student import is_free
from bot.cleanup_list.page import ranking
from bot.cleanup_list.query import matching_students, query_params, unnest_entries
from bot.cleanup_list.suggestions import has_further_number
from bot.db.models.edits import Edit, EditField, EditState
from bot.db.models.listed_students import TEXTABLE, UNREACHABLE
from bot.db.models.messages import ListEntry, PhoneNumber
from bot.db.models.roster import Contact
from bot.db.session import fetch_rows, plan_for_names, set_local
from bot.domain.sms_status import WORK_ORDER, SmsStatus
from bot.filters.filter import Criteria, Criterion, Filter
from bot.reachability.fewest_fixes import Candidate, choose

_student_id = attrgetter("student_id")
# A landline is switched to calls with one press.
_EFFORTS = {status: 1 + place for place, status in enumerate(WORK_ORDER)} | {SmsStatus.LANDLINE: 0}


class Remedy(StrEnum):
    """What to do. The first three are one press of a button in the student dialog."""

    SETTLE_CONFLICT = "settle_conflict"
    USE_NUMBER = "use_number"
    SWITCH_TO_CALLS = "switch_to_calls"
    NEW_NUMBER = "new_number"


@dataclass(frozen=True)
class Fix:
    """A thing to do for one adult. `contact_ids` are the records of the adult; the first stands in
    the list under `student_id`.

    `students` get an adult from it and from no fix before it; `are_unreachable`: no message reaches
    any of them now.
    """

    contact_ids: tuple[int, ...]
    student_id: int
    students: tuple[int, ...]
    are_unreachable: bool
    status: SmsStatus
    remedy: Remedy


@dataclass(frozen=True)
class Plan:
    """All fixes of a list, found one by one as they are read, and how many students get an adult if
    all are done.
    """

    fixes: Iterator[Fix]
    students: int


def load_plan(session: Session, which: Filter, *, actor: Actor) -> Plan:
    """Return the fixes for the part of the list that the filter selects."""
    if which.names or which.student_ids:
        plan_for_names(session)
    if actor.level is AccessLevel.DISTRICT:
        # The planner expects that few ids in the arrays differ, and would cache each entry that it reads.
        set_local(session, "enable_memoize = off")
    rows = fetch_rows(session, _links_query(which.criteria, actor.level), query_params(which, actor))
    unreachable = {row.student_id for row in rows if row.need == UNREACHABLE}
    return Plan(_fixes(_by_adult(session, rows), unreachable), len({row.student_id for row in rows}))


def _fixes(adults: Sequence[Sequence[Any]], unreachable: set[int]) -> Iterator[Fix]:
    candidates = [Candidate(_students(links), _effort(links[0])) for links in adults]
    for place, students in choose(candidates, unreachable):
        links, are_unreachable = adults[place], unreachable.issuperset(students)
        yield Fix(
            contact_ids=tuple(dict.fromkeys(link.contact_id for link in links)),
            student_id=links[0].student_id,
            students=students,
            are_unreachable=are_unreachable,
            status=SmsStatus(links[0].status),
            remedy=_remedy(links[0], are_unreachable=are_unreachable),
        )


def _students(links: Sequence[Any]) -> Sequence[int]:
    # Nearly all adults have one student, and a large district has 60,000 of them.
    return (links[0].student_id,) if len(links) == 1 else tuple(dict.fromkeys(map(_student_id, links)))


def _effort(link: Any) -> int:
    return 0 if link.has_conflict or link.has_number else _EFFORTS[link.status]


def _remedy(link: Any, *, are_unreachable: bool) -> Remedy:
    if link.has_conflict:
        return Remedy.SETTLE_CONFLICT
    if link.has_number:
        return Remedy.USE_NUMBER
    # Other students have an adult who gets calls or email already: only a number for texts helps them.
    is_switched = link.status == SmsStatus.LANDLINE and are_unreachable
    return Remedy.SWITCH_TO_CALLS if is_switched else Remedy.NEW_NUMBER


@cache
def _links_query(criteria: Criteria, level: AccessLevel) -> Select[*tuple[Any, ...]]:
    """Select a row for each student without an adult and each contact of theirs that can be fixed,
    in the order of the list.
    """
    students = matching_students(criteria | {Criterion.NO_ADULT}, level)
    entry = unnest_entries(students)
    return (
        select(
            *(students.c.student_id, students.c.need, ListEntry.contact_id, ListEntry.status, ListEntry.phone),
            _has_conflict(ListEntry.contact_id).label("has_conflict"),
            has_further_number(ListEntry.contact_id).label("has_number"),
        )
        .join_from(students, entry, true())
        .join(ListEntry, ListEntry.contact_id == entry.c.contact_id)
        .where(students.c.need < TEXTABLE, ListEntry.status != SmsStatus.OPT_OUT)
        .where(ListEntry.updated_at.is_(None), is_free())
        .order_by(*ranking(students), ListEntry.contact_id)
    )


def _has_conflict(contact_id: SQLColumnExpression[int]) -> ColumnElement[bool]:
    """Return the condition that the SIS has another number than the edit of a contact, which can be
    texted as far as is known.
    """
    unknown = ~exists().where(PhoneNumber.phone == Edit.sis_value)
    fine = exists().where(
        *(PhoneNumber.phone == Edit.sis_value, PhoneNumber.status.is_(None), PhoneNumber.noted.is_(None)),
        *(PhoneNumber.opted_out_at.is_(None), PhoneNumber.wrong_person_at.is_(None)),
    )
    return exists().where(
        *(Edit.contact_id == contact_id, Edit.field == EditField.PHONE, Edit.state == EditState.CONFLICT),
        *(Edit.sis_value.is_not(None), unknown | fine),
    )


def _by_adult(session: Session, rows: Sequence[Any]) -> Sequence[Sequence[Any]]:
    """Return the rows of each adult, in the order of the list."""
    by_contact: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        by_contact[row.contact_id].append(row)
    names = _names_of_shared_numbers(session, by_contact)
    if not names:
        return list(by_contact.values())
    by_adult: dict[Any, list[Any]] = {}
    for contact_id, links in by_contact.items():
        name = names.get(contact_id)
        adult = (links[0].phone, name) if name else contact_id
        by_adult[adult] = by_adult[adult] + links if adult in by_adult else links
    return list(by_adult.values())


def _names_of_shared_numbers(session: Session, by_contact: Mapping[int, list[Any]]) -> dict[int, str]:
    """Return the folded name of each contact whose number another one has, too, by id."""
    phones = {contact_id: links[0].phone for contact_id, links in by_contact.items() if links[0].phone}
    contacts = Counter(phones.values())
    shared = [contact_id for contact_id, phone in phones.items() if contacts[phone] > 1]
    if not shared:
        return {}
    names = session.execute(select(Contact.id, Contact.search).where(Contact.id.in_(shared)))
    return {row.id: row.search for row in names}
