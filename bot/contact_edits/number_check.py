"""Facts about a number while a person types it, before it is saved: its status, who else has it, and
likely typos.

A status is shown only where the person may know it: where `may_show_status` allows it for the contact,
or where another contact has the number whose status the person sees. STOP is no exception. A stranger's
number that opted out is accepted like any other and never texted, and the list says so after the next
message: if it were shown at once, any editor could find out who in the district opted out. Names are
those that the person may see. Others are not even counted: the count would show that the number is in
the district.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.access import rights
from bot.access.rights import Actor
from bot.cleanup_list.tried_numbers import is_parked, may_show_status
from bot.db.models.messages import PhoneNumber
from bot.db.models.roster import Contact, Student
from bot.db.models.views import contact_reach, contacts_with_phone, effective_contacts
from bot.domain import display
from bot.domain.phone_note import NoteKind
from bot.domain.sms_status import SmsStatus

_MAX_ROWS = 20


@dataclass(frozen=True)
class NumberCheck:
    """The facts. `same_adult_of` are students of other records of the same adult with this number, `sharing` other contacts with it,
    and `typo_of` is an earlier number (E.164) of this contact that differs in one digit or in the order of two.
    """

    status: SmsStatus | None
    since: datetime | None
    same_adult_of: tuple[str, ...]
    sharing: tuple[str, ...]
    typo_of: str | None


NOTHING_KNOWN = NumberCheck(None, None, (), (), None)


def check_number(session: Session, contact_id: int, phone: str, *, student_id: int, actor: Actor) -> NumberCheck:
    """Return the facts about a number (E.164) that is typed for a contact; none where the contact has it already.

    Raises:
        UserError: this person may not change contacts, or not see this one.
    """
    rights.require_editor(actor)
    rights.require_contact(session, contact_id, actor=actor, student_id=student_id)
    contact = session.get_one(Contact, contact_id)
    current = session.scalar(select(contact_reach.c.phone).where(contact_reach.c.contact_id == contact_id))
    if phone == current:
        return NOTHING_KNOWN
    others = _visible_contacts(session, phone, besides=contact_id, actor=actor)
    is_known = any(other.is_tried for other in others) or may_show_status(session, contact, phone)
    status, since = _status(session, contact_id, session.get(PhoneNumber, phone)) if is_known else (None, None)
    earlier = (number for number in (current, contact.sis_phone) if number)
    return NumberCheck(
        status=status,
        since=since,
        same_adult_of=_names((o.student_given, o.student_family) for o in others if o.search == contact.search),
        sharing=_names((o.given_name, o.family_name) for o in others if o.search != contact.search),
        typo_of=next((number for number in earlier if is_near(number, phone)), None),
    )


def _visible_contacts(session: Session, phone: str, *, besides: int, actor: Actor) -> list[Any]:
    """Return other contacts with this number, once for each student that the person may see."""
    # The number and its contacts are looked up first: the planner mistakes all in one for a question about the whole district.
    same = contacts_with_phone(phone).cte("same").prefix_with("MATERIALIZED")
    other = effective_contacts.c
    rows = (
        select(
            *(other.given_name, other.family_name, other.is_tried, Contact.search),
            *(Student.given_name.label("student_given"), Student.family_name.label("student_family")),
        )
        .join_from(same, effective_contacts, other.contact_id == same.c.contact_id)
        .join(Contact, Contact.id == other.contact_id)
        .join(Student, Student.id == other.student_id)
        .where(other.contact_id != besides, other.student_id.in_(rights.visible_students(actor)))
        .order_by(other.family_name, other.given_name, Student.family_name, Student.given_name)
        .limit(_MAX_ROWS)
    )
    return list(session.execute(rows))


def _status(session: Session, contact_id: int, number: PhoneNumber | None) -> tuple[SmsStatus | None, datetime | None]:
    """Return the status as the view `effective_contacts` decides it: what a person said outranks what carriers reported."""
    if number is None:
        return None, None
    if number.opted_out_at:
        return SmsStatus.OPT_OUT, number.opted_out_at
    if is_parked(session, number.phone, contact_id):
        return SmsStatus.WRONG_PERSON, number.wrong_person_at
    if number.noted:
        return SmsStatus.OPT_OUT if number.noted == NoteKind.REFUSED else SmsStatus.INACTIVE, None
    # The row of a number that this contact proved may still have the word for the others.
    carriers_said = number.status if number.status != SmsStatus.WRONG_PERSON else None
    return (SmsStatus(carriers_said), number.since) if carriers_said else (None, None)


def _names(names: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(display.full_name(given, family) for given, family in names))


def is_near(number: str, other: str) -> bool:
    """Return whether two numbers differ in exactly one digit, or in the order of two that stand side by side."""
    if len(number) != len(other):
        return False
    differing = [place for place, digit in enumerate(number) if digit != other[place]]
    match differing:
        case [_]:
            return True
        case [first, second] if second == first + 1:
            return number[first] == other[second] and number[second] == other[first]
    return False
