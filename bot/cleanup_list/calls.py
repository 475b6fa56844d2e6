"""Logged calls: what came of phoning about a listed contact, kept with the entry, and in the contact's history.

A call claims the contact like *I'll take it*. On the day for which a call back was promised, the claim ends, and the contact is due:
on the list for everyone again, marked with the day. A change of the contact ends that, and so does leaving the list.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import literal, select
from sqlalchemy.orm import Session

from bot.access import rights
from bot.access.rights import Actor
from bot.cleanup_list.claims import lock_entry
from bot.db import audit
from bot.db.audit import Subject
from bot.db.models.messages import CallOutcome, ListEntry
from bot.db.models.roster import Student
from bot.db.models.views import effective_contacts
from bot.domain import display
from bot.errors import UserError

CALL_BACK_WITHIN = timedelta(days=60)
_WORDS = {
    CallOutcome.NO_ANSWER: "got no answer",
    CallOutcome.VOICEMAIL: "left voicemail",
    CallOutcome.CONFIRMED: "confirmed the number with them",
    CallOutcome.WRONG_PERSON: "reached someone else",
    CallOutcome.CALL_BACK: "will call back",
    CallOutcome.ASKED: "asked for the new number",
}
CALL_COLUMNS = (
    *(ListEntry.call_outcome, ListEntry.confirmed_at),
    *(ListEntry.called_by, ListEntry.called_on, ListEntry.call_back_on),
)
_A_WEEK = timedelta(days=7)


@dataclass(frozen=True)
class LastCall:
    """The last call about a contact. `by` is a Slack user id; the dates are the district's; `back_on` is the promised day, and
    `today` the day on which this was read.
    """

    outcome: CallOutcome
    by: str
    on: date
    back_on: date | None
    today: date

    @property
    def is_due(self) -> bool:
        return self.back_on is not None and self.back_on <= self.today


@dataclass(frozen=True)
class DueCall:
    """A contact to call back, with the first of their students that the person may see."""

    contact_id: int
    contact_name: str
    student_id: int
    student_name: str
    call: LastCall


def log_call(
    session: Session,
    contact_id: int,
    *,
    student_id: int,
    outcome: CallOutcome,
    back_on: date | None,
    actor: Actor,
    now: datetime,
) -> None:
    """Store a call and claim the contact, also from a colleague. `back_on` is the day to call back, which CALL_BACK needs.

    Raises:
        UserError: this person may not change the contact, it is not on the list, or the day is missing, past, or too far away.
    """
    rights.require_contact(session, contact_id, actor=actor, student_id=student_id)
    entry = lock_entry(session, contact_id, actor)
    entry.call_outcome, entry.called_by, entry.called_on = outcome, actor.user_id, actor.today
    entry.confirmed_at = entry.earlier_proof = None
    is_promised = back_on or outcome is CallOutcome.CALL_BACK
    entry.call_back_on = _day_to_call_back(back_on, actor.today) if is_promised else None
    if outcome is CallOutcome.CONFIRMED:
        entry.confirmed_at, entry.call_outcome = now, CallOutcome.CALL_BACK if entry.call_back_on else None
    if not entry.updated_at:
        entry.claimed_by, entry.claimed_at = actor.user_id, now
    words = _WORDS[outcome]
    if entry.call_back_on:
        words = f"{_promised(outcome, words)} on {display.short_day(entry.call_back_on, actor.today)}"
    subject = Subject("contact", contact_id)
    audit.record(session, subject, actor=actor.user_id, action="call.logged", after=words, now=now)
    session.flush()  # What follows may take the contact off the list.


def undo_call(session: Session, contact_id: int, *, actor: Actor, now: datetime) -> None:
    """Take one's own last call back, with the claim that it made, but not what it proved (for that,
    `contact_edits.confirmed_call`). The history keeps it, and a call before it is not shown again.

    Raises:
        UserError: this person may not change the contact, it is not on the list, it has no call (as
            after a second press), or a colleague has called since.
    """
    entry = lock_entry(session, contact_id, actor)
    if entry.called_by is None:
        raise UserError(
            "call.none", "There is no call to undo anymore. Open the student to see the contact as it is now."
        )
    if entry.called_by != actor.user_id:
        raise UserError("call.not_yours", "A colleague has logged a call since, so yours cannot be undone anymore.")
    entry.call_outcome = entry.called_by = entry.called_on = entry.call_back_on = None
    entry.confirmed_at = entry.earlier_proof = None
    if entry.claimed_by == actor.user_id:
        entry.claimed_by, entry.claimed_at = None, None
    audit.record(session, Subject("contact", contact_id), actor=actor.user_id, action="call.undone", now=now)


def _day_to_call_back(day: date | None, today: date) -> date:
    if day is None:
        raise UserError("call.no_day", "Choose the day on which you will call back.", field="back_on")
    if day < today:
        raise UserError("call.past_day", "That day is past. Choose today or a later day.", field="back_on")
    if day > today + CALL_BACK_WITHIN:
        sentence = f"That is more than {CALL_BACK_WITHIN.days} days away. Choose an earlier day."
        raise UserError("call.far_day", sentence, field="back_on")
    return day


def call_from_row(row: Any) -> LastCall | None:
    """Return the call of a row with `CALL_COLUMNS` and `today`; None where no one called."""
    outcome = row.call_outcome
    # With any other outcome, a program that does not know `confirmed_at` has logged a call since.
    if row.confirmed_at and outcome in {None, CallOutcome.CALL_BACK}:
        outcome = CallOutcome.CONFIRMED
    if outcome is None:
        return None
    return LastCall(CallOutcome(outcome), row.called_by, row.called_on, row.call_back_on, row.today)


def describe(call: LastCall, *, who: str) -> str:
    """Return `Clara left voicemail Tue`, or `Call back today (Clara)` once the day has come; `who` is the caller as shown."""
    today = call.today
    if call.back_on is None:
        return f"{who} {_WORDS[call.outcome]} {_relative_day(call.on, today)}"
    if call.back_on < today:
        return f"*Call back*: was due {_relative_day(call.back_on, today)} ({who})"
    if call.back_on == today:
        return f"*Call back today* ({who})"
    said = f"{_WORDS[call.outcome]} {_relative_day(call.on, today)}"
    return f"{who} {_promised(call.outcome, said)} {_relative_day(call.back_on, today)}"


def _promised(outcome: CallOutcome, said: str) -> str:
    """Return `left voicemail, will call back`, to be followed by the day."""
    promise = _WORDS[CallOutcome.CALL_BACK]
    return promise if outcome is CallOutcome.CALL_BACK else f"{said}, {promise}"


def _relative_day(day: date, today: date) -> str:
    if day == today:
        return "today"
    return f"{day:%a}" if abs(day - today) < _A_WEEK else display.short_day(day, today)


def load_due(session: Session, *, actor: Actor, limit: int) -> Sequence[DueCall]:
    """Return the contacts that this person promised to call back today or earlier, the longest due first."""
    adult = effective_contacts.c
    rows = session.execute(
        select(
            *(adult.contact_id, adult.given_name, adult.family_name, adult.student_id),
            *(Student.given_name.label("student_given"), Student.family_name.label("student_family")),
            *(*CALL_COLUMNS, literal(actor.today).label("today")),
        )
        .join_from(ListEntry, effective_contacts, adult.contact_id == ListEntry.contact_id)
        .join(Student, Student.id == adult.student_id)
        .where(ListEntry.called_by == actor.user_id)
        .where(ListEntry.call_back_on <= actor.today, ListEntry.updated_at.is_(None))
        .where(adult.student_id.in_(rights.visible_students(actor)))
        .order_by(ListEntry.call_back_on, adult.contact_id, adult.student_id)
    )
    due: dict[int, DueCall] = {}
    for row in rows:
        call = call_from_row(row)
        if call and len(due) < limit:
            due.setdefault(row.contact_id, _due_call(row, call))
    return list(due.values())


def _due_call(row: Any, call: LastCall) -> DueCall:
    return DueCall(
        contact_id=row.contact_id,
        contact_name=display.full_name(row.given_name, row.family_name),
        student_id=row.student_id,
        student_name=display.full_name(row.student_given, row.student_family),
        call=call,
    )
