"""Register a mass message and its deliveries; a delivery is one number of one contact in one message.

Registering the same id again adds deliveries and never doubles one. Receipts that arrived earlier are applied here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from bot.db.advisory_locks import lock_receipts
from bot.errors import UserError
from bot.mass_messages import payload
from bot.mass_messages.payload import RefusedRow
from bot.mass_messages.receipts import apply_receipts

# The ids of messages that were found in a provider's log begin with it.
PULLED = "pull "


@dataclass(frozen=True)
class RegisterCounts:
    """How many deliveries were new, how many were registered before, and how many receipts had been waiting for them.

    `refused` rows were not stored; they are added when they are sent again after being mended.
    """

    added: int
    already: int
    matched_receipts: int
    refused: tuple[RefusedRow, ...] = ()


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

# A contact whose id changed since: the delivery keeps the id of its day. An old id is understood, too.
_OTHER_IDS = text("""
SELECT u.row - 1 AS place, coalesce(
    (SELECT d.contact_sourced_id FROM contact_ids o
     JOIN deliveries d ON d.mass_message_id = :message AND d.contact_sourced_id = o.sourced_id AND d.phone = u.phone
     WHERE o.contact_id = i.contact_id ORDER BY d.id LIMIT 1),
    (SELECT c.sourced_id FROM contacts c WHERE c.id = i.contact_id)
) AS contact
FROM unnest(CAST(:contacts AS text[]), CAST(:phones AS text[])) WITH ORDINALITY AS u (contact, phone, row)
JOIN contact_ids i ON i.sourced_id = u.contact
WHERE EXISTS (SELECT FROM former_contact_ids f WHERE f.contact_id = i.contact_id)
""")

_EXTEND_WINDOW = text("""
UPDATE mass_messages SET settles_at = greatest(settles_at, :until) WHERE id = :id AND settled_at IS NOT NULL
""")

_FIND_TAKEN_IDS = text("""
SELECT u.row - 1 FROM unnest(CAST(:contacts AS text[]), CAST(:phones AS text[]), CAST(:providers AS text[]), CAST(:ids AS text[]))
    WITH ORDINALITY AS u (contact, phone, provider, id, row)
JOIN deliveries d ON d.provider = u.provider AND d.provider_id = u.id
WHERE (d.mass_message_id, d.contact_sourced_id, d.phone) <> (:message, u.contact, u.phone)
ORDER BY 1
""")

_FIND_PULLED = text(f"""
SELECT DISTINCT m.id FROM unnest(CAST(:providers AS text[]), CAST(:ids AS text[])) AS u (provider, id)
JOIN deliveries d ON d.provider = u.provider AND d.provider_id = u.id
JOIN mass_messages m ON m.id = d.mass_message_id
WHERE starts_with(m.id, '{PULLED}') AND m.id <> :message ORDER BY m.id
""")
_LET_RECEIPTS_WAIT = text("""
UPDATE receipts r SET applied_at = NULL FROM deliveries d JOIN mass_messages m ON m.id = d.mass_message_id
WHERE m.id = :pulled AND m.settled_at IS NULL AND r.provider = d.provider AND r.provider_id = d.provider_id
""")
_DELETE_PULLED = text("DELETE FROM mass_messages WHERE id = :pulled AND settled_at IS NULL")

_WAITING = text("""
SELECT r.id FROM unnest(CAST(:providers AS text[]), CAST(:ids AS text[])) AS u (provider, id)
JOIN receipts r ON r.provider = u.provider AND r.provider_id = u.id
WHERE r.applied_at IS NULL ORDER BY r.id
""")


def register_message(
    session: Session, message: Any, *, now: datetime, settle_after: timedelta, region: str, strict: bool = True
) -> RegisterCounts:
    """Register a mass message in the format of `POST /mass-messages`; numbers may be written in any way common in `region`.

    Its window closes `settle_after` its `sent_at`; deliveries added after it settled get a window of their own. Unless `strict`,
    wrong rows are left out and returned.

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
    deliveries, refused = _parse_deliveries(message.get("deliveries"), region)
    payload.check_refused(refused, right=len(deliveries), strict=strict)
    session.execute(_ADD_MESSAGE, values)
    session.execute(_LOCK_MESSAGE, values)
    deliveries = _with_known_ids(session, message_id, deliveries)
    _delete_pulled(session, message_id, deliveries)
    taken = set(session.scalars(_FIND_TAKEN_IDS, _columns(message_id, deliveries)))
    if taken:
        refused += [_refuse_id(deliveries[index].row) for index in sorted(taken)]
        deliveries = [delivery for index, delivery in enumerate(deliveries) if index not in taken]
        payload.check_refused(refused, right=len(deliveries), strict=strict)
    columns = _columns(message_id, deliveries)
    added = session.scalars(_ADD_DELIVERIES, columns).all()
    if any(added):
        session.execute(_EXTEND_WINDOW, {"id": message_id, "until": now + settle_after})
    waiting = session.scalars(_WAITING, columns).all()
    matched = apply_receipts(session, waiting, now=now) if waiting else 0
    in_order = tuple(sorted(refused, key=lambda each: each.row))
    return RegisterCounts(sum(added), len(deliveries) - sum(added), matched, in_order)


