"""Mass messages, their deliveries and receipts, the status of numbers, and the cleanup list that follows from them.

The district's own sender may write `mass_messages` and `deliveries` itself, so the columns that it does not know have defaults.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ARRAY, BigInteger, ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from bot.db.models.base import Base, created_at_column, id_column, one_of_check
from bot.domain.phone_note import NoteKind
from bot.domain.sms_status import Outcome, SmsStatus


class VerifiedHow(StrEnum):
    """How a number was verified: a code texted from it at the counter, or a call in which the family confirmed it."""

    COUNTER = "counter"
    CALL = "call"


class PhoneNumber(Base):
    """Status, opt-out, and wrong person of a number, shared by every contact with it.

    `doubted` is a red status with only shaky evidence: until a second mass message confirms it, `status` is Unconfirmed. While
    `opted_out_at` is set, `status` is Opt-Out; that ends only when the number itself texts START, at `opted_in_at`. Otherwise it
    is Wrong person while `wrong_person_at` is set, which ends only when staff verify the number, at `verified_at`; `verified_how` is
    null where they only took a wrong person back. Where a contact proved the number (`TriedNumber`), it is judged for that contact.
    `delivery_id` is the delivery that decided the status. `noted`: a note of the SIS beside the number says that it must not be
    texted or does not work, and staff did not allow texts all the same; `allowed_notes` are the notes that they read when they did.
    """

    __tablename__ = "phone_numbers"
    __table_args__ = (
        one_of_check("status", SmsStatus),
        one_of_check("noted", NoteKind),
        one_of_check("verified_how", VerifiedHow),
        Index(None, "wrong_person_at", postgresql_where=text("wrong_person_at IS NOT NULL")),
        Index("ix_phone_numbers_noted", "phone", postgresql_where=text("noted IS NOT NULL")),
    )
    phone: Mapped[str] = mapped_column(primary_key=True)
    status: Mapped[str | None]
    since: Mapped[datetime | None]
    doubted: Mapped[str | None]
    opted_out_at: Mapped[datetime | None]
    opted_out_by: Mapped[str | None]
    opted_in_at: Mapped[datetime | None]
    wrong_person_at: Mapped[datetime | None]
    wrong_person_by: Mapped[str | None]
    verified_at: Mapped[datetime | None]
    verified_how: Mapped[str | None]
    verified_by: Mapped[str | None]
    noted: Mapped[str | None]
    allowed_notes: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    delivery_id: Mapped[int | None] = mapped_column(BigInteger)


class MassMessage(Base):
    """One text to many families. `id` is the sender's own; it settles when every delivery is final, at `settles_at` at the latest.

    `sender_at_fault` is {"provider:code": refusals} for refusals that are our sender's fault; their contacts are not listed.
    `silent_at` is when its window was found to have closed with (nearly) no final receipts: our side is at fault, and it changes nothing.
    `learned_at` is when the results of a settled message last changed; its digests are updated after it.
    `forecast_texts` is how many texts it had just before it settled, and `forecast_missed` how many of them were not expected to
    arrive (`bot.mass_messages.forecasts`); null where that was not worked out in time.
    """

    __tablename__ = "mass_messages"
    __table_args__ = (Index(None, "settles_at", postgresql_where=text("settled_at IS NULL")), Index(None, "sent_at"))
    id: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str]
    sender: Mapped[str | None]
    sent_at: Mapped[datetime] = created_at_column()
    registered_at: Mapped[datetime] = created_at_column()
    settles_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]
    learned_at: Mapped[datetime | None]
    sender_at_fault: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    silent_at: Mapped[datetime | None]
    forecast_texts: Mapped[int | None]
    forecast_missed: Mapped[int | None]


class Delivery(Base):
    """One mass message to one contact. A sender in the same database inserts the first five columns itself.

    `outcome` is the strongest of its receipts; Unconfirmed without `final_at` only means that the window closed.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("mass_message_id", "contact_sourced_id", "phone"),
        Index(None, "provider", "provider_id", unique=True),
        Index(
            "ix_deliveries_not_delivered", "mass_message_id", "outcome", postgresql_where=text("outcome <> 'delivered'")
        ),
        Index("ix_deliveries_reasonless", "mass_message_id", postgresql_where=text("reasonless")),
        Index(None, "phone"),
        one_of_check("outcome", Outcome),
    )
    id: Mapped[int] = id_column()
    mass_message_id: Mapped[str] = mapped_column(ForeignKey("mass_messages.id", ondelete="CASCADE"))
    contact_sourced_id: Mapped[str]
    phone: Mapped[str]
    provider: Mapped[str | None]
    provider_id: Mapped[str | None]
    outcome: Mapped[str] = mapped_column(server_default=Outcome.PENDING)
    code: Mapped[str | None]
    shaky: Mapped[bool] = mapped_column(server_default=text("false"))
    reasonless: Mapped[bool] = mapped_column(server_default=text("false"))
    final_at: Mapped[datetime | None]


