"""A verbal opt-out: a contact told staff that they want no texts. It counts like a texted STOP, and staff cannot lift it."""

from datetime import datetime

from sqlalchemy.orm import Session

from bot.access.rights import Actor
from bot.cleanup_list.membership import update_list
from bot.cleanup_list.number_status import Numbers
from bot.cleanup_list.tried_numbers import add_number, may_show_status
from bot.contact_edits.locking import VersionConflict, is_opted_out, lock_for_staff, number_saved_before
from bot.db import audit
from bot.db.advisory_locks import lock_cleanup_list
from bot.db.models.edits import EditField
from bot.errors import UserError
from bot.mass_messages.opt_outs import apply_opt_out
from bot.mass_messages.report_undo import keep_opt_out


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
    """Opt out the contact's number (E.164, returned) for every contact who has it.

    `said_at` is the latest time they can have said so, in the district's zone: a later START by text outranks it. Its day is
    recorded in the history.

    Raises:
        VersionConflict: the contact is not at `version` anymore.
        UserError: there is no number, it is opted out already, it texted START since, or the contact may not be seen.
    """
    try:
        contact = lock_for_staff(session, contact_id, version=version, actor=actor, student_id=student_id)
    except VersionConflict as conflict:
        return number_saved_before(session, contact_id, conflict, actor, lambda phone: is_opted_out(session, phone))
    phone = contact.values[EditField.PHONE]
    if phone is None:
        raise UserError("opt_out.no_number", "This contact has no number that could be texted.")
    is_known = is_opted_out(session, phone) and may_show_status(session, contact.contact, phone)
    if is_known and not keep_opt_out(session, phone, by=actor.user_id, now=now):
        raise UserError("opt_out.opted_out", "This number is opted out already. Only a START from that phone lifts it.")
    lock_cleanup_list(session)
    add_number(session, contact_id, phone)
    apply_opt_out(session, phone, by=actor.user_id, at=min(said_at, now), now=now)
    # This contact too, where the number was typed here and had opted out elsewhere.
    update_list(session, Numbers([phone]), message_id=None, now=now)
    if not is_opted_out(session, phone):
        sentence = "This number texted START after that day, so it wants texts. Choose a later day."
        raise UserError("opt_out.opted_in_since", sentence, field="said_on")
    reason = f"said on {said_at:%Y-%m-%d}"
    audit.record_number(session, phone, actor=actor.user_id, action="opt_out.recorded", reason=reason, now=now)
    return phone
