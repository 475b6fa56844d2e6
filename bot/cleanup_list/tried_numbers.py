"""Typed numbers whose status is shown: a mass message went to them through this contact, or they are
proved to be the contact's.

The view `contact_reach` hides the status of all other typed numbers. Otherwise any person who may edit
one contact could type a stranger's number and read whether it is blocked, out of service, or texted
STOP. After STOP it is never texted, hidden or not.
"""

from datetime import datetime

from sqlalchemy import exists, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from bot.cleanup_list.number_status import sql_list
from bot.db.advisory_locks import lock_cleanup_list
from bot.db.models.edits import IN_FORCE, Edit, EditField, EditState, TriedNumber
from bot.db.models.messages import PhoneNumber
from bot.db.models.roster import Contact
from bot.db.models.views import effective_contacts

# A sender leaves out numbers that texted STOP or belong to the wrong person. For them it counts that the message went to families
# of the same school: otherwise staff would wait for a text that is never sent.
_ADD_OF_MESSAGE = text(f"""
INSERT INTO tried_numbers (contact_id, phone)
SELECT e.contact_id, e.value
FROM edits e
JOIN mass_messages m ON m.id = :message
WHERE e.field = 'phone' AND e.state IN ({sql_list(IN_FORCE)}) AND e.value IS NOT NULL
  AND NOT EXISTS (SELECT FROM tried_numbers t WHERE t.contact_id = e.contact_id AND t.phone = e.value)
  AND (
    EXISTS (
        SELECT FROM deliveries d
        JOIN contact_ids i ON i.sourced_id = d.contact_sourced_id
        WHERE d.mass_message_id = :message AND i.contact_id = e.contact_id AND d.phone = e.value
    )
    OR (
        e.made_at <= m.sent_at
        AND EXISTS (
            SELECT FROM phone_numbers n WHERE n.phone = e.value AND (n.opted_out_at IS NOT NULL OR n.wrong_person_at IS NOT NULL)
        )
        AND EXISTS (
            SELECT FROM student_contacts l
            JOIN student_schools own ON own.student_id = l.student_id
            JOIN student_schools mate ON mate.school_id = own.school_id
            JOIN student_contacts other ON other.student_id = mate.student_id
            JOIN contact_ids o ON o.contact_id = other.contact_id
            JOIN deliveries d ON d.mass_message_id = :message AND d.contact_sourced_id = o.sourced_id
            WHERE l.contact_id = e.contact_id AND l.active
        )
    )
  )
ON CONFLICT DO NOTHING
""")
# The condition that a contact of `effective_contacts` proved their number since it was recorded as Wrong person, if it was.
IS_PROVED = (
    exists()
    .where(TriedNumber.contact_id == effective_contacts.c.contact_id, TriedNumber.phone == effective_contacts.c.phone)
    .where(TriedNumber.proved_at.is_not(None))
    .correlate(effective_contacts)
)
# The contacts who proved a number that is Wrong person for all others: what the number says is not what the view says of them.
CONTACTS_WITH_PROOF = (
    select(TriedNumber.contact_id)
    .join(PhoneNumber, PhoneNumber.phone == TriedNumber.phone)
    .where(TriedNumber.proved_at.is_not(None), PhoneNumber.wrong_person_at.is_not(None))
)
_IS_SHOWN = text("""
SELECT EXISTS (SELECT FROM tried_numbers WHERE contact_id = :contact_id AND phone = :phone) AS is_tried,
       EXISTS (SELECT FROM cleanup_list WHERE contact_id = :contact_id AND phone = :phone) OR EXISTS (
           SELECT FROM deliveries d JOIN mass_messages m ON m.id = d.mass_message_id
           JOIN contact_ids i ON i.sourced_id = d.contact_sourced_id
           WHERE d.phone = :phone AND i.contact_id = :contact_id AND m.settled_at IS NOT NULL
       ) AS was_shown
""")


def add_numbers_of_message(session: Session, message_id: str) -> None:
    """Add the typed numbers that a final message went to. Call `lock_cleanup_list` first, and update the
    list afterwards.
    """
    session.execute(_ADD_OF_MESSAGE, {"message": message_id})


def add_number(session: Session, contact_id: int, phone: str) -> None:
    """Add a number whose status is shown from now on. Call `lock_cleanup_list` first."""
    session.execute(insert(TriedNumber).values(contact_id=contact_id, phone=phone).on_conflict_do_nothing())


def add_proved_number(session: Session, contact_id: int, phone: str, *, now: datetime) -> None:
    """Add a number that is proved to be this contact's. Call `lock_cleanup_list` first."""
    proved = insert(TriedNumber).values(contact_id=contact_id, phone=phone, proved_at=now)
    key = [TriedNumber.contact_id, TriedNumber.phone]
    session.execute(proved.on_conflict_do_update(index_elements=key, set_={"proved_at": now}))


def may_show_status(session: Session, contact: Contact, phone: str) -> bool:
    """Return whether the status of a number may be shown with this contact: the SIS has it for them, it
    is with them on the list, or a final message went to it through them.

    A number of the last two kinds is added (under `lock_cleanup_list`), because the views show the
    status only of numbers that are here.
    """
    if phone == contact.sis_phone:
        return True
    shown = session.execute(_IS_SHOWN, {"contact_id": contact.id, "phone": phone}).one()
    if shown.was_shown and not shown.is_tried:
        lock_cleanup_list(session)
        add_number(session, contact.id, phone)
    return bool(shown.is_tried or shown.was_shown)


def load_untried_numbers(session: Session, contact_id: int) -> list[str]:
    """Return the numbers (E.164) that were typed for this contact at any time, and about which nothing may be shown."""
    tried = select(TriedNumber.phone).where(TriedNumber.contact_id == contact_id)
    sis = select(Contact.sis_phone).where(Contact.id == contact_id, Contact.sis_phone.is_not(None))
    typed = select(Edit.value).where(Edit.contact_id == contact_id, Edit.field == EditField.PHONE)
    # The SIS had those that it absorbed.
    typed = typed.where(Edit.state != EditState.ABSORBED, Edit.value.not_in(tried.union(sis)))
    return [phone for phone in session.scalars(typed) if phone]


def is_parked(session: Session, phone: str, contact_id: int | None = None) -> bool:
    """Return whether a number (E.164) belongs to the wrong person, and was not proved since by the
    contact; without one, by any contact.
    """
    proved = exists().where(TriedNumber.phone == phone, TriedNumber.proved_at.is_not(None))
    if contact_id is not None:
        proved = proved.where(TriedNumber.contact_id == contact_id)
    is_parked = PhoneNumber.wrong_person_at.is_not(None) & ~proved
    return session.scalar(select(PhoneNumber.phone).where(PhoneNumber.phone == phone, is_parked)) is not None
