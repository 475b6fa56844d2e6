"""What is said after a change was saved: what it is now, and where the edit goes.

A sender that reads `effective_contacts` uses the edit with its next message. Any other gets its contacts from the student
information system (SIS), so until a person enters the change there, texts go to the old number.
"""

from sqlalchemy.orm import Session

from bot.contact_edits.change import SavedChange
from bot.db.models.base import ContactMethod
from bot.db.models.messages import PhoneNumber
from bot.db.models.roster import Contact
from bot.settings import Settings
from bot.slack.kit import blocks as b
from bot.slack.kit.open_views import Notice
from bot.slack.student import ids


def saved_notice(session: Session, saved: SavedChange, *, student_id: int | None, settings: Settings) -> Notice:
    """Return what was saved and what follows, with *Undo*, and *Copy number* where the number has to be entered elsewhere.

    `student_id` is the student in whose dialog it was saved, for *Copy number*.
    """
    contact = session.get_one(Contact, saved.contact_id)
    is_elsewhere = bool(saved.edit_ids) and not settings.messenger_reads_edits
    sentences = [
        f"Saved: {b.escaped(saved.name)}, {b.METHOD_NAMES[saved.method].lower()}, {b.masked(saved.phone)}.",
        *(_where_it_goes(session, saved, contact, settings) if saved.edit_ids else []),
        *_what_follows(saved, is_used_now=not is_elsewhere),
    ]
    has_new_number = saved.phone and saved.phone != contact.sis_phone
    return Notice(
        " ".join(sentences),
        undo=(ids.UNDO_EDIT_ON_LIST, saved.edit_ids[0]) if saved.edit_ids else None,
        copy=(saved.contact_id, student_id) if is_elsewhere and has_new_number and student_id else None,
        leads_to_pending=is_elsewhere,
    )


def _what_follows(saved: SavedChange, *, is_used_now: bool) -> list[str]:
    if saved.method is not ContactMethod.TEXT:
        means = "calls" if saved.method is ContactMethod.CALL else "email"
        gets = [f"They get {means} and no texts from now on."] if is_used_now else []
        return [*gets, *(["The next mass message takes them off the list."] if saved.is_listed else [])]
    if not saved.phone:
        if saved.is_listed:
            return ["They stay on the list until there is a number."]
        return ["They get no texts until there is a number."] if is_used_now else []
    return ["They leave the list when a text arrives."] if saved.is_listed else []


def _where_it_goes(session: Session, saved: SavedChange, contact: Contact, settings: Settings) -> list[str]:
    if settings.messenger_reads_edits:
        return ["The next message will use it."] if saved.phone or saved.method is ContactMethod.EMAIL else []
    sis = b.escaped(settings.sis_name)
    if contact.sis_method != ContactMethod.TEXT or not _is_texted(session, contact.sis_phone):
        return [f"*Until {sis} has it, the next message does not use it.*"]
    old = b.masked(contact.sis_phone)
    if saved.phone and saved.phone != contact.sis_phone and b.masked(saved.phone) == old:
        old = "the old number"
    return [f"*Until {sis} has it, texts still go to {old}.*"]


def _is_texted(session: Session, sis_phone: str | None) -> bool:
    """Return whether senders text the number of the SIS: not after STOP, a wrong person, or a note against it."""
    number = session.get(PhoneNumber, sis_phone) if sis_phone else None
    return sis_phone is not None and not (number and (number.opted_out_at or number.wrong_person_at or number.noted))
