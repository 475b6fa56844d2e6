"""Changing a contact's phone or contact method: an edit beside the SIS value, checked for what it would mean.

A number that said STOP can be written down and called, but not texted: only its own START lifts that. One that is Inactive
cannot be called either: nobody would hear, or a stranger.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from bot import access
from bot.access import Actor
from bot.contact_edits.locking import (
    LockedContact,
    VersionConflict,
    already_saved_by,
    lock_contact,
    record_change,
    update_list_entry,
)
from bot.db.models.base import ContactMethod
from bot.db.models.edits import Edit, EditField, EditState
from bot.db.models.messages import ListEntry, PhoneNumber
from bot.domain.phone import describe_opt_in_number, is_unassignable, parse
from bot.domain.sms_status import SmsStatus
from bot.errors import UserError

Wanted = dict[EditField, str | None]


@dataclass(frozen=True)
class SavedChange:
    """A contact as it was saved. `phone` is E.164; `edit_ids` are the edits now in force that this change made; `is_listed` says whether
    it stands on the list.

    The same once more from the same person changes nothing and gives what stands.
    """

    contact_id: int
    name: str
    phone: str | None
    method: ContactMethod
    edit_ids: tuple[int, ...]
    is_listed: bool


def change_contact(
    session: Session,
    contact_id: int,
    *,
    version: int,
    phone: str | None,
    method: str,
    actor: Actor,
    region: str,
    opt_in_number: str | None,
    now: datetime,
) -> SavedChange:
    """Save what was typed. `phone` is as written, blank for no number; `opt_in_number` (E.164) is where START is texted.

    Raises:
        Stale: the contact is not at `version` any more.
        UserError: with `field` `phone` or `method`, saying what is wrong with it and how to write it.
    """
    access.require_editor(actor)
    access.require_contact(session, contact_id, actor=actor)
    wanted: Wanted = {EditField.PHONE: _read(phone, region), EditField.METHOD: str(ContactMethod(method))}
    try:
        before = lock_contact(session, contact_id, version=version)
    except VersionConflict as stale:
        return _done_before(session, contact_id, wanted, stale, actor)
    differing = _differing(before, wanted)
    if not differing:
        raise UserError(
            "contact.same", "Nothing is different yet. Change the number or the method, or press Cancel.", field="phone"
        )
    _check(session, before, wanted, region=region, opt_in_number=opt_in_number)
    return _save(session, before, wanted, differing, actor=actor, now=now)


def switch_to_call(session: Session, contact_id: int, *, version: int, actor: Actor, now: datetime) -> SavedChange:
    """The same number, for autocalls and no more for texts: what helps a landline.

    Raises:
        Stale: the contact is not at `version` any more.
        UserError: there is no number, a call to it reaches nobody, or it takes calls already.
    """
    access.require_editor(actor)
    access.require_contact(session, contact_id, actor=actor)
    calls = str(ContactMethod.CALL)
    try:
        before = lock_contact(session, contact_id, version=version)
    except VersionConflict as stale:
        return _done_before(session, contact_id, {EditField.METHOD: calls}, stale, actor)
    if not before.phone:
        raise UserError("contact.no_number", "A call needs a number. Press Edit to write one.")
    if before.method is ContactMethod.CALL:
        raise UserError("contact.gets_calls", "This contact gets autocalls already.")
    _refuse_calls_to_nobody(session.get(PhoneNumber, before.phone))
    wanted: Wanted = {EditField.PHONE: before.phone, EditField.METHOD: calls}
    return _save(session, before, wanted, [EditField.METHOD], actor=actor, now=now)


def use_suggested_number(
    session: Session, contact_id: int, *, version: int, phone: str, actor: Actor, now: datetime
) -> SavedChange:
    """A number (E.164) that was suggested, for texts.

    Raises:
        Stale: the contact is not at `version` any more.
        UserError: it is texted at this number already.
    """
    access.require_editor(actor)
    access.require_contact(session, contact_id, actor=actor)
    before = lock_contact(session, contact_id, version=version)
    wanted: Wanted = {EditField.PHONE: phone, EditField.METHOD: str(ContactMethod.TEXT)}
    differing = _differing(before, wanted)
    if not differing:
        raise UserError("contact.gets_texts", "This contact gets texts at that number already.")
    return _save(session, before, wanted, differing, actor=actor, now=now)


def _done_before(
    session: Session, contact_id: int, wanted: Wanted, stale: VersionConflict, actor: Actor
) -> SavedChange:
    """What this person saved a moment ago, where it is just what they ask for now."""
    stands = already_saved_by(session, contact_id, stale, actor)
    if any(stands.value(field) != value for field, value in wanted.items()):
        raise stale
    return SavedChange(
        contact_id,
        stands.name,
        stands.phone,
        stands.method,
        tuple(stands.edits[field].id for field in wanted if field in stands.edits),
        session.get(ListEntry, contact_id) is not None,
    )


def _differing(before: LockedContact, wanted: Wanted) -> list[EditField]:
    return [field for field, value in wanted.items() if value != before.value(field)]


def _save(
    session: Session, before: LockedContact, wanted: Wanted, differing: list[EditField], *, actor: Actor, now: datetime
) -> SavedChange:
    contact_id = before.contact.id
    edits = [
        edit for field in differing if (edit := _edit(session, before, field, wanted[field], actor=actor, now=now))
    ]
    for field in differing:
        values = (before.value(field), wanted[field])
        record_change(session, contact_id, field, values, actor=actor, action=f"{field}.changed", now=now)
    is_listed = update_list_entry(session, before.contact, actor=actor, now=now)
    made = tuple(edit.id for edit in edits)
    method = ContactMethod(wanted[EditField.METHOD] or "text")
    return SavedChange(contact_id, before.name, wanted[EditField.PHONE], method, made, is_listed)


def _read(typed: str | None, region: str) -> str | None:
    if not typed or not typed.strip():
        return None
    try:
        read = parse(typed, region)
    except UserError as problem:
        raise UserError(problem.code, problem.sentence, field="phone") from problem
    if read.extension:
        raise UserError(
            "contact.extension",
            f"Leave out the extension {read.extension}: neither a text nor an autocall can dial it.",
            field="phone",
        )
    return read.e164


def _check(
    session: Session,
    before: LockedContact,
    wanted: Wanted,
    *,
    region: str,
    opt_in_number: str | None,
) -> None:
    number, method = wanted[EditField.PHONE], wanted[EditField.METHOD]
    if number and number != before.phone and is_unassignable(number):
        raise UserError(
            "phone.misdialled",
            ("No US number is like that: neither its area code nor the three digits after it begin with 0 or 1."),
            field="phone",
        )
    if method == ContactMethod.EMAIL and not before.contact.email:
        raise UserError(
            "contact.no_email",
            ("There is no e-mail address in the student information system. Add it there, or choose another method."),
            field="method",
        )
    if method == ContactMethod.CALL and not number:
        raise UserError(
            "contact.no_number_to_call", "A call needs a number. Write one, or choose another method.", field="phone"
        )
    known = session.get(PhoneNumber, number) if number else None
    if method == ContactMethod.CALL:
        _refuse_calls_to_nobody(known)
    if method == ContactMethod.TEXT and known and known.opted_out_at:
        to = describe_opt_in_number(opt_in_number, region)
        field = "phone" if number != before.phone else "method"
        raise UserError(
            "contact.opted_out",
            (
                f"This number said STOP, and nobody here can lift that. The contact must text START to {to} "
                "from that phone. Until then choose another contact method, or write another number."
            ),
            field=field,
        )


def _refuse_calls_to_nobody(known: PhoneNumber | None) -> None:
    if known and known.status == SmsStatus.INACTIVE:
        raise UserError(
            "contact.inactive",
            ("This number is out of service or somebody else's by now. Write another number, or remove the contact."),
            field="phone",
        )


def _edit(
    session: Session, before: LockedContact, field: EditField, value: str | None, *, actor: Actor, now: datetime
) -> Edit | None:
    """The edit that now stands; none where the person wrote what the SIS says anyway."""
    earlier = before.edits.get(field)
    if earlier:
        earlier.state = EditState.UNDONE if value == before.sis(field) else EditState.REPLACED
        session.flush()  # The index of edits in force has room for one: the earlier one steps back first.
    if value == before.sis(field):
        return None
    edit = Edit(
        contact_id=before.contact.id,
        field=field,
        base=before.sis(field),
        value=value,
        state=EditState.PENDING,
        made_by=actor.user_id,
        made_at=now,
        replaces_id=earlier.id if earlier else None,
    )
    session.add(edit)
    session.flush()
    return edit
