"""Register a mass message and its deliveries; a delivery is one number of one contact in one message.

Registering the same id again adds deliveries and never doubles one. Receipts that arrived earlier are applied here.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from bot.errors import UserError
from bot.mass_messages import payload
from bot.mass_messages.receipts import apply_receipts


@dataclass(frozen=True)
class RegisterCounts:
    """How many deliveries were new, how many were registered before, and how many receipts had been waiting for them."""

    added: int
    already: int
    matched_receipts: int


@dataclass(frozen=True)
class _Delivery:
    row: int
    contact: str
    to: str
    provider: str | None
    provider_id: str | None


_ADD_MESSAGE = text("""
INSERT INTO mass_messages (id, title, sender, sent_at, registered_at, settles_at)
VALUES (:id, :title, :sender, :sent_at, :now, :settles_at) ON CONFLICT DO NOTHING
""")

# Without this lock, two batches of one message, or a batch and the settling, deadlock on each other's deliveries.
_LOCK_MESSAGE = text("SELECT id FROM mass_messages WHERE id = :id FOR NO KEY UPDATE")

# A sender may learn the provider's id only after registering: then it sends the same delivery again, with the id.
_ADD_DELIVERIES = text("""
INSERT INTO deliveries AS d (mass_message_id, contact_sourced_id, phone, provider, provider_id)
SELECT :message, * FROM unnest(CAST(:contacts AS text[]), CAST(:phones AS text[]), CAST(:providers AS text[]), CAST(:ids AS text[]))
ON CONFLICT (mass_message_id, contact_sourced_id, phone) DO UPDATE
    SET provider = excluded.provider, provider_id = excluded.provider_id
    WHERE d.provider_id IS NULL AND excluded.provider_id IS NOT NULL
RETURNING xmax = 0 AS is_new
""")

_EXTEND_WINDOW = text("""
UPDATE mass_messages SET settles_at = greatest(settles_at, :until) WHERE id = :id AND settled_at IS NOT NULL
""")

_FIND_TAKEN_ID = text("""
SELECT u.row - 1 FROM unnest(CAST(:contacts AS text[]), CAST(:phones AS text[]), CAST(:providers AS text[]), CAST(:ids AS text[]))
    WITH ORDINALITY AS u (contact, phone, provider, id, row)
JOIN deliveries d ON d.provider = u.provider AND d.provider_id = u.id
WHERE (d.mass_message_id, d.contact_sourced_id, d.phone) <> (:message, u.contact, u.phone)
ORDER BY 1 LIMIT 1
""")

_WAITING = text("""
SELECT r.id FROM unnest(CAST(:providers AS text[]), CAST(:ids AS text[])) AS u (provider, id)
JOIN receipts r ON r.provider = u.provider AND r.provider_id = u.id
WHERE r.applied_at IS NULL ORDER BY r.id
""")


def register_message(
    session: Session, message: Any, *, now: datetime, settle_after: timedelta, region: str
) -> RegisterCounts:
    """Register a mass message in the format of `POST /mass-messages`; numbers may be written in any way common in `region`.

    Its window closes `settle_after` its `sent_at`; deliveries added after it settled get a window of their own.

    Raises:
        UserError: a field is wrong (`deliveries[3].to`, rows counted from 0); nothing was stored.
    """
    if not isinstance(message, Mapping):
        sentence = "Send a JSON object with id, title, sent_at, and deliveries."
        raise UserError("mass_message.not_an_object", sentence, field="message")
    message_id, sent_at = payload.text(message, "id"), payload.timestamp(message, "sent_at", now=now)
    values = {
        "id": message_id,
        "title": payload.text(message, "title"),
        "sender": payload.optional_text(message, "sender"),
        "sent_at": sent_at,
        "now": now,
        "settles_at": sent_at + settle_after,
    }
    deliveries = _parse_deliveries(message.get("deliveries"), region)
    columns = {
        "message": message_id,
        "contacts": [delivery.contact for delivery in deliveries],
        "phones": [delivery.to for delivery in deliveries],
        "providers": [delivery.provider for delivery in deliveries],
        "ids": [delivery.provider_id for delivery in deliveries],
    }
    session.execute(_ADD_MESSAGE, values)
    session.execute(_LOCK_MESSAGE, values)
    taken = session.scalar(_FIND_TAKEN_ID, columns)
    if taken is not None:
        raise _id_taken(deliveries[taken])
    added = session.scalars(_ADD_DELIVERIES, columns).all()
    if any(added):
        session.execute(_EXTEND_WINDOW, {"id": message_id, "until": now + settle_after})
    waiting = session.scalars(_WAITING, columns).all()
    matched = apply_receipts(session, waiting, now=now) if waiting else 0
    return RegisterCounts(sum(added), len(deliveries) - sum(added), matched)


def _id_taken(delivery: _Delivery) -> UserError:
    field = f"deliveries[{delivery.row}].provider_id"
    return UserError("mass_message.provider_id_taken", "Another delivery already has this provider_id.", field=field)


def _parse_deliveries(rows: Any, region: str) -> list[_Delivery]:
    """Return each delivery once, however its number is written."""
    if not isinstance(rows, list):
        raise UserError("mass_message.deliveries_missing", "Send a list of deliveries.", field="deliveries")
    by_number: dict[tuple[str, str], _Delivery] = {}
    by_provider_id: dict[tuple[str | None, str], _Delivery] = {}
    for delivery in _parse_rows(rows, region):
        kept = by_number.setdefault((delivery.contact, delivery.to), delivery)
        if delivery.provider_id and kept.provider_id is None:
            kept = by_number[delivery.contact, delivery.to] = delivery
        if delivery.provider_id:
            owner = by_provider_id.setdefault((delivery.provider, delivery.provider_id), kept)
            if owner is not kept:
                raise _id_taken(delivery)
    return list(by_number.values())


def _parse_rows(rows: Sequence[Any], region: str) -> Iterator[_Delivery]:
    for number, row in enumerate(rows):
        where = f"deliveries[{number}]"
        if not isinstance(row, Mapping):
            sentence = "Send an object with contact, to, provider, and provider_id."
            raise UserError("mass_message.delivery_not_an_object", sentence, field=where)
        provider = payload.optional_text(row, "provider", where=where)
        provider_id = payload.optional_text(row, "provider_id", where=where)
        if provider_id and not provider:
            sentence = "Name the provider that gave this provider_id."
            raise UserError("mass_message.provider_missing", sentence, field=f"{where}.provider")
        contact = payload.text(row, "contact", where=where)
        to = payload.phone_number(row, "to", region, where=where)
        yield _Delivery(number, contact, to, provider and provider.lower(), provider_id)
