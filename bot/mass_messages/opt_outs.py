"""STOP and START as they reach us: texted to a provider, or told to us by a system of the district that heard it.

Each is kept under the id of whoever reported it, so that the same one, sent again, is heard once.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from bot import audit
from bot.errors import UserError
from bot.mass_messages import payload
from bot.mass_messages.opt_out_list import OptOut, apply_opt_in, apply_opt_outs
from bot.providers.receipt import OptOutMessage

REPORTED = "district"
"""Who told us, where it was no provider."""
_MOST = 10_000


@dataclass(frozen=True)
class OptOutCounts:
    """Opt-outs that are new, and those that we had already."""

    added: int
    already: int


_STORE = text("""
INSERT INTO opt_out_texts (provider, event_key, phone, opted_out, received_at)
VALUES (:provider, :event_key, :phone, :opted_out, :now)
ON CONFLICT DO NOTHING RETURNING id
""")


def record_opt_out(session: Session, said: OptOutMessage, *, now: datetime, said_at: datetime | None = None) -> bool:
    """Let a STOP or START count at once; it is written into the history of each contact who has that number.

    `said_at` is the latest that it can have been said, if that is not now: a START that came later outranks a STOP.
    Returns False for one that was heard before.
    """
    row = {"provider": said.provider, "event_key": said.event_key, "phone": said.phone, "opted_out": said.opted_out}
    if session.execute(_STORE, row | {"now": now}).first() is None:
        return False
    if said.opted_out:
        apply_opt_outs(session, [OptOut(said.phone, said_at)], by=said.provider, now=now)
    else:
        apply_opt_in(session, said.phone, now=now)
    action = "opt_out.heard" if said.opted_out else "opt_in.heard"
    audit.record_number(session, said.phone, actor=said.provider, action=action, now=now)
    return True


def register_opt_outs(session: Session, body: Any, *, now: datetime, region: str) -> OptOutCounts:
    """Take opt-outs as `POST /opt-outs` does: {"opt_outs": [{"id": ..., "phone": ..., "at": ...}]}.

    Raises:
        UserError: naming the field and its row (`opt_outs[3].phone`), counted from 0; nothing was stored.
    """
    rows = body.get("opt_outs") if isinstance(body, Mapping) else None
    if not isinstance(rows, list):
        raise UserError("opt_outs.no_list", "Send a JSON object with a list of opt_outs.", field="opt_outs")
    if len(rows) > _MOST:
        raise UserError("opt_outs.too_many", f"Send at most {_MOST:,} at once.", field="opt_outs")
    read = [_read(values, f"opt_outs[{row}]", now, region) for row, values in enumerate(rows)]
    added = sum(record_opt_out(session, said, now=now, said_at=said_at) for said, said_at in read)
    return OptOutCounts(added, len(read) - added)


def _read(values: Any, where: str, now: datetime, region: str) -> tuple[OptOutMessage, datetime]:
    if not isinstance(values, Mapping):
        raise UserError("opt_outs.no_opt_out", "Send an object with id, phone and at.", field=where)
    reported = payload.text(values, "id", where=where)
    phone = payload.number(values, "phone", region, where=where)
    return OptOutMessage(REPORTED, reported, phone, opted_out=True), payload.moment(values, "at", now=now, where=where)
