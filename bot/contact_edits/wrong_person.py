"""Wrong person: staff learned that a number belongs to someone else. It is parked for every student until staff verify it again."""

from datetime import datetime

from sqlalchemy.orm import Session

from bot.access.rights import Actor
from bot.cleanup_list.tried_numbers import is_parked, may_show_status
from bot.contact_edits.locking import LockedContact, VersionConflict, lock_for_staff, number_saved_before
from bot.db import audit
from bot.db.models.edits import EditField
from bot.errors import UserError
from bot.mass_messages.wrong_person import park_numbers, release_number


def mark_wrong_person(
    session: Session, contact_id: int, *, version: int, actor: Actor, student_id: int, now: datetime
) -> str:
    """Park the contact's number (E.164, returned) for every contact who has it; the same again by the same person changes nothing.

    Raises:
        VersionConflict: the contact is not at `version` anymore.
        UserError: there is no number, it is parked already, it was verified through another contact at this moment, staff typed
            it and no message went there, or the contact may not be seen.
    """
    try:
        contact = lock_for_staff(session, contact_id, version=version, actor=actor, student_id=student_id)
    except VersionConflict as conflict:
        return number_saved_before(
            session, contact_id, conflict, actor, lambda phone: is_parked(session, phone, contact_id)
        )
    phone = _number(contact)
    # A typed number would show what it is besides, and with the undo the rest; and it may be right for another family.
    if not may_show_status(session, contact.contact, phone):
        sentence = "A colleague entered this number, and no message went there yet. Press Edit and enter the right one."
        raise UserError("wrong_person.not_texted", sentence)
    if is_parked(session, phone, contact_id):
        raise UserError("wrong_person.recorded", "This number is recorded as Wrong person already.")
    if not park_numbers(session, {phone: now}, by=actor.user_id, now=now, student_id=student_id):
        # While this waited for the lock of the list. The reader has not seen it.
        sentence = "A colleague verified or recorded this number a moment ago. Open the student to see it as it is now."
        raise UserError("wrong_person.changed", sentence)
    audit.record_number(session, phone, actor=actor.user_id, action="wrong_person.recorded", now=now)
    return phone


def verify_number(
    session: Session, contact_id: int, *, version: int, actor: Actor, student_id: int, now: datetime
) -> str:
    """Release the contact's parked number (E.164, returned): the family confirmed it, or it was recorded by mistake.

    An opt-out of the number stays. The same again by the same person changes nothing.

    Raises:
        VersionConflict: the contact is not at `version` anymore.
        UserError: the number is not parked, or the contact may not be seen.
    """
    try:
        contact = lock_for_staff(session, contact_id, version=version, actor=actor, student_id=student_id)
    except VersionConflict as conflict:
        return number_saved_before(
            session, contact_id, conflict, actor, lambda phone: not is_parked(session, phone, contact_id)
        )
    phone = _number(contact)
    is_recorded = may_show_status(session, contact.contact, phone) and is_parked(session, phone, contact_id)
    if not is_recorded or not release_number(session, phone, now=now):
        sentence = "This number is not recorded as Wrong person anymore. Open the student to see it as it is now."
        raise UserError("wrong_person.not_recorded", sentence)
    audit.record_number(session, phone, actor=actor.user_id, action="wrong_person.lifted", now=now)
    return phone


def _number(contact: LockedContact) -> str:
    phone = contact.values[EditField.PHONE]
    if phone is None:
        raise UserError("wrong_person.no_number", "This contact has no number that could be texted.")
    return phone
