"""What counts as evidence about a number, and which of two reports on one delivery counts.

A delivery's outcome is the strongest that its receipts say, whatever their order. Refusals without a reason that hit
many recipients of one message at once are our sender's fault and no evidence at all (the batch guard).
"""

from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from bot.domain.sms_status import Outcome

STRENGTH = (
    Outcome.PENDING,
    Outcome.NOT_CONTACT_PROBLEM,
    Outcome.UNCONFIRMED,
    Outcome.TURNED_OFF,
    Outcome.LANDLINE,
    Outcome.BLOCKED,
    Outcome.INACTIVE,
    Outcome.OPT_OUT,
    Outcome.DELIVERED,
)
"""Weakest first. The more a report claims to know, the stronger it is; `delivered` is final for ever."""

EVIDENCE = (
    Outcome.DELIVERED,
    Outcome.UNCONFIRMED,
    Outcome.TURNED_OFF,
    Outcome.LANDLINE,
    Outcome.BLOCKED,
    Outcome.INACTIVE,
)
"""Outcomes that say something about a number. An opt-out is not among them: it ends by START, not by a later delivery."""

_GUARD_SHARE = 0.05
_GUARD_LEAST = 10


def sql_list(values: tuple[str, ...]) -> str:
    """The values as an SQL list, for our own words only."""
    return ", ".join(f"'{value}'" for value in values)


def strength_sql(column: str) -> str:
    """An SQL number for an outcome, to compare two reports with."""
    return f"array_position(ARRAY[{sql_list(STRENGTH)}], {column})"


def is_evidence(delivery: str, message: str) -> str:
    """An SQL condition: this delivery of this message is evidence about its number."""
    return f"({delivery}.outcome IN ({sql_list(EVIDENCE)}) AND NOT {is_sender_fault(delivery, message)})"


def is_sender_fault(delivery: str, message: str) -> str:
    """An SQL condition: this delivery is one of so many refusals without a reason that our sender is at fault for it."""
    return f"({delivery}.reasonless AND {message}.sender_at_fault ? {fault_key(delivery)})"


def fault_key(delivery: str) -> str:
    """SQL for the key of `sender_at_fault`: provider and code."""
    return f"(coalesce({delivery}.provider, '') || ':' || coalesce({delivery}.code, ''))"


_JUDGE_SENDER = text(f"""
WITH refused AS (
    SELECT {fault_key("d")} AS key, count(*) AS refusals
    FROM deliveries d WHERE d.mass_message_id = :message AND d.reasonless
    GROUP BY 1 HAVING count(*) >= :least
),
at_fault AS (
    SELECT coalesce(jsonb_object_agg(key, refusals), '{{}}') AS found
    FROM refused
    WHERE refusals > :share * (SELECT count(*) FROM deliveries WHERE mass_message_id = :message)
)
UPDATE mass_messages m SET sender_at_fault = at_fault.found FROM at_fault
WHERE m.id = :message AND m.sender_at_fault IS DISTINCT FROM at_fault.found
RETURNING m.sender_at_fault
""")


def judge_sender_faults(session: Session, message_id: str) -> bool:
    """Judge which refusals of a message are our sender's fault: the same one, without a reason, for more than 5 % and at
    least 10 of its deliveries. True if that is other than it was.
    """
    found: Any = session.execute(
        _JUDGE_SENDER, {"message": message_id, "least": _GUARD_LEAST, "share": _GUARD_SHARE}
    ).first()
    return found is not None
