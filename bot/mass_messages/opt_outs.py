"""Opt-outs and opt-ins. Both take effect at once and belong to the number; only an opt-in texted by that number ends an opt-out.

Opt-out and opt-in texts come from a provider, further opt-outs from another system of the district. Each is stored under the
id that its source gave it, so a repeated one is applied once.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from bot import audit
from bot.cleanup_list.membership import MembershipChanges, update_list
from bot.cleanup_list.number_status import Numbers, judge_numbers
from bot.db.advisory_locks import lock_cleanup_list
from bot.domain.sms_status import SmsStatus
from bot.errors import UserError
from bot.mass_messages import payload
from bot.mass_messages.payload import RefusedRow
from bot.providers.receipt import OptOutMessage

# The `provider` of opt-outs that a system of the district reports.
_DISTRICT = "district"
_MAX_OPT_OUTS = 10_000


@dataclass(frozen=True)
class OptOutCounts:
    """How many opt-outs were new, how many were stored before, and which rows were refused."""

    added: int
    already: int
    refused: tuple[RefusedRow, ...] = ()


# An opt-out that is older than the number's opt-in does not count.
_OPT_OUT = text(f"""
INSERT INTO phone_numbers AS n (phone, status, since, opted_out_at, opted_out_by)
SELECT CAST(:phone AS text), '{SmsStatus.OPT_OUT}', CAST(:now AS timestamptz), :now, CAST(:by AS text)
WHERE NOT EXISTS (SELECT FROM phone_numbers o WHERE o.phone = :phone AND o.opted_in_at >= :at)
ON CONFLICT (phone) DO UPDATE SET
    status = excluded.status, since = excluded.since, doubted = NULL,
    opted_out_at = excluded.opted_out_at, opted_out_by = excluded.opted_out_by
WHERE n.opted_out_at IS NULL
RETURNING n.phone
""")

_OPT_IN = text("""
INSERT INTO phone_numbers AS n (phone, opted_in_at) VALUES (:phone, :now)
ON CONFLICT (phone) DO UPDATE SET
    opted_in_at = excluded.opted_in_at, opted_out_at = NULL, opted_out_by = NULL,
    status = CASE WHEN n.wrong_person_at IS NULL THEN n.status ELSE 'wrong_person' END,
    since = CASE WHEN n.wrong_person_at IS NULL THEN n.since ELSE n.wrong_person_at END
""")

_STORE = text("""
INSERT INTO opt_out_texts (provider, event_key, phone, opted_out, received_at)
VALUES (:provider, :event_key, :phone, :opted_out, :now)
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
    return update_list(session, Numbers([phone]), message_id=message_id, now=now)


def apply_opt_in(session: Session, phone: str, *, now: datetime) -> MembershipChanges:
    """Opt a number in again. Its deliveries decide its status; without a problem its contacts leave the list.

    A number of the wrong person stays so: the person who has it now may want texts, but is not the contact.
    """
    lock_cleanup_list(session)
    session.execute(_OPT_IN, {"phone": phone, "now": now})
    judge_numbers(session, Numbers([phone]), now=now)
    return update_list(session, Numbers([phone]), message_id=None, now=now)


def record_opt_out(session: Session, message: OptOutMessage, *, now: datetime, at: datetime | None = None) -> bool:
    """Store an opt-out or opt-in, apply it, and audit it for each contact with that number; False if it was stored before.

    `at` is the latest time at which the contact can have sent it, if that is not now: a later opt-in outranks an opt-out.
    """
    if session.execute(_STORE, asdict(message) | {"now": now}).first() is None:
        return False
    if message.opted_out:
        apply_opt_out(session, message.phone, by=message.provider, at=at, now=now)
    else:
        apply_opt_in(session, message.phone, now=now)
    action = "opt_out.heard" if message.opted_out else "opt_in.heard"
    audit.record_number(session, message.phone, actor=message.provider, action=action, now=now)
    return True


def register_opt_outs(session: Session, body: Any, *, now: datetime, region: str, strict: bool = True) -> OptOutCounts:
    """Record the opt-outs of `POST /opt-outs`: {"opt_outs": [{"id": ..., "phone": ..., "at": ...}]}.

    Unless `strict`, wrong rows are left out and returned: one typing error must not delay the opt-outs of others.

    Raises:
        UserError: a field is wrong (`opt_outs[3].phone`, rows counted from 0); nothing was stored.
    """
    rows = body.get("opt_outs") if isinstance(body, Mapping) else None
    if not isinstance(rows, list):
        raise UserError("opt_outs.missing", "Send a JSON object with a list of opt_outs.", field="opt_outs")
    if len(rows) > _MAX_OPT_OUTS:
        raise UserError("opt_outs.too_many", f"Send at most {_MAX_OPT_OUTS:,} opt-outs at once.", field="opt_outs")
    opt_outs, refused = [], []
    for number, row in enumerate(rows):
        try:
            opt_outs.append(_parse_row(row, f"opt_outs[{number}]", now, region))
        except UserError as problem:
            refused.append(payload.refused_row(number, problem))
    payload.check_refused(refused, right=len(opt_outs), strict=strict)
    added = sum(record_opt_out(session, message, now=now, at=at) for message, at in opt_outs)
    return OptOutCounts(added, len(opt_outs) - added, tuple(refused))


def _parse_row(row: Any, where: str, now: datetime, region: str) -> tuple[OptOutMessage, datetime]:
    if not isinstance(row, Mapping):
        raise UserError("opt_outs.not_an_object", "Send an object with id, phone, and at.", field=where)
    event_key = payload.text(row, "id", where=where)
    phone = payload.phone_number(row, "phone", region, where=where)
    return OptOutMessage(_DISTRICT, event_key, phone, opted_out=True), payload.timestamp(
        row, "at", now=now, where=where
    )
