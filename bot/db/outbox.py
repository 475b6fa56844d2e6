"""Transactional outbox. A worker leases a row; only the current lease holder may complete it.

The claim is committed before anything is sent. A crash after claiming leaves the row unclear, and so does a lost answer:
it may have been sent. An ambiguous digest is looked up in its channel or reported, never doubled.

A notice about the wrong person (`wrong_person_notices`) is `new` until its readers are found, and never sent again once unclear.

                          digest               fix thanks     download                  sync notice
    table                 digest_posts         digest_posts   downloads                 sync_notices
    dialog is open        -                    -              draft                     -
    waits until due_at    pending              pending        pending                   pending
    leased                claimed, 2 min       claimed, 2 min claimed, 15 min           claimed, 2 min
    sent                  posted, refreshed    posted         sent                      sent
    our token refused     pending              pending        pending                   pending
    Slack says later      pending              pending        pending                   pending
    Slack refused         failed, reported     failed         failed, reported          failed
    5xx or no answer      ambiguous, 30 s      failed         pending: the file that    ambiguous, 30 s
                                                              may be there is deleted
    unclear               ambiguous, 30 s      failed         pending, the same         ambiguous, 30 s
    no email server       -                    -              pending, 5 times: sent    -
                                                              with one Message-ID
    ambiguous, found      posted               -              -                         sent
    ambiguous, not found  pending              -              -                         pending
    ambiguous, no answer  failed, reported     -              -                         failed; report of a
                                                                                        held sync: pending

Weekly reports (`weekly_posts`) go as digests do, but are not refreshed. Notices to administrators (`admin_notices`) go as those of
syncs. Cards about texts, teachers' questions, and their answers go as fix thanks do. A bulk change (`bulk_changes`), the import of a
report (`report_imports`), and a write to the SIS (`sis_writes`) are leased while they are done, and again for their answers. The dialog
of a code at the counter (`counter_codes`) may be redrawn twice.

The words of Slack are in `bot.slack.kit.api_errors`. After "our token refused" and "later" every outbox pauses (`pause`); the row
that failed is due last, so that it never holds up the others.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from bot.db.models.outbox import OutboxRow, OutboxState
from bot.db.models.slack import SlackPause

Row = TypeVar("Row", bound=OutboxRow)

# Longer than a call to Slack waits for its answer: a post that Slack accepted is visible in the channel by then. The clocks of
# two machines may differ, too, so that a lease seems expired while the request is still under way.
LANDING_TIME = timedelta(seconds=30)
# Longer than the one or two calls to Slack of an attempt take.
LEASE = timedelta(minutes=2)
IN_FLIGHT = (OutboxState.CLAIMED, OutboxState.AMBIGUOUS)


def claim(
    session: Session, table: type[Row], *, now: datetime, lease: timedelta = LEASE, on_expiry: Mapping[str, Any]
) -> Row | None:
    """Lease the pending row that is due first, or return None; commit before sending it.

    Rows whose lease has expired get the values `on_expiry` first: their worker crashed or hangs. `lease` must be longer than
    sending one row can take.
    """
    expired = update(table).where(table.state == OutboxState.CLAIMED, table.claimed_at <= now - lease)
    session.execute(
        expired.values(**on_expiry, **first_due(table, on_expiry)), execution_options={"synchronize_session": False}
    )
    due = select(table.id).where(table.state == OutboxState.PENDING, table.due_at <= now)
    values = {"state": OutboxState.CLAIMED, "claimed_at": now, "attempts": table.attempts + 1}
    return claim_first(session, due.order_by(table.due_at, table.id), table, values)


def claim_first(session: Session, ids: Select[int], table: type[Row], values: Mapping[str, Any]) -> Row | None:
    """Give these values to the first of the rows `ids` that no other transaction is claiming, and return it."""
    first = ids.limit(1).with_for_update(skip_locked=True, of=table).scalar_subquery()
    claimed = update(table).where(table.id == first).values(values).returning(table)
    return session.scalar(claimed, execution_options={"populate_existing": True})


def claim_ambiguous(session: Session, table: type[Row], *, now: datetime) -> Row | None:
    """Return the next ambiguous row to look up; no other worker gets it for `LEASE`."""
    due = select(table.id).where(table.state == OutboxState.AMBIGUOUS, table.due_at <= now)
    values = {"due_at": now + LEASE}
    return claim_first(session, due.order_by(table.due_at, table.id), table, values | first_due(table, values))


def holds_lease(session: Session, row: OutboxRow) -> bool:
    """Check that the row is still in the attempt in which this worker claimed it; ask right before sending."""
    table = type(row)
    current = select(table.id).where(
        table.id == row.id, table.attempts == row.attempts, table.state == OutboxState.CLAIMED
    )
    return session.scalar(current) is not None


def complete(
    session: Session,
    row: OutboxRow,
    state: str | ColumnElement[str],
    *,
    from_states: tuple[str, ...] = IN_FLIGHT,
    **values: Any,
) -> bool:
    """Store the outcome of the attempt in which this worker claimed the row. Return False, and change nothing, if it lost it."""
    table = type(row)
    current = update(table).where(table.id == row.id, table.attempts == row.attempts, table.state.in_(from_states))
    values |= first_due(table, values)
    return session.scalar(current.values(state=state, **values).returning(table.id)) is not None


def first_due(table: type[OutboxRow], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the value that keeps when a row was first due, if these values move `due_at`."""
    return {"first_due_at": func.coalesce(table.first_due_at, table.due_at)} if "due_at" in values else {}


def retry(session: Session, row: OutboxRow, *, due_at: datetime, **values: Any) -> bool:
    """Put the row back: it surely was not sent, or it is better sent twice than never."""
    return complete(session, row, OutboxState.PENDING, due_at=due_at, **values)


def pause(session: Session, *, until: datetime) -> None:
    """Send nothing to Slack before `until`, from any outbox and any process."""
    values = {"until": func.greatest(SlackPause.until, until)}
    new = insert(SlackPause).values(until=until)
    session.execute(new.on_conflict_do_update(index_elements=[SlackPause.id], set_=values))


def is_paused(session: Session, *, now: datetime) -> bool:
    return session.scalar(select(SlackPause.id).where(SlackPause.until > now)) is not None


def fail(session: Session, row: OutboxRow, **values: Any) -> bool:
    return complete(session, row, OutboxState.FAILED, **values)
