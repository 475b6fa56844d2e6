"""What a sender tells us of a mass message. The same id again adds deliveries and never doubles one; a delivery is one number
of one contact in one message. Receipts that were faster than the registration are applied here.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from bot.errors import UserError
from bot.mass_messages import payload
from bot.mass_messages.apply_receipts import apply_receipts


@dataclass(frozen=True)
class RegisterCounts:
    """Deliveries that are new, deliveries that we had already, and receipts that had been waiting for them."""

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


def register_message(
    session: Session, message: Mapping[str, Any], *, now: datetime, settle_after: timedelta, region: str
) -> RegisterCounts:
    """Take a mass message as `POST /mass-messages` does; numbers may be written in any way that `region` knows.

    Its window closes `settle_after` its `sent_at`; deliveries that are added after it settled get a window of their own.

    Raises:
        UserError: naming the field and its row (`deliveries[3].to`), counted from 0; nothing was stored.
    """
    if not isinstance(message, Mapping):
        raise UserError(
            "mass_message.no_object", "Send a JSON object with id, title, sent_at and deliveries.", field="message"
        )
    message_id, sent_at = payload.text(message, "id"), payload.moment(message, "sent_at", now=now)
    values = {
        "id": message_id,
        "title": payload.text(message, "title"),
        "sender": payload.text_or_none(message, "sender"),
        "sent_at": sent_at,
        "now": now,
        "settles_at": sent_at + settle_after,
    }
    deliveries = _deliveries(message, region)
    session.execute(_ADD_MESSAGE, values)
    session.execute(_HOLD_MESSAGE, values)
    _refuse_taken(session, message_id, deliveries)
    added = session.execute(_ADD_DELIVERIES, _columns(message_id, deliveries)).scalars().all()
    if any(added):
        session.execute(_EXTEND_WINDOW, {"id": message_id, "until": now + settle_after})
    return RegisterCounts(sum(added), len(deliveries) - sum(added), _apply_early_receipts(session, deliveries, now))


_ADD_MESSAGE = text("""
INSERT INTO mass_messages (id, title, sender, sent_at, registered_at, settles_at)
VALUES (:id, :title, :sender, :sent_at, :now, :settles_at) ON CONFLICT DO NOTHING
""")

# Two batches of one message, or a batch and the settling, would otherwise wait for each other's deliveries for ever.
_HOLD_MESSAGE = text("SELECT id FROM mass_messages WHERE id = :id FOR NO KEY UPDATE")

# A sender may register first and learn the provider's id later: then the same delivery comes again with it.
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

_TAKEN = text("""
SELECT u.row - 1 FROM unnest(CAST(:contacts AS text[]), CAST(:phones AS text[]), CAST(:providers AS text[]), CAST(:ids AS text[]))
    WITH ORDINALITY AS u (contact, phone, provider, id, row)
JOIN deliveries d ON d.provider = u.provider AND d.provider_id = u.id
WHERE (d.mass_message_id, d.contact_sourced_id, d.phone) <> (:message, u.contact, u.phone)
ORDER BY 1 LIMIT 1
""")

_EARLY = text("""
SELECT r.id FROM unnest(CAST(:providers AS text[]), CAST(:ids AS text[])) AS u (provider, id)
JOIN receipts r ON r.provider = u.provider AND r.provider_id = u.id
WHERE r.applied_at IS NULL ORDER BY r.id
""")


def _columns(message_id: str, deliveries: Sequence[_Delivery]) -> dict[str, Any]:
    return {
        "message": message_id,
        "contacts": [one.contact for one in deliveries],
        "phones": [one.to for one in deliveries],
        "providers": [one.provider for one in deliveries],
        "ids": [one.provider_id for one in deliveries],
    }


def _refuse_taken(session: Session, message_id: str, deliveries: Sequence[_Delivery]) -> None:
    taken = session.scalar(_TAKEN, _columns(message_id, deliveries))
    if taken is not None:
        raise _taken(deliveries[taken].row)


def _taken(row: int) -> UserError:
    return UserError(
        "mass_message.taken", "Another delivery has this provider_id already.", field=f"deliveries[{row}].provider_id"
    )


def _apply_early_receipts(session: Session, deliveries: Sequence[_Delivery], now: datetime) -> int:
    reported = [one for one in deliveries if one.provider_id]
    known = {"providers": [one.provider for one in reported], "ids": [one.provider_id for one in reported]}
    waiting = session.scalars(_EARLY, known).all()
    return apply_receipts(session, waiting, now=now).matched if waiting else 0


def _deliveries(message: Mapping[str, Any], region: str) -> list[_Delivery]:
    """The deliveries, each once, whichever way its number was written."""
    rows = message.get("deliveries")
    if not isinstance(rows, list):
        raise UserError("mass_message.no_deliveries", "Send a list of deliveries.", field="deliveries")
    once: dict[tuple[str, str], _Delivery] = {}
    ids: dict[tuple[str | None, str], _Delivery] = {}
    for one in _read(rows, region):
        kept = once.setdefault((one.contact, one.to), one)
        if one.provider_id and kept.provider_id is None:
            kept = once[one.contact, one.to] = one
        if one.provider_id and ids.setdefault((one.provider, one.provider_id), kept) is not kept:
            raise _taken(one.row)
    return list(once.values())


def _read(rows: Sequence[Any], region: str) -> Iterator[_Delivery]:
    for row, values in enumerate(rows):
        where = f"deliveries[{row}]"
        if not isinstance(values, Mapping):
            raise UserError(
                "mass_message.no_delivery", "Send an object with contact, to, provider and provider_id.", field=where
            )
        provider = payload.text_or_none(values, "provider", where=where)
        provider_id = payload.text_or_none(values, "provider_id", where=where)
        if provider_id and not provider:
            raise UserError(
                "mass_message.no_provider", "Say which provider gave this provider_id.", field=f"{where}.provider"
            )
        contact = payload.text(values, "contact", where=where)
        yield _Delivery(
            row, contact, payload.number(values, "to", region, where=where), provider and provider.lower(), provider_id
        )
