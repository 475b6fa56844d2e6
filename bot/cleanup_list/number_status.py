"""What is known of a number, judged again from all its deliveries in settled mass messages.

The newest message with evidence decides, by the time it was *sent*: a late receipt of an older message never overrides a
newer one. Shaky evidence of red shows Unconfirmed until a second message since the last delivered one is red, too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from bot.cleanup_list.evidence import is_evidence, sql_list, strength_sql
from bot.domain.sms_status import Color, SmsStatus, statuses_with_color


@dataclass(frozen=True)
class Numbers:
    """Only these numbers (E.164), because something was heard of them."""

    phones: Sequence[str]


@dataclass(frozen=True)
class WholeList:
    """Every number that a mass message has just said something about, and everyone who is or may be on the list."""


# A number that was reached and has no row needs none: most numbers are like that, and stay out of the table. Those in it are
# all judged again: it costs less than finding out which of them are among the delivered of a large message.
_OF_MESSAGE = f"""
    SELECT d.phone FROM deliveries d JOIN mass_messages m ON m.id = d.mass_message_id
    WHERE m.id = :message AND d.outcome <> 'delivered' AND {is_evidence("d", "m")}
    UNION
    SELECT phone FROM phone_numbers
"""
_OF_PHONES = "SELECT DISTINCT unnest(CAST(:phones AS text[])) AS phone"


# `OFFSET 0` keeps each number's deliveries a look into the index: joined at once, they are all deliveries there ever were.
def _judge(touched: str) -> str:
    return f"""
WITH touched AS MATERIALIZED ({touched}),
told AS MATERIALIZED (
    SELECT d.* FROM touched CROSS JOIN LATERAL (SELECT * FROM deliveries WHERE deliveries.phone = touched.phone OFFSET 0) AS d
),
evidence AS (
    SELECT DISTINCT ON (d.phone, m.sent_at, m.id) d.phone, m.sent_at, m.id AS message, d.id AS delivery, d.outcome, d.shaky
    FROM told d JOIN mass_messages m ON m.id = d.mass_message_id
    WHERE m.settled_at IS NOT NULL AND {is_evidence("d", "m")}
    ORDER BY d.phone, m.sent_at DESC, m.id DESC, {strength_sql("d.outcome")} DESC, d.shaky, d.id
),
since_delivered AS (
    SELECT *, sum(CASE WHEN outcome = 'delivered' THEN 1 ELSE 0 END) OVER newest_first AS deliveries_since,
           row_number() OVER newest_first AS age
    FROM evidence WINDOW newest_first AS (PARTITION BY phone ORDER BY sent_at DESC, message DESC)
),
newest AS (
    SELECT phone, max(outcome) FILTER (WHERE age = 1) AS outcome, bool_or(shaky) FILTER (WHERE age = 1) AS shaky,
           max(delivery) FILTER (WHERE age = 1) AS delivery,
           count(*) FILTER (WHERE outcome IN ({sql_list(statuses_with_color(Color.RED))})) AS red_messages
    FROM since_delivered WHERE deliveries_since = 0 GROUP BY phone
),
judged AS (
    SELECT touched.phone, newest.delivery,
           newest.shaky AND newest.outcome IN ({sql_list(statuses_with_color(Color.RED))}) AND red_messages < 2 AS in_doubt,
           newest.outcome
    FROM touched LEFT JOIN newest ON newest.phone = touched.phone
),
known AS (
    SELECT phone, delivery, CASE WHEN in_doubt THEN '{SmsStatus.UNCONFIRMED}' ELSE outcome END AS status,
           CASE WHEN in_doubt THEN outcome END AS doubted
    FROM judged
)
MERGE INTO phone_numbers n USING known ON known.phone = n.phone
WHEN MATCHED AND n.opted_out_at IS NULL
     AND (n.status, n.doubted, n.delivery_id) IS DISTINCT FROM (known.status, known.doubted, known.delivery) THEN
    UPDATE SET status = known.status, doubted = known.doubted, delivery_id = known.delivery,
               since = CASE WHEN n.status IS NOT DISTINCT FROM known.status THEN n.since ELSE :now END
WHEN NOT MATCHED AND known.status IS NOT NULL THEN
    INSERT (phone, status, since, doubted, delivery_id)
    VALUES (known.phone, known.status, :now, known.doubted, known.delivery)
"""


_JUDGE_MESSAGE, _JUDGE_PHONES = text(_judge(_OF_MESSAGE)), text(_judge(_OF_PHONES))


def judge_numbers(session: Session, who: Numbers | WholeList, *, message_id: str | None = None, now: datetime) -> None:
    """Set the status of numbers from the evidence; those that opted out stay Opt-Out. Take `one_at_a_time` first."""
    if isinstance(who, Numbers):
        session.execute(_JUDGE_PHONES, {"phones": list(who.phones), "now": now})
    else:
        session.execute(_JUDGE_MESSAGE, {"message": message_id, "now": now})