def _delete_pulled(session: Session, message_id: str, deliveries: Sequence[_Delivery]) -> None:
    """Delete messages that were pulled before their sender registered them here. One that is final stays, and keeps its deliveries."""
    for pulled in session.scalars(_FIND_PULLED, _columns(message_id, deliveries)).all():
        values = {"pulled": pulled}
        lock_receipts(session, pulled)
        session.execute(_LET_RECEIPTS_WAIT, values)
        session.execute(_DELETE_PULLED, values)


def _with_known_ids(session: Session, message_id: str, deliveries: list[_Delivery]) -> list[_Delivery]:
    """Return the deliveries with the ids by which this message knows contacts whose id changed, each once."""
    ids = {row.place: row.contact for row in session.execute(_OTHER_IDS, _columns(message_id, deliveries))}
    if not ids:
        return deliveries
    known: dict[tuple[str, str], _Delivery] = {}
    for index, delivery in enumerate(deliveries):
        contact = ids.get(index, delivery.contact)
        known.setdefault((contact, delivery.to), replace(delivery, contact=contact))
    return list(known.values())


def _columns(message_id: str, deliveries: Sequence[_Delivery]) -> dict[str, Any]:
    return {
        "message": message_id,
        "contacts": [delivery.contact for delivery in deliveries],
        "phones": [delivery.to for delivery in deliveries],
        "providers": [delivery.provider for delivery in deliveries],
        "ids": [delivery.provider_id for delivery in deliveries],
    }


def _refuse_id(row: int) -> RefusedRow:
    sentence = "Another delivery already has this provider_id."
    return RefusedRow(row, f"deliveries[{row}].provider_id", "mass_message.provider_id_taken", sentence)


def _parse_deliveries(rows: Any, region: str) -> tuple[list[_Delivery], list[RefusedRow]]:
    """Return each delivery once, however its number is written, and the rows that are wrong."""
    if not isinstance(rows, list):
        raise UserError("mass_message.deliveries_missing", "Send a list of deliveries.", field="deliveries")
    by_number: dict[tuple[str, str], _Delivery] = {}
    owners: dict[tuple[str | None, str], tuple[str, str]] = {}
    refused = []
    for number, row in enumerate(rows):
        try:
            delivery = _parse_row(number, row, region)
        except UserError as problem:
            refused.append(payload.refused_row(number, problem))
            continue
        recipient = (delivery.contact, delivery.to)
        if (
            delivery.provider_id
            and owners.setdefault((delivery.provider, delivery.provider_id), recipient) != recipient
        ):
            refused.append(_refuse_id(number))
        elif recipient not in by_number or (delivery.provider_id and by_number[recipient].provider_id is None):
            by_number[recipient] = delivery
    return list(by_number.values()), refused


def _parse_row(number: int, row: Any, region: str) -> _Delivery:
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
    return _Delivery(number, contact, to, provider and provider.lower(), provider_id)
