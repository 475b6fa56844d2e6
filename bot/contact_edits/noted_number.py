"""Allow texts to a number although a note of the SIS speaks against it: staff asked the family, or the note is out of date."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.access.rights import Actor
from bot.cleanup_list.noted_numbers import allow_number
from bot.cleanup_list.tried_numbers import may_show_status
from bot.contact_edits.locking import VersionConflict, lock_for_staff, number_saved_before
from bot.db import audit
from bot.db.models.edits import EditField
from bot.db.models.messages import PhoneNumber
from bot.errors import UserError


def allow_texts(
    session: Session, contact_id: int, *, version: int, actor: Actor, student_id: int, now: datetime
) -> str:
    """Allow texts to the contact's number (E.164, returned), for every contact who has it. An opt-out of the number stays.

    The same again by the same person changes nothing.

    Raises:
        VersionConflict: the contact is not at `version` anymore.
        UserError: no note speaks against the number, or the contact may not be seen.
    """
    try:
        contact = lock_for_staff(session, contact_id, version=version, actor=actor, student_id=student_id)
    except VersionConflict as conflict:
        return number_saved_before(session, contact_id, conflict, actor, lambda phone: not is_noted(session, phone))
    phone = contact.values[EditField.PHONE]
    if not phone or not may_show_status(session, contact.contact, phone) or not allow_number(session, phone, now=now):
        sentence = "No note speaks against this number anymore. Open the student to see it as it is now."
        raise UserError("note.not_noted", sentence)
    audit.record_number(session, phone, actor=actor.user_id, action="note.overruled", now=now)
    return phone


def is_noted(session: Session, phone: str) -> bool:
    """Return whether a note of the SIS speaks against a number (E.164)."""
    return session.scalar(select(PhoneNumber.noted).where(PhoneNumber.phone == phone)) is not None
