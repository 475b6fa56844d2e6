"""Delete what is older than the district's retention periods, once a night and in small batches, so that no edit waits for it.

Each batch is a transaction of its own. One that is interrupted is done again the next night.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Engine, TextClause, text
from sqlalchemy.orm import Session

from bot.db.advisory_locks import advisory_lock, lock_receipts
from bot.db.session import transaction
from bot.operations import families

_BATCH = 2_000
_LOCK = "retention"


@dataclass(frozen=True)
class Periods:
    """How long rows are kept.

    `messages`: mass messages with their deliveries, receipts, list changes, and digests, and the log of syncs. `waiting_receipts`:
    receipts of texts that no one registered. `audit`: the history, and edits that ended. `families`: students and contacts
    after they left. `scores`: counts of how many students have an adult who can be reached; `reachable` is how long a delivery
    counts for them, so the last one to each number is kept as long, even if its message is older than `messages`.
    """

    messages: timedelta
    waiting_receipts: timedelta
    audit: timedelta
    families: timedelta
    scores: timedelta
    reachable: timedelta


def delete_old_data(engine: Engine, periods: Periods, *, now: datetime, sync_engine: Engine | None = None) -> int:
    """Delete everything that is older than its period, and return how many rows.

    Families are left for the next night while a sync runs; only one process does this at a time.
    """
    with advisory_lock(engine, _LOCK) as lock:
        if lock is None:
            return 0
        count = _delete_messages(engine, now - periods.messages, counts_since=now - periods.reachable)
        for statement, before in _old_rows(periods, now):
            count += _in_batches(engine, statement, before=before)
        return count + families.erase_left_families(engine, sync_engine or engine, now - periods.families, now=now)


# A delivery that decided the status of a number is kept as long as the number: it says why the number is on the list.
_OLD_MESSAGES = text("""
SELECT id FROM mass_messages m WHERE sent_at < :before AND settled_at IS NOT NULL
ORDER BY sent_at, id
""")
_IS_DECIDING = "EXISTS (SELECT FROM phone_numbers n WHERE n.phone = d.phone AND n.delivery_id = d.id)"
# So is the last one that was delivered to a number while it counts as reached by it.
_IS_LAST_DELIVERED = """d.outcome = 'delivered' AND m.sent_at >= :counts_since AND NOT EXISTS (
            SELECT FROM deliveries later JOIN mass_messages n ON n.id = later.mass_message_id
            WHERE later.phone = d.phone AND later.outcome = 'delivered' AND n.settled_at IS NOT NULL AND n.silent_at IS NULL
              AND (n.sent_at, later.id) > (m.sent_at, d.id)
        )"""
_DELIVERIES = text(f"""
WITH old AS (
    DELETE FROM deliveries WHERE id IN (
        SELECT d.id FROM deliveries d JOIN mass_messages m ON m.id = d.mass_message_id
        WHERE d.mass_message_id = :message AND NOT {_IS_DECIDING} AND NOT ({_IS_LAST_DELIVERED}) LIMIT :batch
    ) RETURNING provider, provider_id
),
their_receipts AS (
    DELETE FROM receipts r USING old WHERE r.provider = old.provider AND r.provider_id = old.provider_id RETURNING r.id
)
SELECT (SELECT count(*) FROM old), (SELECT count(*) FROM their_receipts)
""")
_LIST_CHANGES = text("""
WITH old AS (
    DELETE FROM list_changes WHERE (mass_message_id, contact_id) IN (
        SELECT mass_message_id, contact_id FROM list_changes WHERE mass_message_id = :message LIMIT :batch
    ) RETURNING 1
)
SELECT count(*), 0 FROM old
""")
_MESSAGE = text("""
DELETE FROM mass_messages m WHERE id = :message AND NOT EXISTS (SELECT FROM deliveries d WHERE d.mass_message_id = m.id)
RETURNING id
""")


def _delete_messages(engine: Engine, before: datetime, *, counts_since: datetime) -> int:
    with transaction(engine) as session:
        messages = session.scalars(_OLD_MESSAGES, {"before": before}).all()
    count = 0
    for message in messages:
        params = {"message": message, "batch": _BATCH, "counts_since": counts_since}
        for statement in (_DELIVERIES, _LIST_CHANGES):
            count += _repeat(engine, partial(_delete_of_message, statement=statement, params=params))
        with transaction(engine) as session:
            count += len(session.execute(_MESSAGE, {"message": message}).all())
    return count


def _delete_of_message(session: Session, *, statement: TextClause, params: Mapping[str, Any]) -> tuple[int, int]:
    lock_receipts(session, params["message"])
    rows, more = session.execute(statement, params).one()
    return rows, more


def _old_rows(periods: Periods, now: datetime) -> list[tuple[str, datetime]]:
    """Return what else is deleted: a table with its condition, and the time before which rows are old."""
    messages, audit = now - periods.messages, now - periods.audit
    return [
        ("receipts WHERE applied_at IS NULL AND received_at < :before", now - periods.waiting_receipts),
        ("opt_out_texts WHERE received_at < :before", messages),
        # The last complete sync says how far the SIS was read.
        (
            "sync_runs WHERE finished_at < :before AND id < (SELECT max(id) FROM sync_runs WHERE state = 'done' AND is_whole)",
            messages,
        ),
        ("wrong_person_notices WHERE recorded_at < :before", messages),
        ("weekly_posts WHERE week < :before", messages),
        ("slack_users WHERE checked_at < :before", messages),
        ("home_tabs WHERE opened_at < :before", messages),
        ("audit WHERE at < :before", audit),
        (
            """edits e WHERE state NOT IN ('pending', 'conflict') AND coalesce(sis_at, made_at) < :before
            AND NOT EXISTS (SELECT FROM edits later WHERE later.replaces_id = e.id)""",
            audit,
        ),
        # Numbers that the contact had, and of which no edit is left.
        (
            """tried_numbers t WHERE coalesce(proved_at < :before, true)
            AND NOT EXISTS (SELECT FROM edits e WHERE e.contact_id = t.contact_id AND e.value = t.phone)
            AND NOT EXISTS (SELECT FROM contacts c WHERE c.id = t.contact_id AND c.sis_phone = t.phone)""",
            audit,
        ),
        ("removals WHERE undone_at < :before", audit),
        ("reachability_scores WHERE day < :before", now - periods.scores),
    ]


def _in_batches(engine: Engine, rows: str, *, before: datetime) -> int:
    table = rows.partition(" ")[0]
    statement = text(f"""
    DELETE FROM {table} WHERE ctid = ANY (ARRAY(SELECT ctid FROM {rows} LIMIT :batch FOR UPDATE SKIP LOCKED))
    """)

    def delete(session: Session) -> tuple[int, int]:
        return session.connection().execute(statement, {"before": before, "batch": _BATCH}).rowcount, 0

    return _repeat(engine, delete)


def _repeat(engine: Engine, delete: Callable[[Session], tuple[int, int]]) -> int:
    """Delete in batches until none is full; `delete` returns how many of its batch, and how many more rows with them."""
    count = 0
    while True:
        with transaction(engine) as session:
            rows, more = delete(session)
        count += rows + more
        if rows < _BATCH:
            return count
