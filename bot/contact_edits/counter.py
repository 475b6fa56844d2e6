"""Verify a number at the counter: the contact texts a code to the district's number.

The clerk's dialog shows the code, and the text comes in at the provider's webhook. A code counts once,
for ten minutes, and only for the contact and the clerk it was issued for. It is not issued again for a
day, so that a text that arrives late changes no other contact.

The text proves that the number is the contact's, and enters it. If it was recorded as *Wrong person*,
that ends for this contact, and for the number itself unless a contact of another name has it or may get
it back: it does not reach their family. Only START ends STOP.
"""

import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, and_, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased

from bot.access import identity, rights
from bot.access.identity import AccessRules
from bot.access.rights import Actor
from bot.cleanup_list.membership import update_list
from bot.cleanup_list.number_status import Numbers, judge_numbers
from bot.cleanup_list.tried_numbers import add_proved_number, may_show_status
from bot.contact_edits.change import enter_number
from bot.contact_edits.locking import LockedContact, lock_contact
from bot.db import audit, outbox
from bot.db.advisory_locks import lock_cleanup_list
from bot.db.audit import Subject
from bot.db.models.counter import CodeText, CounterCode, CounterState
from bot.db.models.edits import EditField
from bot.db.models.messages import PhoneNumber, VerifiedHow
from bot.db.models.roster import Contact, OtherNumber
from bot.db.models.views import contact_reach, contacts_with_phone
from bot.domain import display
from bot.domain.sms_status import SmsStatus
from bot.errors import UserError
from bot.mass_messages.wrong_person import release_number
from bot.providers.counter_codes import CounterText

logger = logging.getLogger(__name__)

VALID = timedelta(minutes=10)
KEPT = timedelta(days=1)
# No years, and hardly a time of day, which families text, too.
_CODES = range(2100, 10_000)
# With so many alive, one text in forty that only looks like a code would hit one.
_MOST_ALIVE = 200
# Texts of one number with a code, right or wrong, within `VALID`: more are guesses.
_MOST_TEXTS = 5
# Wrong codes of all numbers since a code was issued, at most `_MOST_TEXTS` of each: above it that code is not taken, and a new one
# is. Families mistype fewer than half of the codes issued in that time. Twenty guesses hit one code in 1 of 400 cases.
_FEWEST_WRONG = 20
_WRONG_SHARE = 0.5
# Above so many times that within `VALID` no code is taken, or clerks who press *New code* would give a hundred phones a better chance.
# Then the guesses hit a clerk's codes in 1 of 79 cases. Fewer than twenty phones cannot get there.
_MOST_WRONG_TIMES = 5
# The clerk was checked with Slack when the code was issued, or up to ten minutes before.
_CHECKED_WITHIN = timedelta(minutes=30)


@dataclass(frozen=True)
class CodeDialog:
    """The dialog that shows a code: its contact and student, the list from which it was opened, and the
    view of the student dialog below it.
    """

    contact_id: int
    student_id: int
    list_id: int
    student_view_id: str | None = None


def issue_code(session: Session, dialog: CodeDialog, *, actor: Actor, now: datetime) -> CounterCode:
    """Issue a code that no other clerk has; an earlier one of this clerk for the same contact ends.

    Raises:
        UserError: this person may not change the contact, or too many codes are in use.
    """
    rights.require_editor(actor)
    rights.require_contact(session, dialog.contact_id, actor=actor, student_id=dialog.student_id)
    alive = CounterCode.used_at.is_(None), CounterCode.expires_at > now
    own = update(CounterCode).where(
        CounterCode.contact_id == dialog.contact_id, CounterCode.clerk == actor.user_id, *alive
    )
    session.execute(own.values(expires_at=now, state=CounterState.SHOWN))
    resting = set(session.scalars(select(CounterCode.code)))
    number_alive = session.scalar(select(func.count()).select_from(CounterCode).where(*alive)) or 0
    values = {
        **vars(dialog),
        "clerk": actor.user_id,
        "issued_at": now,
        "expires_at": now + VALID,
        "due_at": now + VALID,
    }
    while len(resting) < len(_CODES) and number_alive < _MOST_ALIVE:
        code = str(secrets.choice(_CODES))
        if code not in resting:
            # Another clerk may be getting the same code at this moment.
            added = insert(CounterCode).values(code=code, **values).on_conflict_do_nothing().returning(CounterCode)
            if issued := session.scalar(added):
                return issued
        resting.add(code)
    sentence = "Too many codes are in use at the moment. Try again in a few minutes, or press Edit and type the number."
    raise UserError("counter.too_many", sentence)


