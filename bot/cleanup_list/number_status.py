"""The SMS status of a number, derived from all its deliveries in final mass messages.

A number that texted STOP or belongs to the wrong person keeps that status, whatever receipts report, until it is lifted. For all
others, the newest message with evidence decides, by the time it was *sent*: a late receipt of an older message never overrides a newer one.
A delivery's outcome is the strongest that its receipts report, in any order. Shaky evidence of a red status shows Unconfirmed until
a second message since the last delivery is red, too. Refusals without a reason that hit many recipients of one message are the
sender's fault and no evidence. Nor is any delivery of a message that (nearly) no receipts came for (`bot.mass_messages.silence`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from bot.db.session import set_local
from bot.domain.sms_status import STATUSES_BY_COLOR, Color, Outcome, SmsStatus

# Weakest first. Where receipts of one delivery disagree, or deliveries of one message to the same number, the outcome that comes
# later here counts, in whatever order the receipts arrive. `delivered` is last, so nothing replaces it.
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
# Outcomes that tell something about a number. An opt-out is not one of them: it ends by START, not by a later delivery.
EVIDENCE = (
    Outcome.DELIVERED,
    Outcome.UNCONFIRMED,
    Outcome.TURNED_OFF,
    Outcome.LANDLINE,
    Outcome.BLOCKED,
    Outcome.INACTIVE,
)
_FAULT_SHARE = 0.05
_FAULT_MINIMUM = 10


@dataclass(frozen=True)
class Numbers:
    """Only these numbers (E.164)."""

    phones: Sequence[str]


@dataclass(frozen=True)
class WholeList:
    """Every number that a mass message has a result for, and every contact who is or may be on the list."""


def sql_list(values: Sequence[str]) -> str:
    """Return values of our own as an SQL list."""
    return ", ".join(f"'{value}'" for value in values)


def strength_sql(outcome: str) -> str:
    """Return SQL for the strength of an outcome column, to compare two reports."""
    return f"array_position(ARRAY[{sql_list(STRENGTH)}], {outcome})"


def is_evidence(delivery: str, message: str) -> str:
    """Return the SQL condition that a delivery of a message is evidence about its number; both are aliases."""
    is_known = f"{delivery}.outcome IN ({sql_list(EVIDENCE)}) AND {message}.silent_at IS NULL"
    return f"({is_known} AND NOT {is_sender_fault(delivery, message)})"


def is_sender_fault(delivery: str, message: str) -> str:
    """Return the SQL condition that a delivery is one of many refusals without a reason, for which the sender is at fault."""
    return f"({delivery}.reasonless AND {message}.sender_at_fault ? {_fault_key(delivery)})"


def _fault_key(delivery: str) -> str:
    """Return SQL for the key of `sender_at_fault`: provider and code."""
    return f"(coalesce({delivery}.provider, '') || ':' || coalesce({delivery}.code, ''))"


_JUDGE_SENDER = text(f"""
WITH refused AS (
    SELECT {_fault_key("d")} AS key, count(*) AS refusals
    FROM deliveries d WHERE d.mass_message_id = :message AND d.reasonless
    GROUP BY 1 HAVING count(*) >= :minimum
),
at_fault AS (
    SELECT coalesce(jsonb_object_agg(key, refusals), '{{}}') AS keys
    FROM refused
    WHERE refusals > :share * (SELECT count(*) FROM deliveries WHERE mass_message_id = :message)
)
UPDATE mass_messages m SET sender_at_fault = at_fault.keys FROM at_fault
WHERE m.id = :message AND m.sender_at_fault IS DISTINCT FROM at_fault.keys
RETURNING m.sender_at_fault
""")


def judge_sender_faults(session: Session, message_id: str) -> bool:
    """Find the refusals of a message that are the sender's fault: the same one, without a reason, for more than 5 % and at least 10
    of its deliveries. Return whether the result changed.
    """
    params = {"message": message_id, "minimum": _FAULT_MINIMUM, "share": _FAULT_SHARE}
    return session.execute(_JUDGE_SENDER, params).first() is not None


# A row `n` of `phone_numbers` whose status follows from receipts.
# One of the wrong person is judged for the contact who proved it; for all others the view says Wrong person.
_IS_JUDGED = """n.opted_out_at IS NULL AND (
    n.wrong_person_at IS NULL OR EXISTS (SELECT FROM tried_numbers t WHERE t.phone = n.phone AND t.proved_at IS NOT NULL))"""
_RED = sql_list(STATUSES_BY_COLOR[Color.RED])

# Numbers to judge, and their deliveries in final messages, as (phone, sent_at, message, delivery, outcome, shaky).
# `OFFSET 0` keeps an index lookup per number; a plain join would read all deliveries there ever were.
_GIVEN_NUMBERS = f"""
numbers AS MATERIALIZED (SELECT DISTINCT unnest(CAST(:phones AS text[])) AS phone),
evidence AS (
    SELECT d.phone, m.sent_at, m.id AS message, d.id AS delivery, d.outcome, d.shaky
    FROM numbers CROSS JOIN LATERAL (SELECT * FROM deliveries WHERE deliveries.phone = numbers.phone OFFSET 0) AS d
    JOIN mass_messages m ON m.id = d.mass_message_id
    WHERE m.settled_at IS NOT NULL AND {is_evidence("d", "m")}
)"""

# The cost of a message must not grow with the messages before it. So only deliveries of this message and of newer final ones are
# read, and what a number's status was until now (`known`) stands for all older ones. A delivered number without a status needs no
# row: most numbers are like that. The whole history is read where the status until now does not say enough: it does not tell
# whether a red message came before a yellow one (that matters for shaky evidence), and it may come from one of these messages.
_NUMBERS_OF_MESSAGE = f"""
numbers AS MATERIALIZED (
    SELECT phone FROM deliveries WHERE mass_message_id = :message AND outcome <> 'delivered'
    UNION
    SELECT phone FROM phone_numbers n WHERE status IS NOT NULL AND {_IS_JUDGED}
),
since AS MATERIALIZED (
    SELECT newer.* FROM mass_messages m JOIN mass_messages newer ON (newer.sent_at, newer.id) >= (m.sent_at, m.id)
    WHERE m.id = :message AND newer.settled_at IS NOT NULL
),
recent AS MATERIALIZED (
    SELECT d.phone, m.sent_at, m.id AS message, d.id AS delivery, d.outcome, d.shaky, {is_evidence("d", "m")} AS counts
    FROM since m CROSS JOIN LATERAL (
        SELECT * FROM deliveries WHERE mass_message_id = m.id OFFSET 0
    ) AS d WHERE d.phone IN (SELECT phone FROM numbers)
),
known AS MATERIALIZED (
    SELECT n.phone, n.delivery_id AS delivery, coalesce(n.doubted, n.status) AS outcome, n.doubted IS NOT NULL AS shaky,
           recent.is_shaky AND (recent.is_deciding OR coalesce(n.doubted, n.status) NOT IN ({_RED}))
           OR recent.is_deciding AND NOT recent.is_evident AS is_unclear
    FROM phone_numbers n LEFT JOIN (
        SELECT recent.phone, bool_or(recent.delivery = n.delivery_id) AS is_deciding, bool_or(counts) AS is_evident,
               bool_or(counts AND recent.shaky AND recent.outcome IN ({_RED})) AS is_shaky
        FROM recent JOIN phone_numbers n ON n.phone = recent.phone GROUP BY recent.phone
    ) AS recent ON recent.phone = n.phone
    WHERE n.status IS NOT NULL AND {_IS_JUDGED}
),
evidence AS (
    SELECT phone, sent_at, message, delivery, outcome, shaky FROM recent WHERE counts
    UNION ALL
    SELECT phone, '-infinity', '', delivery, outcome, shaky FROM known WHERE is_unclear IS NOT TRUE
    UNION ALL
    SELECT d.phone, m.sent_at, m.id, d.id, d.outcome, d.shaky
    FROM known CROSS JOIN LATERAL (SELECT * FROM deliveries WHERE deliveries.phone = known.phone OFFSET 0) AS d
    JOIN mass_messages m ON m.id = d.mass_message_id
    WHERE known.is_unclear AND m.settled_at IS NOT NULL AND m.id NOT IN (SELECT id FROM since) AND {is_evidence("d", "m")}
)"""


def _judge(numbers_and_evidence: str) -> str:
    return f"""
