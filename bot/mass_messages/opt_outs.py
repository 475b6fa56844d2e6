"""Opt-outs and opt-ins. Both take effect at once and belong to the number; only an opt-in texted by that number ends an opt-out.
Undoing the import of a report ends an opt-out that this report alone brought (`report_undo`).

Opt-out and opt-in texts come from a provider, further opt-outs from another system of the district. Each is stored under the
id that its source gave it, so a repeated one is applied once.
"""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from bot.cleanup_list.membership import MembershipChanges, update_list
from bot.cleanup_list.number_status import Numbers, judge_numbers
from bot.db import audit
from bot.db.advisory_locks import lock_cleanup_list
from bot.domain.sms_status import SmsStatus
from bot.errors import UserError
from bot.mass_messages import payload
from bot.mass_messages.payload import RefusedRow
from bot.mass_messages.unclear_texts import close_opted_out, store_unclear_text
from bot.providers.receipt import FamilyText, OptOutMessage
from bot.providers.unclear_texts import UnclearMessage, read_text

# The `provider` of opt-outs that a system of the district reports.
_DISTRICT = "district"
_MAX_OPT_OUTS = 10_000


@dataclass(frozen=True)
class OptOutCounts:
    """How many opt-outs were new, and how many were stored before; how many texts wait for a person, and how many mean nothing;
    and which rows were refused.
    """

    added: int
    already: int
    unclear: int = 0
    ignored: int = 0
    refused: tuple[RefusedRow, ...] = ()


# An opt-out that is older than the number's opt-in does not count.
_OPT_OUT = text(f"""
INSERT INTO phone_numbers AS n (phone, status, since, opted_out_at, opted_out_by)
SELECT CAST(:phone AS text), '{SmsStatus.OPT_OUT}', CAST(:now AS timestamptz), CAST(:at AS timestamptz), CAST(:by AS text)
WHERE NOT EXISTS (SELECT FROM phone_numbers o WHERE o.phone = :phone AND o.opted_in_at >= :at)
ON CONFLICT (phone) DO UPDATE SET
    status = excluded.status, since = excluded.since, doubted = NULL,
    opted_out_at = excluded.opted_out_at, opted_out_by = excluded.opted_out_by
WHERE n.opted_out_at IS NULL
RETURNING n.phone
""")

_OPT_IN = text("""
INSERT INTO phone_numbers AS n (phone, opted_in_at) VALUES (:phone, :at)
ON CONFLICT (phone) DO UPDATE SET
    opted_in_at = greatest(n.opted_in_at, excluded.opted_in_at), opted_out_at = NULL, opted_out_by = NULL,
    status = CASE WHEN n.wrong_person_at IS NULL THEN n.status ELSE 'wrong_person' END,
    since = CASE WHEN n.wrong_person_at IS NULL THEN n.since ELSE n.wrong_person_at END
""")

_OPTED_OUT_SINCE = text("""
SELECT EXISTS (SELECT FROM phone_numbers WHERE phone = :phone AND opted_out_at > :at)
    OR EXISTS (SELECT FROM opt_out_texts WHERE phone = :phone AND opted_out AND coalesce(sent_at, received_at) > :at)
""")

_STORE = text("""
INSERT INTO opt_out_texts (provider, event_key, phone, opted_out, received_at, sent_at)
VALUES (:provider, :event_key, :phone, :opted_out, :now, :at)
ON CONFLICT DO NOTHING RETURNING id
""")


def apply_opt_out(
    session: Session,
    phone: str,
    *,
    by: str,
    now: datetime,
    at: datetime | None = None,
    message_id: str | None = None,
) -> MembershipChanges:
    """Opt out a number (E.164) and list its contacts who take texts. Repeating it changes nothing. The caller audits it.

    `by` is a provider's name or the Slack user who recorded it; `at` is the latest time at which the contact can have opted
    out, if that is not now.
    """
    lock_cleanup_list(session)
    values = {"phone": phone, "at": at or now, "by": by, "now": now}
    if session.execute(_OPT_OUT, values).first() is None:
        return MembershipChanges()
    close_opted_out(session, phone, by=by, now=now)
    return update_list(session, Numbers([phone]), message_id=message_id, now=now)


