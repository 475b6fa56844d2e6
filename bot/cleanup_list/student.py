"""Everything the student dialog shows: all contacts in calling order, on the list or not, and those removed.

The status of a contact here is that of its number now; a typed number has none before a mass message went to it. Phones are E.164, for the
caller to mask.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Select, any_, bindparam, case, func, or_, select, true
from sqlalchemy.orm import Session, aliased

from bot.access import rights
from bot.access.rights import BOUND_PARAMS, AccessLevel, Actor
from bot.cleanup_list import last_verified
from bot.cleanup_list.calls import CALL_COLUMNS, LastCall, call_from_row
from bot.cleanup_list.last_verified import LastVerified
from bot.cleanup_list.query import StudentRow, student_from_row
from bot.cleanup_list.student_columns import reachability_query, school_names, teacher_names
from bot.cleanup_list.suggestions import Suggestion, find_suggestions
from bot.cleanup_list.tried_numbers import IS_PROVED
from bot.db.models.base import ContactMethod
from bot.db.models.edits import IN_FORCE, Edit, EditField, EditState, Removal
from bot.db.models.folding import full_name
from bot.db.models.messages import Delivery, ListEntry, MassMessage, PhoneNumber
from bot.db.models.roster import Contact, Staff, Student, StudentContact
from bot.db.models.teacher_questions import TeacherAnswer, TeacherMessage, TeacherQuestion, was_sent
from bot.db.models.views import effective_contacts
from bot.domain import display
from bot.domain.phone_note import NoteKind
from bot.domain.school_days import PAUSE_BETWEEN_QUESTIONS, school_days_before
from bot.domain.sms_status import Outcome, SmsStatus
from bot.errors import UserError
from bot.providers import registry


@dataclass(frozen=True)
class ActiveEdit:
    """An edit in force. `sis_value` is the third value of a conflict, since `sis_at`."""

    edit_id: int
    field: EditField
    state: EditState
    value: str | None
    sis_value: str | None
    sis_at: datetime | None
    made_by: str
    made_at: datetime


@dataclass(frozen=True)
class Evidence:
    """The delivery behind a status. `meaning` explains the provider's `code`, None for an unknown code; `answered` is False where
    the mass message became final without a report.
    """

    message: str
    sent_at: datetime
    provider: str | None
    code: str | None
    meaning: str | None
    answered: bool


@dataclass(frozen=True)
class ContactCard:
    """A contact as a person may change it. `undo_edit_id` is the edit that Undo takes back.

    `is_tried` is False for a number that was typed here and that no mass message went to yet: it has no status to show. `stopped_by`
    reported the opt-out: a provider, a system of the district, or the Slack user who recorded it. `wrong_person_by` is the same for a
    number of the wrong person, which may have opted out, too. `note` stands beside the number in the SIS, and `noted` is why the number
    is not texted because of a note, of this contact or another. `texted_since` is when a message was sent after the opt-out and arrived
    all the same, the latest of them.
    """

    contact_id: int
    version: int
    name: str
    relationship: str | None
    method: ContactMethod
    phone: str | None
    email: str | None
    status: SmsStatus | None
    since: datetime | None
    evidence: Evidence | None
    is_tried: bool
    stopped_by: str | None
    wrong_person_by: str | None
    note: str | None
    noted: NoteKind | None
    texted_since: datetime | None
    verified: LastVerified | None
    on_list: bool
    updated_at: datetime | None
    updated_by: str | None
    claimed_by: str | None
    claimed_at: datetime | None
    call: LastCall | None
    edits: tuple[ActiveEdit, ...]
    undo_edit_id: int | None
    suggestions: tuple[Suggestion, ...]

    @property
    def is_opted_out_by_note(self) -> bool:
        """Whether the number never texted STOP, but a note of the SIS asks not to text it: START does not end that."""
        return self.status is SmsStatus.OPT_OUT and self.noted is not None and self.stopped_by is None


@dataclass(frozen=True)
class RemovedContact:
    """A contact that staff removed, from this student or from all, and can bring back."""

    removal_id: int
    contact_id: int
    name: str
    relationship: str | None
    reason: str
    made_by: str
    made_at: datetime


@dataclass(frozen=True)
class Sibling:
    """Another student of the same adult."""

    student_id: int
    name: str


@dataclass(frozen=True)
class AskedTeacher:
    """When the homeroom teacher was asked for a number last, and the answer, if there is one yet. `failed`: Slack did not say that
    it delivered the message, so the teacher may be asked again.
    """

    at: datetime
    answer: TeacherAnswer | None
    teacher: str
    failed: bool


@dataclass(frozen=True)
class StudentCard:
    """A student with contacts. `number` is the student number, blank if there is none; `siblings` are those that the person may see,
    and `student.listed` is empty. `asked` is set where no adult can be texted and the teacher was asked lately.
    """

    student: StudentRow
    number: str
    contacts: tuple[ContactCard, ...]
    removed: tuple[RemovedContact, ...]
    siblings: tuple[Sibling, ...]
    asked: AskedTeacher | None = None

    @property
    def to_fix(self) -> tuple[ContactCard, ...]:
        """The contacts on the list, except those who only wait for the next mass message."""
        return tuple(contact for contact in self.contacts if contact.on_list and not contact.updated_at)

    def contact(self, contact_id: int) -> ContactCard:
        """Return one of the contacts.

        Raises:
            UserError: it is no longer a contact of this student.
        """
        for contact in self.contacts:
            if contact.contact_id == contact_id:
                return contact
        sentence = "That contact has been removed. Close this dialog and type /cleanup for the current list."
        raise UserError("contact.removed", sentence)


_STUDENT_ID = bindparam("student_id", type_=BigInteger)
_IDS = bindparam("ids", type_=ARRAY(BigInteger))


def load_student(session: Session, student_id: int, *, actor: Actor) -> StudentCard:
    """Return a student with all contacts.

    Raises:
        UserError: this person may not see the student.
    """
    rights.require_student(session, student_id, actor=actor)
    student = session.execute(_STUDENT, {"student_id": student_id, "today": actor.today}).one()
    contacts = session.execute(_CONTACTS, {"student_id": student_id, "today": actor.today}).all()
    contact_ids = [row.contact_id for row in contacts]
    edits = _load_edits(session, contact_ids)
    suggestions = find_suggestions(session, contacts)
    return StudentCard(
        student=student_from_row(student),
        number=student.identifier,
        contacts=tuple(
            _contact(row, edits[row.contact_id], tuple(suggestions.get(row.contact_id, ()))) for row in contacts
        ),
        removed=tuple(_removed(row) for row in session.execute(_REMOVALS, {"student_id": student_id})),
        siblings=_load_siblings(session, student_id, contact_ids, actor),
        asked=None if student.textable else _load_asked(session, student_id, actor),
    )


def _load_asked(session: Session, student_id: int, actor: Actor) -> AskedTeacher | None:
    name = full_name(Staff.given_name, Staff.family_name)
    asked = (
        select(TeacherQuestion.asked_at, TeacherQuestion.answer, was_sent().label("was_sent"), name.label("teacher"))
        .join(TeacherMessage, TeacherMessage.id == TeacherQuestion.message_id)
        .outerjoin(Staff, Staff.email == TeacherMessage.teacher)
        .where(
            TeacherQuestion.student_id == student_id,
            TeacherQuestion.asked_on > school_days_before(actor.today, PAUSE_BETWEEN_QUESTIONS),
        )
    )
    row = session.execute(asked.order_by(TeacherQuestion.id.desc(), Staff.id).limit(1)).first()
    if row is None:
        return None
    answer = TeacherAnswer(row.answer) if row.answer else None
    return AskedTeacher(row.asked_at, answer, row.teacher or "The teacher", failed=not row.was_sent)


_REACHABILITY = reachability_query(Student.id).lateral()
_STUDENT = (
    select(
        *(Student.id.label("student_id"), Student.given_name, Student.family_name, Student.grade, _REACHABILITY),
        Student.identifier,
        school_names(Student.id).label("schools"),
        teacher_names(Student.id, BOUND_PARAMS.today).label("teachers"),
    )
    .join_from(Student, _REACHABILITY, true())
    .where(Student.id == _STUDENT_ID)
)

_ADULT = effective_contacts.c
_later, _sent_later = aliased(Delivery), aliased(MassMessage)
# The latest message that arrived although it was sent after the opt-out; null for a number that did not opt out.
_TEXTED_SINCE = (
    select(func.max(_sent_later.sent_at))
    .join_from(_later, _sent_later, _sent_later.id == _later.mass_message_id)
    .where(_later.phone == PhoneNumber.phone, _later.outcome == Outcome.DELIVERED)
    .where(_sent_later.sent_at > PhoneNumber.opted_out_at)
    .correlate(PhoneNumber)
    .scalar_subquery()
)
_CONTACTS = (
    select(
        *(_ADULT.contact_id, _ADULT.given_name, _ADULT.family_name, _ADULT.relationship, _ADULT.email),
        *(_ADULT.phone, _ADULT.method, _ADULT.sms_status, _ADULT.is_tried, Contact.version),
        *(Contact.sis_phone_note, PhoneNumber.noted),
        *(PhoneNumber.since.label("number_since"), PhoneNumber.opted_out_at, PhoneNumber.opted_out_by),
        *(PhoneNumber.wrong_person_at, PhoneNumber.wrong_person_by, IS_PROVED.label("is_proved")),
        case((PhoneNumber.opted_out_at.is_not(None), _TEXTED_SINCE)).label("texted_since"),
        *last_verified.COLUMNS,
        *(ListEntry.since.label("listed_since"), ListEntry.updated_at, ListEntry.updated_by),
        *(ListEntry.claimed_by, ListEntry.claimed_at, *CALL_COLUMNS, BOUND_PARAMS.today.label("today")),
        *(Delivery.provider, Delivery.code, Delivery.final_at, MassMessage.title, MassMessage.sent_at),
    )
    .join_from(effective_contacts, Contact, Contact.id == _ADULT.contact_id)
    .outerjoin(PhoneNumber, PhoneNumber.phone == _ADULT.phone)
    .outerjoin(Delivery, Delivery.id == PhoneNumber.delivery_id)
    .outerjoin(MassMessage, MassMessage.id == Delivery.mass_message_id)
    .outerjoin(ListEntry, ListEntry.contact_id == _ADULT.contact_id)
    .where(_ADULT.student_id == _STUDENT_ID)
    .order_by(_ADULT.priority.nulls_last(), _ADULT.family_name, _ADULT.given_name, _ADULT.contact_id)
)


def _contact(row: Any, edits: tuple[ActiveEdit, ...], suggestions: tuple[Suggestion, ...]) -> ContactCard:
    status, since = _status(row)
    return ContactCard(
        contact_id=row.contact_id,
        version=row.version,
        name=display.full_name(row.given_name, row.family_name),
        relationship=row.relationship,
        method=ContactMethod(row.method),
        phone=row.phone,
        email=row.email,
        status=status,
        since=since,
        evidence=_evidence(row, status),
        is_tried=row.is_tried,
        stopped_by=row.opted_out_by if status is SmsStatus.OPT_OUT else None,
        wrong_person_by=row.wrong_person_by if row.is_tried and not row.is_proved else None,
        note=row.sis_phone_note,
        noted=NoteKind(row.noted) if row.noted and row.is_tried else None,
        texted_since=row.texted_since if status is SmsStatus.OPT_OUT else None,
        verified=last_verified.from_row(row),
        on_list=row.listed_since is not None,
        updated_at=row.updated_at,
        updated_by=row.updated_by,
        claimed_by=row.claimed_by,
        claimed_at=row.claimed_at,
        call=call_from_row(row),
        edits=edits,
        undo_edit_id=edits[0].edit_id if edits else None,
        suggestions=suggestions,
    )


def _status(row: Any) -> tuple[SmsStatus | None, datetime | None]:
    """Return the status of the number now, and since when; what a person said outranks what carriers reported."""
    if row.phone is None:
        return SmsStatus.NO_NUMBER, row.listed_since
    if row.sms_status is None:
        return None, None
    status = SmsStatus(row.sms_status)
    said_at = {SmsStatus.OPT_OUT: row.opted_out_at, SmsStatus.WRONG_PERSON: row.wrong_person_at}
    return status, said_at.get(status, row.listed_since if row.noted else row.number_since)


def _evidence(row: Any, status: SmsStatus | None) -> Evidence | None:
    """Return the delivery behind the status. What a person said needs none, whatever carriers reported before it."""
    is_said = status in {None, SmsStatus.OPT_OUT, SmsStatus.WRONG_PERSON, SmsStatus.NO_NUMBER} or row.noted
    if is_said or row.sent_at is None:
        return None
    return Evidence(
        message=row.title,
        sent_at=row.sent_at,
        provider=row.provider,
        code=row.code,
        meaning=registry.meaning(row.provider, row.code),
        answered=row.final_at is not None,
    )


_EDITS = (
    select(
        *(Edit.contact_id, Edit.id.label("edit_id"), Edit.field, Edit.state, Edit.value),
        *(Edit.sis_value, Edit.sis_at, Edit.made_by, Edit.made_at),
    )
    .where(Edit.contact_id == any_(_IDS), Edit.state.in_(IN_FORCE))
    .order_by(Edit.made_at.desc(), Edit.id.desc())
)


def _load_edits(session: Session, contact_ids: Sequence[int]) -> Mapping[int, tuple[ActiveEdit, ...]]:
    """Return the edits in force by contact, newest first: the first is the one that Undo takes back."""
    edits: defaultdict[int, tuple[ActiveEdit, ...]] = defaultdict(tuple)
    for row in session.execute(_EDITS, {"ids": contact_ids}).mappings():
        values = {**row, "field": EditField(row["field"]), "state": EditState(row["state"])}
        edits[values.pop("contact_id")] += (ActiveEdit(**values),)
    return edits


# The planner mistakes both questions in one for a question about the whole district, so they are asked one after the other.
_OTHER_STUDENTS = (
    select(_ADULT.student_id).where(_ADULT.contact_id == any_(_IDS), _ADULT.student_id != _STUDENT_ID).distinct()
)


def _load_siblings(session: Session, student_id: int, contact_ids: Sequence[int], actor: Actor) -> tuple[Sibling, ...]:
    others = session.scalars(_OTHER_STUDENTS, {"ids": contact_ids, "student_id": student_id}).all()
    if not others:
        return ()
    rows = session.execute(_visible_names(actor.level), {**actor.scope.params, "ids": others})
    return tuple(Sibling(row.id, display.full_name(row.given_name, row.family_name)) for row in rows)


@cache
def _visible_names(level: AccessLevel) -> Select[*tuple[Any, ...]]:
    return (
        select(Student.id, Student.given_name, Student.family_name)
        .where(Student.id == any_(_IDS), Student.active, rights.can_see(level, Student.id))
        .order_by(Student.family_name, Student.given_name, Student.id)
    )


_REMOVALS = (
    select(
        *(Removal.id, Removal.contact_id, Removal.reason, Removal.made_by, Removal.made_at),
        *(Contact.given_name, Contact.family_name, StudentContact.relationship),
    )
    .join(Contact, Contact.id == Removal.contact_id)
    .join(StudentContact, StudentContact.contact_id == Removal.contact_id)
    .where(StudentContact.student_id == _STUDENT_ID, StudentContact.active, Contact.active)
    .where(Removal.undone_at.is_(None), or_(Removal.student_id == _STUDENT_ID, Removal.student_id.is_(None)))
    .order_by(Removal.made_at.desc(), Removal.id.desc())
)


def _removed(row: Any) -> RemovedContact:
    return RemovedContact(
        removal_id=row.id,
        contact_id=row.contact_id,
        name=display.full_name(row.given_name, row.family_name),
        relationship=row.relationship,
        reason=row.reason,
        made_by=row.made_by,
        made_at=row.made_at,
    )
