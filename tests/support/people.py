"""Builders whose results are valid by default, and the people every test knows.

Lincoln Elementary and Roosevelt High; Ana García teaches grade 5 at Lincoln, Tom Brown teaches there too; Clara Clerk
works in Lincoln's office; Dana Diaz manages the whole district; Gus Guest has no rights.
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import count

from sqlalchemy.orm import Session

from bot.access.identity import SlackIdentity
from bot.access.rights import AccessLevel, Actor
from bot.cleanup_list.membership import refresh_entry_names
from bot.db.models.messages import ListEntry, PhoneNumber
from bot.db.models.roster import (
    ClassStudent,
    ClassTeacher,
    Contact,
    School,
    SchoolClass,
    Staff,
    StaffRole,
    Student,
    StudentContact,
    StudentSchool,
)
from bot.domain.names import fold
from bot.domain.sms_status import SmsStatus

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
TODAY = date(2026, 11, 23)
_numbers = count(1)


def reset_counter() -> None:
    """Count from one again, so that no built phone number equals one that a test writes itself."""
    global _numbers  # noqa: PLW0603 - the builders are plain functions.
    _numbers = count(1)


def _next_id(prefix: str) -> str:
    return f"{prefix}-{next(_numbers)}"


def next_phone() -> str:
    """Return a number that no other builder returns: (312) 555-xxxx is never assigned."""
    return f"+1312555{next(_numbers) % 10_000:04d}"


def _save(session: Session, row):
    session.add(row)
    session.flush()
    return row


def school(session, name="Lincoln Elementary"):
    return _save(session, School(sourced_id=_next_id("SCH"), name=name))


def staff(session, given="Ana", family="García", email=None, *, role="teacher", at=None):
    person = Staff(
        sourced_id=_next_id("STF"),
        given_name=given,
        family_name=family,
        email=email or f"{fold(given)}.{fold(family)}@district.example".replace(" ", ""),
    )
    _save(session, person)
    _save(session, StaffRole(staff_id=person.id, school_id=at.id if at else None, role=role))
    return person


def school_class(session, teacher, at, *students, title="Homeroom 5A", homeroom=True, ends_on=None):
    row = _save(session, SchoolClass(sourced_id=_next_id("CLS"), school_id=at.id, title=title, homeroom=homeroom))
    _save(session, ClassTeacher(sourced_id=_next_id("ET"), class_id=row.id, staff_id=teacher.id, is_primary=True))
    for member in students:
        enrollment = ClassStudent(sourced_id=_next_id("ES"), class_id=row.id, student_id=member.id, ends_on=ends_on)
        _save(session, enrollment)
    return row


def student(session, given="Sam", family="Rivera", *, grade="5", at=None, active=True):
    person = Student(
        sourced_id=_next_id("STU"),
        given_name=given,
        family_name=family,
        search=fold(f"{given} {family}"),
        grade=grade,
        active=active,
    )
    _save(session, person)
    if at:
        _save(session, StudentSchool(student_id=person.id, school_id=at.id))
    return person


def contact(
    session, *of, given="Maria", family="Rivera", phone="new", method="text", relationship="parent", priority=1
):
    """Save a contact of the students `of`; `phone` is "new" for one of its own, or a number, or None."""
    number = next_phone() if phone == "new" else phone
    person = Contact(
        sourced_id=_next_id("CON"),
        given_name=given,
        family_name=family,
        sis_phone=number,
        sis_phone_written=number,
        sis_method=method,
    )
    _save(session, person)
    for child in of:
        link = StudentContact(student_id=child.id, contact_id=person.id, relationship=relationship, priority=priority)
        _save(session, link)
    return person


def list_contact(session, contact, status=SmsStatus.BLOCKED, *, since=NOW):
    """Put a contact on the list as a final mass message would, and return the contact."""
    if contact.sis_phone:
        parked_at = since if status == SmsStatus.WRONG_PERSON else None
        session.merge(PhoneNumber(phone=contact.sis_phone, status=status, since=since, wrong_person_at=parked_at))
    _save(session, ListEntry(contact_id=contact.id, status=status, phone=contact.sis_phone, since=since))
    refresh_entry_names(session.connection())
    return contact


def actor_of(person, *, level=AccessLevel.CLASSES, at=(), may_edit=True, user_id=None):
    """Return the actor that a staff member is, without asking Slack."""
    return Actor(
        user_id=user_id or f"U{person.id:05d}",
        staff_ids=(person.id,),
        name=f"{person.given_name} {person.family_name}",
        email=person.email,
        level=level,
        school_ids=tuple(place.id for place in at),
        may_edit=may_edit,
        today=TODAY,
    )


@dataclass
class District:
    """A small district that many tests share; `slack` identifies each person as Slack would."""

    lincoln: School
    roosevelt: School
    ana: Staff
    tom: Staff
    clara: Staff
    dana: Staff
    slack: dict[str, SlackIdentity] = field(default_factory=dict)


def create_district(session) -> District:
    lincoln, roosevelt = school(session), school(session, "Roosevelt High")
    district = District(
        lincoln,
        roosevelt,
        ana=staff(session, at=lincoln),
        tom=staff(session, "Tom", "Brown", at=lincoln),
        clara=staff(session, "Clara", "Clerk", role="siteAdministrator", at=lincoln),
        dana=staff(session, "Dana", "Diaz", role="districtAdministrator"),
    )
    for name in ("ana", "tom", "clara", "dana"):
        district.slack[name] = SlackIdentity(f"U{name.upper()}", getattr(district, name).email, full_member=True)
    district.slack["gus"] = SlackIdentity("UGUS", "gus.guest@partner.example", full_member=False)
    return district