WITH {numbers_and_evidence},
strongest AS (
    SELECT DISTINCT ON (phone, sent_at, message) * FROM evidence
    ORDER BY phone, sent_at DESC, message DESC, {strength_sql("outcome")} DESC, shaky, delivery
),
since_delivered AS (
    SELECT *, sum(CASE WHEN outcome = 'delivered' THEN 1 ELSE 0 END) OVER newest_first AS deliveries_since,
           row_number() OVER newest_first AS age
    FROM strongest WINDOW newest_first AS (PARTITION BY phone ORDER BY sent_at DESC, message DESC)
),
newest AS (
    SELECT phone, max(outcome) FILTER (WHERE age = 1) AS outcome, bool_or(shaky) FILTER (WHERE age = 1) AS shaky,
           max(delivery) FILTER (WHERE age = 1) AS delivery,
           count(*) FILTER (WHERE outcome IN ({_RED})) AS red_messages
    FROM since_delivered WHERE deliveries_since = 0 GROUP BY phone
),
judged AS (
    SELECT numbers.phone, newest.delivery, newest.outcome,
           newest.shaky AND newest.outcome IN ({_RED}) AND red_messages < 2 AS in_doubt
    FROM numbers LEFT JOIN newest ON newest.phone = numbers.phone
),
verdicts AS (
    SELECT phone, delivery, CASE WHEN in_doubt THEN '{SmsStatus.UNCONFIRMED}' ELSE outcome END AS status,
           CASE WHEN in_doubt THEN outcome END AS doubted
    FROM judged
)
MERGE INTO phone_numbers n USING verdicts v ON v.phone = n.phone
WHEN MATCHED AND {_IS_JUDGED}
     AND (n.status, n.doubted, n.delivery_id) IS DISTINCT FROM (v.status, v.doubted, v.delivery) THEN
    UPDATE SET status = v.status, doubted = v.doubted, delivery_id = v.delivery,
               since = CASE WHEN n.status IS NOT DISTINCT FROM v.status THEN n.since ELSE :now END
WHEN NOT MATCHED AND v.status IS NOT NULL THEN
    INSERT (phone, status, since, doubted, delivery_id)
    VALUES (v.phone, v.status, :now, v.doubted, v.delivery)
"""


_JUDGE_MESSAGE, _JUDGE_GIVEN = text(_judge(_NUMBERS_OF_MESSAGE)), text(_judge(_GIVEN_NUMBERS))


def judge_numbers(
    session: Session, which: Numbers | WholeList, *, message_id: str | None = None, now: datetime
) -> None:
    """Set the status of numbers from the evidence; opted-out numbers stay so, and those of the wrong person that no contact proved.
    Call `lock_cleanup_list` first.
    """
    if isinstance(which, Numbers):
        session.execute(_JUDGE_GIVEN, {"phones": list(which.phones), "now": now})
    else:
        # However few rows are expected, no part of a large message is compared with another one row by row.
        set_local(session, "enable_nestloop = off")
        session.execute(_JUDGE_MESSAGE, {"message": message_id, "now": now})
        set_local(session, "enable_nestloop = on")
