"""The names behind a few fixes: the adult, the students, and whether another record of the same
adult has a number for texts.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.cleanup_list.suggestions import find_suggestions
from bot.db.models.messages import ListEntry
from bot.db.models.roster import Student
from bot.db.models.views import effective_contacts
from bot.domain import display
from bot.reachability.fixes import Fix, Remedy


@dataclass(frozen=True)
class HelpedStudent:
    name: str
    family_name: str
    grade: str | None


@dataclass(frozen=True)
class FixDetails:
    """A fix with what people read: the adult's name, the number now (E.164, for the caller to
    mask), and the students.

    `claimed_by` is the Slack user who works on the contact.
    """

    fix: Fix
    name: str
    relationship: str | None
    phone: str | None
    claimed_by: str | None
    students: tuple[HelpedStudent, ...]


def load_details(session: Session, fixes: Sequence[Fix]) -> list[FixDetails]:
    """Return the details of fixes; one whose contact was removed meanwhile is left out."""
    contacts = _load_contacts(session, {fix.student_id for fix in fixes})
    students = _load_students(session, {student_id for fix in fixes for student_id in fix.students})
    # Asked for all students at once, this finds too many, but mostly none at all, in a tenth of the statements.
    perhaps = find_suggestions(session, [row for rows in contacts.values() for row in rows])
    found = []
    for fix in fixes:
        rows = contacts.get(fix.student_id, [])
        contact = next((row for row in rows if row.contact_id == fix.contact_ids[0]), None)
        if contact is None:
            continue
        found.append(
            FixDetails(
                fix=_with_suggestion(session, fix, rows) if fix.contact_ids[0] in perhaps else fix,
                name=display.full_name(contact.given_name, contact.family_name),
                relationship=contact.relationship,
                phone=contact.phone,
                claimed_by=contact.claimed_by,
                students=tuple(students[student_id] for student_id in fix.students if student_id in students),
            )
        )
    return found


def _with_suggestion(session: Session, fix: Fix, rows: Sequence[Any]) -> Fix:
    """Return the fix with its remedy replaced where another record of the adult has a number for
    texts.
    """
    if fix.remedy in {Remedy.SETTLE_CONFLICT, Remedy.USE_NUMBER}:
        return fix
    has_suggestion = find_suggestions(session, rows).get(fix.contact_ids[0])
    return replace(fix, remedy=Remedy.USE_NUMBER) if has_suggestion else fix


def _load_contacts(session: Session, student_ids: set[int]) -> dict[int, list[Any]]:
    """Return all contacts of the students, for `find_suggestions`, by student."""
    adult = effective_contacts.c
    rows = session.execute(
        select(
            *(adult.student_id, adult.contact_id, adult.given_name, adult.family_name, adult.relationship),
            *(adult.email, adult.phone, adult.sms_status, ListEntry.updated_at, ListEntry.claimed_by),
        )
        .join_from(effective_contacts, ListEntry, ListEntry.contact_id == adult.contact_id, isouter=True)
        .where(adult.student_id.in_(student_ids))
        .order_by(adult.student_id, adult.contact_id)
    )
    contacts = defaultdict(list)
    for row in rows:
        contacts[row.student_id].append(row)
    return contacts


def _load_students(session: Session, student_ids: set[int]) -> dict[int, HelpedStudent]:
    names = (Student.id, Student.given_name, Student.family_name, Student.grade)
    return {
        row.id: HelpedStudent(display.full_name(row.given_name, row.family_name), row.family_name, row.grade)
        for row in session.execute(select(*names).where(Student.id.in_(student_ids)))
    }