class Receipt(Base):
    """A provider's report on a delivery, stored before it is applied. `event_key` makes a repeated report the same row."""

    __tablename__ = "receipts"
    __table_args__ = (
        UniqueConstraint("provider", "event_key"),
        Index(None, "provider", "provider_id"),
        Index("ix_receipts_waiting", "id", postgresql_where=text("applied_at IS NULL")),
        one_of_check("outcome", Outcome),
    )
    id: Mapped[int] = id_column()
    provider: Mapped[str]
    event_key: Mapped[str]
    provider_id: Mapped[str]
    phone: Mapped[str | None]
    outcome: Mapped[str]
    code: Mapped[str | None]
    shaky: Mapped[bool] = mapped_column(server_default=text("false"))
    reasonless: Mapped[bool] = mapped_column(server_default=text("false"))
    occurred_at: Mapped[datetime | None]
    received_at: Mapped[datetime] = created_at_column()
    applied_at: Mapped[datetime | None]


class OptOutText(Base):
    """An opt-out or opt-in, stored so that a repeated report of it is applied once. `sent_at` is None if it was received at once."""

    __tablename__ = "opt_out_texts"
    __table_args__ = (UniqueConstraint("provider", "event_key"), Index(None, "phone"))
    id: Mapped[int] = id_column()
    provider: Mapped[str]
    event_key: Mapped[str]
    phone: Mapped[str]
    opted_out: Mapped[bool]
    received_at: Mapped[datetime] = created_at_column()
    sent_at: Mapped[datetime | None]


class CallOutcome(StrEnum):
    """What came of a call about a contact. The program before CONFIRMED cannot read it, so `ListEntry.confirmed_at` stores it."""

    NO_ANSWER = "no_answer"
    VOICEMAIL = "voicemail"
    CONFIRMED = "confirmed"
    WRONG_PERSON = "wrong_person"
    CALL_BACK = "call_back"
    ASKED = "asked"


class ListEntry(Base):
    """A contact on the cleanup list. It joins, leaves, and changes when a mass message settles (Opt-Out and Wrong person: at once).

    `phone` is the number that could not be reached; `updated_at` is set while an edited contact waits for the next mass message;
    `claimed_by` is the Slack user who takes care of it. `call_outcome` is what came of the last call about it, by the Slack user
    `called_by`, and `call_back_on` the day on which to call back; both days are the district's. `confirmed_at` is set instead of an
    outcome where the family confirmed the number in that call, which replaced the `earlier_proof` of it. `names` are the folded words of the
    names of the contact and its students, for searching; the names themselves are in `contacts` and `students`.

    No foreign key: settling a large message would spend half its time on looking up and locking each contact
    (`docs/decisions/2-missing-foreign-keys.md`).
    """

    __tablename__ = "cleanup_list"
    __table_args__ = (
        one_of_check("status", SmsStatus),
        one_of_check("call_outcome", [each for each in CallOutcome if each is not CallOutcome.CONFIRMED]),
        Index(None, "status"),
        Index(None, "call_back_on", postgresql_where=text("call_back_on IS NOT NULL")),
        Index(None, "claimed_by", postgresql_where=text("claimed_by IS NOT NULL")),
        Index(None, "called_by", postgresql_where=text("call_back_on IS NOT NULL")),
        Index(None, "updated_by", postgresql_where=text("updated_by IS NOT NULL")),
        Index("ix_cleanup_list_names", text("string_to_array(names, ' ')"), postgresql_using="gin"),
    )
    contact_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    status: Mapped[str]
    phone: Mapped[str | None]
    since: Mapped[datetime]
    mass_message_id: Mapped[str | None]
    updated_at: Mapped[datetime | None]
    updated_by: Mapped[str | None]
    claimed_by: Mapped[str | None]
    claimed_at: Mapped[datetime | None]
    call_outcome: Mapped[str | None]
    called_by: Mapped[str | None]
    called_on: Mapped[date | None]
    call_back_on: Mapped[date | None]
    confirmed_at: Mapped[datetime | None]
    earlier_proof: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    names: Mapped[str] = mapped_column(server_default=text("''"))


class ListMove(StrEnum):
    JOINED = "joined"
    CHANGED = "changed"
    LEFT = "left"


class ListChange(Base):
    """How a mass message changed the list, one row per contact. `fixed_by` edited a contact whose text was then delivered.

    No foreign keys, as in `ListEntry`.
    """

    __tablename__ = "list_changes"
    __table_args__ = (one_of_check("move", ListMove),)
    mass_message_id: Mapped[str] = mapped_column(primary_key=True)
    contact_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    move: Mapped[str]
    before: Mapped[str | None]
    after: Mapped[str | None]
    fixed_by: Mapped[str | None]