def apply_opt_in(session: Session, phone: str, *, now: datetime, at: datetime | None = None) -> MembershipChanges:
    """Opt a number in again. Its deliveries decide its status; without a problem its contacts leave the list.

    A number of the wrong person stays so: the person who has it now may want texts, but is not the contact. An opt-in that was
    sent `at` an earlier time ends no opt-out after it.
    """
    lock_cleanup_list(session)
    if at and session.scalar(_OPTED_OUT_SINCE, {"phone": phone, "at": at}):
        return MembershipChanges()
    session.execute(_OPT_IN, {"phone": phone, "at": at or now})
    judge_numbers(session, Numbers([phone]), now=now)
    return update_list(session, Numbers([phone]), message_id=None, now=now)


def record_opt_out(session: Session, message: OptOutMessage, *, now: datetime, at: datetime | None = None) -> bool:
    """Store an opt-out or opt-in, apply it, and audit it for each contact with that number; False if it was stored before.

    `at` is the latest time at which the contact can have sent it, if that is not now: the later of an opt-out and an opt-in counts.
    """
    if session.execute(_STORE, asdict(message) | {"now": now, "at": at}).first() is None:
        return False
    if message.opted_out:
        apply_opt_out(session, message.phone, by=message.provider, at=at, now=now)
    else:
        apply_opt_in(session, message.phone, at=at, now=now)
    action = "opt_out.heard" if message.opted_out else "opt_in.heard"
    audit.record_number(session, message.phone, actor=message.provider, action=action, now=now)
    return True


def register_opt_outs(
    session: Session, body: Any, *, now: datetime, region: str, strict: bool = True, own_words: Collection[str] = ()
) -> OptOutCounts:
    """Record the opt-outs of `POST /opt-outs`: {"opt_outs": [{"id": ..., "phone": ..., "at": ..., "text": ...}]}.

    Where there is a `text`, it decides, as a text that a provider reports; `own_words` are the district's opt-out words.

    Unless `strict`, wrong rows are left out and returned: one typing error must not delay the opt-outs of others.

    Raises:
        UserError: a field is wrong (`opt_outs[3].phone`, rows counted from 0); nothing was stored.
    """
    rows = body.get("opt_outs") if isinstance(body, Mapping) else None
    if not isinstance(rows, list):
        raise UserError("opt_outs.missing", "Send a JSON object with a list of opt_outs.", field="opt_outs")
    if len(rows) > _MAX_OPT_OUTS:
        raise UserError("opt_outs.too_many", f"Send at most {_MAX_OPT_OUTS:,} opt-outs at once.", field="opt_outs")
    parsed, refused = [], []
    for number, row in enumerate(rows):
        try:
            parsed.append(_parse_row(row, f"opt_outs[{number}]", now, region, own_words))
        except UserError as problem:
            refused.append(payload.refused_row(number, problem))
    payload.check_refused(refused, right=len(parsed), strict=strict)
    words = [(message, at) for message, at in parsed if isinstance(message, OptOutMessage)]
    unclear = [message for message, _ in parsed if isinstance(message, UnclearMessage)]
    added = sum(record_opt_out(session, message, now=now, at=at) for message, at in words)
    for message in unclear:
        store_unclear_text(session, message, now=now)
    ignored = len(parsed) - len(words) - len(unclear)
    return OptOutCounts(added, len(words) - added, len(unclear), ignored, tuple(refused))


def _parse_row(
    row: Any, where: str, now: datetime, region: str, own_words: Collection[str]
) -> tuple[OptOutMessage | UnclearMessage | None, datetime]:
    if not isinstance(row, Mapping):
        raise UserError("opt_outs.not_an_object", "Send an object with id, phone, and at.", field=where)
    event_key = payload.text(row, "id", where=where)
    phone = payload.phone_number(row, "phone", region, where=where)
    at = payload.timestamp(row, "at", now=now, where=where)
    written = row.get("text")
    if written is None:
        return OptOutMessage(_DISTRICT, event_key, phone, opted_out=True), at
    if not isinstance(written, str):
        raise UserError(
            "payload.not_text", "Send the text as the family wrote it, or leave it out.", field=f"{where}.text"
        )
    return read_text(FamilyText(_DISTRICT, event_key, phone, written), own_words=own_words), at