def take_code(session: Session, text: CounterText, *, rules: AccessRules, today: date, now: datetime) -> bool:
    """Verify the sender's number with a code that a clerk shows, who must still have the right to change
    the contact. Any other text changes no contact, and returns False.
    """
    values = {"provider": text.provider, "event_key": text.event_key, "phone": text.phone, "received_at": now}
    new = insert(CodeText).values(values).on_conflict_do_nothing().returning(CodeText.event_key)
    if session.scalar(new) is None or _is_guessing(session, text.phone, now):
        return False
    shown = select(CounterCode).where(CounterCode.code == text.code, CounterCode.issued_at <= now)
    alive = shown.where(CounterCode.used_at.is_(None), CounterCode.expires_at > now)
    code = session.scalar(alive.with_for_update())
    if code is None:
        return False
    if _is_guessed(session, code, now):
        logger.warning("too many wrong codes were texted: a right one was not taken")
        code.expires_at = code.due_at = now  # The dialog offers a new one.
        return False
    actor = identity.load_known_actor(
        session, code.clerk, checked_since=now - _CHECKED_WITHIN, rules=rules, today=today
    )
    if actor is None or not _may_change(session, code, actor):
        return False
    _verify(session, code.contact_id, text.phone, actor=actor, now=now)
    code.used_at, code.state, code.due_at = now, CounterState.PENDING, now
    return True


def _is_guessing(session: Session, phone: str, now: datetime) -> bool:
    lately = select(func.count()).where(CodeText.phone == phone, CodeText.received_at > now - VALID)
    return (session.scalar(lately) or 0) > _MOST_TEXTS


def _is_guessed(session: Session, code: CounterCode, now: datetime) -> bool:
    """Return whether too many wrong codes were texted since the code was issued, or lately. Right ones
    do not count, nor texts that `_is_guessing` refuses.
    """
    position = func.row_number().over(partition_by=CodeText.phone, order_by=CodeText.received_at)
    lately = (
        select(CodeText.received_at, position.label("position")).where(CodeText.received_at > now - VALID).subquery()
    )
    guesses = select(func.count()).where(lately.c.position <= _MOST_TEXTS)
    right = select(func.count()).where(CounterCode.used_at > now - VALID)
    issued = select(func.count()).where(CounterCode.issued_at > now - VALID)
    since = guesses.where(lately.c.received_at >= code.issued_at), right.where(CounterCode.used_at >= code.issued_at)
    counts = (query.scalar_subquery() for query in (*since, guesses, right, issued))
    guesses_since, right_since, all_guesses, all_right, codes = session.execute(select(*counts)).one()
    limit = max(_FEWEST_WRONG, _WRONG_SHARE * codes)
    return bool(guesses_since - right_since > limit or all_guesses - all_right > _MOST_WRONG_TIMES * limit)


def _may_change(session: Session, code: CounterCode, actor: Actor) -> bool:
    try:
        rights.require_editor(actor)
        rights.require_contact(session, code.contact_id, actor=actor, student_id=code.student_id)
    except UserError:
        return False
    return True


def _verify(session: Session, contact_id: int, phone: str, *, actor: Actor, now: datetime) -> None:
    """Enter the number and end *Wrong person* for the contact. The number is no stranger's, so its
    status is shown from now on.
    """
    contact = lock_contact(session, contact_id)
    # Before the number is entered, which changes rows of the list (the order of `advisory_locks`).
    lock_cleanup_list(session)
    # Before the proof, which ends when an erased number becomes Wrong person again.
    session.execute(select(func.restore_erased_numbers([phone])))
    add_proved_number(session, contact_id, phone, now=now)
    enter_number(session, contact, phone, actor=actor, now=now)
    _lift(session, contact_id, phone, actor=actor, now=now)
    _record(session, contact_id, phone, VerifiedHow.COUNTER, actor=actor, now=now)


def confirm_number(
    session: Session, contact_id: int, *, student_id: int, version: int, actor: Actor, now: datetime
) -> str:
    """Record that the family confirmed the contact's number (E.164, returned) in a call.

    Raises:
        VersionConflict: the contact is not at `version` anymore.
        UserError: there is no number, or this person may not change the contact.
    """
    rights.require_editor(actor)
    rights.require_contact(session, contact_id, actor=actor, student_id=student_id)
    return confirm_locked(session, lock_contact(session, contact_id, version=version), actor=actor, now=now)


