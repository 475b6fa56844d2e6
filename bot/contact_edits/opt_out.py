"""A spoken STOP: a contact told somebody that they want no texts. It counts like one that was texted, and nobody lifts it."""

from datetime import datetime

from sqlalchemy.orm import Session

from bot import access, audit
from bot.access import Actor
from bot.contact_edits.locking import VersionConflict, already_saved_by, is_opted_out, lock_contact
from bot.errors import UserError
from bot.mass_messages.opt_outs import apply_opt_out


def record_verbal_opt_out(
    session: Session,
    contact_id: int,
    *,
    student_id: int,
    version: int,
    said_at: datetime,
    actor: Actor,
    now: datetime,
) -> str:
    """Opt out the number that the contact has now, for everyone who has it. Returns the number (E.164).

    `said_at` is the latest that they can have said so, on the clock of the district: a START that the number texted later outranks
    it, and its day stands in the history.

    Raises:
        Stale: the contact is not at `version` any more.
        UserError: there is no number, it is opted out already, it has texted START since, or the contact may not be seen.
    """
    access.require_editor(actor)
    access.require_contact(session, contact_id, actor=actor, student_id=student_id)
    try:
        phone = lock_contact(session, contact_id, version=version).phone
    except VersionConflict as stale:
        return _done_before(session, contact_id, stale, actor)
    if phone is None:
        raise UserError("opt_out.no_number", "This contact has no number that could be texted.")
    if is_opted_out(session, phone):
        raise UserError("opt_out.opted_out", "This number is opted out already. Only a START from that phone ends it.")
    apply_opt_out(session, phone, by=actor.user_id, at=min(said_at, now), now=now)
    if not is_opted_out(session, phone):
        raise UserError(
            "opt_out.opted_in_since",
            "This number has texted START since that day, so it wants texts. Choose a later day.",
            field="said_on",
        )
    day = f"said on {said_at:%Y-%m-%d}"
    audit.record_number(session, phone, actor=actor.user_id, action="opt_out.recorded", reason=day, now=now)
    return phone


def _done_before(session: Session, contact_id: int, stale: VersionConflict, actor: Actor) -> str:
    """The number that this person recorded a moment ago."""
    phone = already_saved_by(session, contact_id, stale, actor).phone
    if phone is None or not is_opted_out(session, phone):
        raise stale
    return phone
