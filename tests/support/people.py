"""Builders whose results are valid by default, and the people every test knows.

Lincoln Elementary and Roosevelt High; Ana García teaches grade 5 at Lincoln, Tom Brown teaches there too; Clara Clerk
works in Lincoln's office; Dana Diaz manages the whole district; Gus Guest has no rights.
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import count

from sqlalchemy.orm import Session

from bot.access import Actor, Reach, SlackPerson
from bot.cleanup_list.entry_names import refresh_entry_names
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


def start_again() -> None:
    """Numbers begin with one again, so that none runs into a number that a test writes itself."""
    global _numbers  # noqa: PLW0603 - the builders are plain functions.
    _numbers = count(1)


def _next(prefix: str) -> str:
    return f"{prefix}-{next(_numbers)}"


def a_phone() -> str:
    """A number that no other builder gives: (312) 555-xxxx is never assigned."""
    return f"+1312555{next(_numbers) % 10_000:04d}"


def _saved(session: Session, row):
    session.add(row)
    session.flush()
    return row


def school(session, name="Lincoln Elementary"):
    return _saved(session, School(sourced_id=_next("SCH"), name=name))


def staff(session, given="Ana", family="García", email=None, *, role="teacher", at=None):
    one = _saved(
        session,
        Staff(
            sourced_id=_next("STF"),
            given_name=given,
            family_name=family,
            email=email or f"{fold(given)}.{fold(family)}@district.example".replace(" ", ""),
        ),
    )
    _saved(session, StaffRole(staff_id=one.id, school_id=at.id if at else None, role=role))
    return one


def school_class(session, teacher, at, *students, title="Homeroom 5A", homeroom=True, ends_on=None):
    one = _saved(session, SchoolClass(sourced_id=_next("CLS"), school_id=at.id, title=title, homeroom=homeroom))
    _saved(session, ClassTeacher(sourced_id=_next("ET"), class_id=one.id, staff_id=teacher.id, is_primary=True))
    for learner in students:
        _saved(
            session,
            ClassStudent(sourced_id=_next("ES"), class_id=one.id, student_id=learner.id, ends_on=ends_on),
        )
    return one


def student(session, given="Sam", family="Rivera", *, grade="5", at=None, active=True):
    one = _saved(
        session,
        Student(
            sourced_id=_next("STU"),
            given_name=given,
            family_name=family,
            search=fold(f"{given} {family}"),
            grade=grade,
            active=active,
        ),
    )
    if at:
        _saved(session, StudentSchool(student_id=one.id, school_id=at.id))
    return one


def contact(
    session, *of, given="Maria", family="Rivera", phone="new", method="text", relationship="parent", priority=1
):
    number = a_phone() if phone == "new" else phone
    one = _saved(
        session,
        Contact(
            sourced_id=_next("CON"),
            given_name=given,
            family_name=family,
            sis_phone=number,
            sis_phone_written=number,
            sis_method=method,
        ),
    )
    for learner in of:
        _saved(
            session,
            StudentContact(student_id=learner.id, contact_id=one.id, relationship=relationship, priority=priority),
        )
    return one


def listed(session, one, status=SmsStatus.BLOCKED, *, since=NOW):
    """Put a contact on the list as a settled mass message would have."""
    if one.sis_phone:
        session.merge(PhoneNumber(phone=one.sis_phone, status=status, since=since))
    _saved(session, ListEntry(contact_id=one.id, status=status, phone=one.sis_phone, since=since))
    refresh_entry_names(session.connection())
    return one


def acting(one, *, reach=Reach.CLASSES, at=(), may_edit=True):
    """The actor a staff member is, without asking Slack."""
    return Actor(
        user_id=f"U{one.id:05d}",
        staff_ids=(one.id,),
        name=f"{one.given_name} {one.family_name}",
        email=one.email,
        reach=reach,
        school_ids=tuple(place.id for place in at),
        may_edit=may_edit,
        today=TODAY,
    )


@dataclass
class District:
    """A small district that many tests share; `slack` names each person as Slack would."""

    lincoln: School
    roosevelt: School
    ana: Staff
    tom: Staff
    clara: Staff
    dana: Staff
    slack: dict[str, SlackPerson] = field(default_factory=dict)


def a_district(session) -> District:
    lincoln, roosevelt = school(session), school(session, "Roosevelt High")
    made = District(
        lincoln,
        roosevelt,
        ana=staff(session, at=lincoln),
        tom=staff(session, "Tom", "Brown", at=lincoln),
        clara=staff(session, "Clara", "Clerk", role="siteAdministrator", at=lincoln),
        dana=staff(session, "Dana", "Diaz", role="districtAdministrator"),
    )
    for name in ("ana", "tom", "clara", "dana"):
        one = getattr(made, name)
        made.slack[name] = SlackPerson(f"U{name.upper()}", one.email, full_member=True)
    made.slack["gus"] = SlackPerson("UGUS", "gus.guest@partner.example", full_member=False)
    return made
