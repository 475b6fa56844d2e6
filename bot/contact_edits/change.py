"""Change a contact's phone or contact method: an edit beside the SIS value, never over it.

A number that texted STOP may be entered and called, but not texted: only its own START lifts that. A
number of the wrong person may be neither until staff verified it, and an Inactive number may not be
called: the call would reach no one, or a stranger. All are refused only where the number's status may
be shown with this contact (`tried_numbers`), so that typing a stranger's number shows nothing about it.
No sender texts it after STOP in any case.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from bot.access.rights import Actor
from bot.cleanup_list.tried_numbers import is_parked, may_show_status
from bot.contact_edits.locking import (
    LockedContact,
    Values,
    VersionConflict,
    already_saved_by,
    lock_for_staff,
    record_change,
    update_list_entry,
)
from bot.db.models.base import ContactMethod
from bot.db.models.edits import Edit, EditField, EditState
from bot.db.models.messages import ListEntry, PhoneNumber
from bot.db.models.roster import Contact
from bot.domain.display import full_name
from bot.domain.phone import Doubt, describe_opt_in_number, doubt_about, parse
from bot.domain.sms_status import SmsStatus
from bot.errors import UserError

# The error of a number that can hardly be a family's.
_DOUBTS = {
    Doubt.PLACEHOLDER: (
        "phone.placeholder",
        "That is a placeholder, not a phone number. Leave the field empty if there is no number.",
    ),
    Doubt.UNASSIGNABLE: (
        "phone.misdialled",
        (
            "No US phone has a number like that: the area code and the next three digits cannot begin with 0 or 1, "
            "and the area code cannot end in 11. Check the number with the family."
        ),
    ),
    Doubt.TOLL_FREE: (
        "phone.toll_free",
        "That is a toll-free number, which belongs to a company. Enter the contact's own number.",
    ),
}


@dataclass(frozen=True)
class SavedChange:
    """A contact after a change. `phone` is E.164; `edit_ids` are the edits in force that the change made."""

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
    """Save what was typed; the same again from the same person changes nothing.

    `phone` is as typed, blank for no number. `opt_in_number` (E.164) is where a family texts START.

    Raises:
        VersionConflict: the contact is not at `version` anymore.
        UserError: with `field` `phone` or `method`; the sentence names the mistake and how to write it.
    """
    number = parse_typed(phone, region) if phone and phone.strip() else None
    values: Values = {EditField.PHONE: number, EditField.METHOD: str(ContactMethod(method))}
    try:
        before = lock_for_staff(session, contact_id, version=version, actor=actor)
    except VersionConflict as conflict:
        return _saved_before(session, contact_id, values, conflict, actor)
    if not _changed_fields(before, values):
        sentence = "Nothing is different yet. Change the number or the method, or press Cancel."
        raise UserError("contact.unchanged", sentence, field="phone")
    _validate(session, before, values, region=region, opt_in_number=opt_in_number)
    return _save(session, before, values, actor=actor, now=now)


def switch_to_call(session: Session, contact_id: int, *, version: int, actor: Actor, now: datetime) -> SavedChange:
    """Keep the number, for autocalls instead of texts: what helps a landline.

    Raises:
        VersionConflict: the contact is not at `version` anymore.
        UserError: there is no number, it cannot be called, or it gets calls already.
    """
    call = str(ContactMethod.CALL)
    try:
        before = lock_for_staff(session, contact_id, version=version, actor=actor)
    except VersionConflict as conflict:
        return _saved_before(session, contact_id, {EditField.METHOD: call}, conflict, actor)
    number = before.values[EditField.PHONE]
    if not number:
        raise UserError("contact.no_number", "A call needs a number. Press Edit to enter one.")
    if before.values[EditField.METHOD] == ContactMethod.CALL:
        raise UserError("contact.gets_calls", "This contact already gets autocalls.")
    _refuse_inactive(session, before, _known_number(session, before, number))
    return _save(session, before, {EditField.PHONE: number, EditField.METHOD: call}, actor=actor, now=now)


def use_suggested_number(
    session: Session, contact_id: int, *, version: int, phone: str, actor: Actor, now: datetime
) -> SavedChange:
    """Take a suggested number (E.164) for texts.

    Raises:
        VersionConflict: the contact is not at `version` anymore.
        UserError: it already gets texts at this number.
    """
    before = lock_for_staff(session, contact_id, version=version, actor=actor)
    values: Values = {EditField.PHONE: phone, EditField.METHOD: str(ContactMethod.TEXT)}
    if not _changed_fields(before, values):
        raise UserError("contact.gets_texts", "This contact already gets texts at that number.")
    return _save(session, before, values, actor=actor, now=now)


def enter_number(session: Session, before: LockedContact, phone: str, *, actor: Actor, now: datetime) -> SavedChange:
    """Enter a proven number (E.164) in a locked contact, whose method stays. Without a check: it may have texted STOP."""
    return _save(session, before, {**before.values, EditField.PHONE: phone}, actor=actor, now=now)


def _saved_before(
    session: Session, contact_id: int, values: Values, conflict: VersionConflict, actor: Actor
) -> SavedChange:
    """Return what this person saved a moment ago, if it is what they ask for now."""
    current = already_saved_by(session, contact_id, conflict, actor)
    if _changed_fields(current, values):
        raise conflict
    edit_ids = tuple(current.edits[field].id for field in values if field in current.edits)
    is_listed = session.get(ListEntry, contact_id) is not None
    return _saved_change(current.contact, current.values, edit_ids, is_listed=is_listed)


def _changed_fields(before: LockedContact, values: Values) -> list[EditField]:
    return [field for field, value in values.items() if value != before.values[field]]


def _save(session: Session, before: LockedContact, values: Values, *, actor: Actor, now: datetime) -> SavedChange:
    contact_id = before.contact.id
    edits = []
    for field in _changed_fields(before, values):
        edits.append(_put_edit(session, before, field, values[field], actor=actor, now=now))
        change = (before.values[field], values[field])
        record_change(session, contact_id, field, change, actor=actor, action=f"{field}.changed", now=now)
    edit_ids = tuple(edit.id for edit in edits if edit)
    after = {**before.values, **values}
    is_listed = update_list_entry(session, before.contact, actor=actor, now=now, values=after)
    return _saved_change(before.contact, values, edit_ids, is_listed=is_listed)


def _saved_change(contact: Contact, values: Values, edit_ids: tuple[int, ...], *, is_listed: bool) -> SavedChange:
    return SavedChange(
        contact_id=contact.id,
        name=full_name(contact.given_name, contact.family_name),
        phone=values[EditField.PHONE],
        method=ContactMethod(values[EditField.METHOD] or "text"),
        edit_ids=edit_ids,
        is_listed=is_listed,
    )


def _put_edit(
    session: Session, before: LockedContact, field: EditField, value: str | None, *, actor: Actor, now: datetime
) -> Edit | None:
    """Replace the edit in force; None where the person typed what the SIS has anyway."""
    earlier, sis_value = before.edits.get(field), before.sis[field]
    if earlier:
        earlier.state = EditState.UNDONE if value == sis_value else EditState.REPLACED
        session.flush()  # The unique index allows one edit in force, so the earlier one ends first.
    if value == sis_value:
        return None
    edit = Edit(
        contact_id=before.contact.id,
        field=field,
        base=sis_value,
        value=value,
        state=EditState.PENDING,
        made_by=actor.user_id,
        made_at=now,
        replaces_id=earlier.id if earlier else None,
    )
    session.add(edit)
    session.flush()
    return edit


def parse_typed(typed: str, region: str) -> str:
    """Return a number as typed in E.164.

    Raises:
        UserError: with `field` `phone`, it is no number, or has an extension.
    """
    try:
        number = parse(typed, region)
    except UserError as problem:
        raise UserError(problem.code, problem.sentence, field="phone") from problem
    if number.extension:
        sentence = f"Leave out the extension {number.extension}: neither a text nor an autocall can dial it."
        raise UserError("phone.extension", sentence, field="phone")
    return number.e164


def _validate(
    session: Session, before: LockedContact, values: Values, *, region: str, opt_in_number: str | None
) -> None:
    number, method = values[EditField.PHONE], values[EditField.METHOD]
    doubt = _doubt(number, opt_in_number) if number and number != before.values[EditField.PHONE] else None
    if doubt:
        raise UserError(*doubt, field="phone")
    if method == ContactMethod.EMAIL and not before.contact.email:
        sentence = "The student information system has no email address. Add it there, or choose another method."
        raise UserError("contact.no_email", sentence, field="method")
    if method == ContactMethod.CALL and not number:
        sentence = "A call needs a number. Enter one, or choose another method."
        raise UserError("contact.no_number_to_call", sentence, field="phone")
    known = _known_number(session, before, number) if number else None
    field = "phone" if number != before.values[EditField.PHONE] else "method"
    if method == ContactMethod.TEXT and known and is_parked(session, known.phone, before.contact.id):
        sentence = (
            "This number belongs to someone else (Wrong person). Enter another number. If the family confirmed that this one is "
            "theirs, press Cancel, then Undo wrong person."
        )
        raise UserError("contact.wrong_person", sentence, field=field)
    if method == ContactMethod.CALL:
        _refuse_inactive(session, before, known)
    if method == ContactMethod.TEXT and known and known.opted_out_at:
        sentence = (
            "This number opted out (STOP), and no one here can lift that. The contact must text START to "
            f"{describe_opt_in_number(opt_in_number, region)} from that phone. Until then choose another contact method, "
            "or enter another number."
        )
        raise UserError("contact.opted_out", sentence, field=field)


def doubt_sentence(number: str, our_number: str | None) -> str | None:
    """Return why a number (E.164) can hardly be a family's; None for most."""
    doubt = _doubt(number, our_number)
    return doubt[1] if doubt else None


def _doubt(number: str, our_number: str | None) -> tuple[str, str] | None:
    """Return code and sentence. Our own number stands beside the advice for a blocked contact, where it is easily copied."""
    if number == our_number:
        return "phone.our_own", "That is our own number, which sends the messages. Enter the contact's number."
    doubt = doubt_about(number)
    return _DOUBTS[doubt] if doubt else None


def _known_number(session: Session, before: LockedContact, number: str) -> PhoneNumber | None:
    """Return what is known about a number, None if it may not be shown with this contact."""
    return session.get(PhoneNumber, number) if may_show_status(session, before.contact, number) else None


def _refuse_inactive(session: Session, before: LockedContact, known: PhoneNumber | None) -> None:
    if known and (known.status == SmsStatus.INACTIVE or is_parked(session, known.phone, before.contact.id)):
        sentence = (
            "This number is out of service or belongs to someone else now. Enter another number, or remove the contact."
        )
        raise UserError("contact.inactive", sentence, field="phone")
