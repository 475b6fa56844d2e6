"""The newest proof that a number is the contact's, and how: a text that arrived, a code at the counter, a call, or a colleague's word.

Nothing is kept for it but what a person did: the deliveries of one contact are cheap to read. A number from the student information
system has no date there, so it counts only with one of these.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import case, func, or_, select

from bot.cleanup_list.tried_numbers import IS_PROVED
from bot.db.models.edits import IN_FORCE, Edit, EditField, EditState
from bot.db.models.messages import Delivery, MassMessage, PhoneNumber, VerifiedHow
from bot.db.models.views import effective_contacts
from bot.domain.sms_status import Outcome


class Proof(StrEnum):
    """How a number was verified."""

    COUNTER = VerifiedHow.COUNTER
    CALL = VerifiedHow.CALL
    COLLEAGUE = "colleague"  # Took back a wrong person.
    DELIVERED = "delivered"
    ENTERED = "entered"


# How a number was verified, as people read it behind a date.
PROOF_WORDS = {
    Proof.COUNTER: "with a code at the counter",
    Proof.CALL: "the family confirmed it in a call",
    Proof.COLLEAGUE: "a colleague confirmed it",
    Proof.DELIVERED: "a text arrived",
    Proof.ENTERED: "entered here",
}


@dataclass(frozen=True)
class LastVerified:
    """The newest proof of a number. `by` is the Slack user of a code or a call."""

    proof: Proof
    at: datetime
    by: str | None = None


_ADULT = effective_contacts.c
# The line of an office can have a hundred thousand deliveries: any of them tell about when it was reached.
_MOST_DELIVERIES = 1_000
_some = (
    select(Delivery.mass_message_id)
    .where(Delivery.phone == _ADULT.phone, Delivery.outcome == Outcome.DELIVERED)
    .correlate(effective_contacts)
    .limit(_MOST_DELIVERIES)
    .subquery("delivered")
)
_DELIVERED_AT = (
    select(func.max(MassMessage.sent_at))
    .join_from(MassMessage, _some, _some.c.mass_message_id == MassMessage.id)
    .correlate(effective_contacts)
    .scalar_subquery()
)
KEPT_EDITS = [str(state) for state in (*IN_FORCE, EditState.ABSORBED)]
_ENTERED_AT = (
    select(func.max(Edit.made_at))
    .where(Edit.contact_id == _ADULT.contact_id, Edit.field == EditField.PHONE, Edit.value == _ADULT.phone)
    .where(Edit.state.in_(KEPT_EDITS))
    .correlate(effective_contacts)
    .scalar_subquery()
)
# What proved a number of the wrong person since then proved it for someone else.
_VERIFIED_AT = case(
    (
        or_(
            PhoneNumber.wrong_person_at.is_(None),
            PhoneNumber.verified_at < PhoneNumber.wrong_person_at,
            IS_PROVED,
        ),
        PhoneNumber.verified_at,
    )
)
# Columns of a row of `effective_contacts`, joined with the number.
COLUMNS = (
    *(_VERIFIED_AT.label("verified_at"), PhoneNumber.verified_how, PhoneNumber.verified_by),
    *(_DELIVERED_AT.label("delivered_at"), _ENTERED_AT.label("entered_at")),
)


def from_row(row: Any) -> LastVerified | None:
    """Return the newest proof of a row with `COLUMNS` and `is_tried`. A number that was only typed shows nothing but that."""
    by_staff = Proof(row.verified_how) if row.verified_how else Proof.COLLEAGUE
    found = {by_staff: row.verified_at, Proof.DELIVERED: row.delivered_at} if row.is_tried else {}
    found[Proof.ENTERED] = row.entered_at  # Last: a code enters the number, too.
    proofs = [LastVerified(proof, at) for proof, at in found.items() if at]
    newest = max(proofs, key=lambda proof: proof.at, default=None)
    if newest and newest.proof is by_staff:
        return LastVerified(newest.proof, newest.at, row.verified_by)
    return newest
