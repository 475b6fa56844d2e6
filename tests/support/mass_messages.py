"""Build mass messages, deliveries, and receipts, valid by default, and send them to contacts of `people`."""

from datetime import datetime, timedelta
from itertools import count

from sqlalchemy import select

from bot.db.models.messages import Delivery, ListChange, ListEntry, PhoneNumber
from bot.domain.sms_status import Outcome
from bot.mass_messages.receipts import record_receipts
from bot.mass_messages.register import register_message
from bot.mass_messages.settle import settle_message
from bot.providers.receipt import ParsedReceipt

DAY = timedelta(hours=24)
_numbers = count(1)
CODES = {
    "turned_off": "30003",
    "blocked": "30004",
    "inactive": "21211",
    "landline": "30006",
    "unconfirmed": "30008",
    "opt_out": "21610",
    "not_contact_problem": "30007",
}


def a_delivery(contact, /, **changes):
    """Return a delivery to a contact, as a sender posts it."""
    fields = {
        "contact": contact.sourced_id,
        "to": contact.sis_phone,
        "provider": "twilio",
        "provider_id": f"SM{next(_numbers):08d}",
    }
    return fields | changes


def a_message(*deliveries, sent_at, message_id=None, **changes):
    fields = {
        "id": message_id or f"message-{next(_numbers)}",
        "title": "Early dismissal today",
        "sender": "office@district.example",
        "sent_at": sent_at.isoformat(),
        "deliveries": list(deliveries),
    }
    return fields | changes


def register(session, message, *, now, settle_after=DAY, strict=True):
    return register_message(session, message, now=now, settle_after=settle_after, region="US", strict=strict)


def a_receipt(provider_id, outcome="delivered", **changes):
    """Return a receipt as Twilio's parser returns it."""
    code = CODES.get(outcome)
    values = {
        "provider": "twilio",
        "event_key": f"{provider_id}:{outcome}:{code}",
        "provider_id": provider_id,
        "phone": None,
        "outcome": Outcome(outcome),
        "code": code,
        "reasonless": code in {"30004", "30008"},
    }
    return ParsedReceipt(**values | changes)


def a_shaky_receipt(provider_id):
    return a_receipt(provider_id, "inactive", code="30005", shaky=True, event_key=f"{provider_id}:30005")


def send(session, outcomes, *, now, message_id=None, settled=True):
    """Send a message at `now`, report `{contact: outcome}` (None: no receipt; a function builds the receipt), and settle it
    unless `settled` is False. Returns the message's id and {contact: provider id}.
    """
    deliveries = {contact: a_delivery(contact) for contact in outcomes}
    message = a_message(*deliveries.values(), sent_at=now, message_id=message_id)
    register(session, message, now=now)
    ids = {contact: delivery["provider_id"] for contact, delivery in deliveries.items()}
    for contact, outcome in outcomes.items():
        if outcome:
            parsed = outcome(ids[contact]) if callable(outcome) else a_receipt(ids[contact], outcome)
            record_receipts(session, [parsed], now=now)
    if settled:
        when = now if all(outcomes.values()) else now + DAY
        settle_message(session, message["id"], now=when)
    return message["id"], ids


def report(session, provider_id, outcome="delivered", *, now: datetime):
    return record_receipts(session, [a_receipt(provider_id, outcome)], now=now)


def the_list(session):
    """Return {contact id: status} of the cleanup list."""
    return dict(session.execute(select(ListEntry.contact_id, ListEntry.status)).all())


def changes(session, message_id):
    """Return {contact id: (move, before, after, fixed_by)} of a message."""
    rows = session.scalars(
        select(ListChange).where(ListChange.mass_message_id == message_id).execution_options(populate_existing=True)
    )
    return {row.contact_id: (row.move, row.before, row.after, row.fixed_by) for row in rows}


def outcome_of(session, provider_id):
    return session.scalar(select(Delivery.outcome).where(Delivery.provider_id == provider_id))


def number(session, phone):
    session.expire_all()
    return session.get(PhoneNumber, phone)