def confirm_locked(session: Session, contact: LockedContact, *, actor: Actor, now: datetime) -> str:
    """Do as `confirm_number` does, for a contact that is locked and that this person may change."""
    contact_id, phone = contact.contact.id, contact.values[EditField.PHONE]
    if phone is None:
        raise UserError("counter.no_number", "There is no number to confirm. Press Edit and enter it.")
    # A number that was only typed may be a stranger's: it is verified, but proves nothing about *Wrong person*.
    if may_show_status(session, contact.contact, phone):
        lock_cleanup_list(session)
        add_proved_number(session, contact_id, phone, now=now)
        _lift(session, contact_id, phone, actor=actor, now=now)
    _record(session, contact_id, phone, VerifiedHow.CALL, actor=actor, now=now)
    return phone


def _lift(session: Session, contact_id: int, phone: str, *, actor: Actor, now: datetime) -> None:
    """End *Wrong person* for a contact who proved the number, and for the number itself where no contact
    of another name has it. Records of one name are one person: a parent of siblings has several.
    """
    if _others_have(session, contact_id, phone):
        for record_id in _other_records(session, contact_id, phone):
            add_proved_number(session, record_id, phone, now=now)
        if session.scalar(select(PhoneNumber.status).where(PhoneNumber.phone == phone)) == SmsStatus.WRONG_PERSON:
            judge_numbers(session, Numbers([phone]), now=now)
        update_list(session, Numbers([phone]), message_id=None, now=now)
    elif release_number(session, phone, now=now):
        audit.record_number(session, phone, actor=actor.user_id, action="wrong_person.lifted", now=now)


def _others_have(session: Session, contact_id: int, phone: str) -> bool:
    """Return whether a contact of another name has the number, or may get it back, since the SIS has it
    for them: below an edit, or as a further number.
    """
    of_sis = select(Contact.id).where(Contact.sis_phone == phone)
    further = select(OtherNumber.contact_id).where(OtherNumber.phone == phone)
    ids = contacts_with_phone(phone).union(of_sis, further)
    others = select(Contact.id).where(Contact.id.in_(ids), Contact.id != contact_id, Contact.active)
    return session.scalar(others.where(~_has_name_of(contact_id)).limit(1)) is not None


def _other_records(session: Session, contact_id: int, phone: str) -> Sequence[int]:
    """Return the other contacts of this name with the number, except where it was only typed: a typed
    number may be a stranger's.
    """
    reach = contact_reach.c
    records = (
        select(Contact.id)
        .join(contact_reach, reach.contact_id == Contact.id)
        .where(Contact.id.in_(contacts_with_phone(phone)), reach.is_tried)
    )
    return session.scalars(records.where(Contact.id != contact_id, _has_name_of(contact_id))).all()


def _has_name_of(contact_id: int) -> ColumnElement[bool]:
    """Return the condition that a contact has the name of this one. Contacts without a name match none."""
    other = aliased(Contact)
    name, other_name = (func.folded_name(each.given_name, each.family_name) for each in (Contact, other))
    return and_(name != "", name == select(other_name).where(other.id == contact_id).scalar_subquery())


def _record(session: Session, contact_id: int, phone: str, how: VerifiedHow, *, actor: Actor, now: datetime) -> None:
    lock_cleanup_list(session)
    values = {"verified_at": now, "verified_how": how, "verified_by": actor.user_id}
    verified = insert(PhoneNumber).values(phone=phone, **values)
    session.execute(verified.on_conflict_do_update(index_elements=[PhoneNumber.phone], set_=values))
    action = "number.verified" if how is VerifiedHow.COUNTER else "number.confirmed"
    subject = Subject("contact", contact_id)
    audit.record(session, subject, actor=actor.user_id, action=action, after=display.masked(phone), now=now)


def claim_dialog(session: Session, *, now: datetime) -> CounterCode | None:
    """Lease the next code whose dialog is to be redrawn. To draw it twice does no harm."""
    on_expiry = {"state": CounterState.PENDING}
    return outbox.claim(session, CounterCode, now=now, on_expiry=on_expiry)


def delete_old_codes(session: Session, *, now: datetime) -> int:
    """Delete the codes and the texts with a code after a day; return how many."""
    codes = delete(CounterCode).where(CounterCode.expires_at < now - KEPT).returning(CounterCode.id)
    texts = delete(CodeText).where(CodeText.received_at < now - KEPT).returning(CodeText.event_key)
    return len(session.execute(codes).all()) + len(session.execute(texts).all())
