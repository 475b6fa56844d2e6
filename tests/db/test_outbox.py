"""The outbox of every table: rows are claimed in order by one worker, and only the lease holder may complete them."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text

from bot.db import outbox
from bot.db.models.downloads import Download
from bot.db.models.messages import MassMessage
from bot.db.models.notices import AdminNotice, SyncNotice
from bot.db.models.roster import SyncRun
from bot.db.models.slack import DigestPost
from bot.db.session import transaction

LEASE = timedelta(minutes=2)
SECOND = timedelta(seconds=1)


def digest_post(now):
    message = MassMessage(id="dismissal", title="Early dismissal", sent_at=now)
    return message, {"mass_message_id": "dismissal", "channel_id": "C0"}


def sync_notice(now):
    return SyncRun(source="export", started_at=now), {"sync_run_id": 1, "kind": "report", "reader": "dana@example.com"}


def admin_notice(now):
    return None, {"kind": "refused", "about": "twilio", "reader": "dana@example.com", "made_at": now}


def download(now):
    return None, {"user_id": "UDANA", "filter_text": "", "opened_at": now}


# The column that differs between two rows, and the other values.
TABLES = {
    DigestPost: ("channel_id", digest_post),
    SyncNotice: ("reader", sync_notice),
    Download: ("user_id", download),
    AdminNotice: ("reader", admin_notice),
}


@pytest.fixture(params=TABLES, ids=lambda table: table.__tablename__)
def table(request):
    return request.param


@pytest.fixture
def enqueue(session, table, now):
    """Adds a pending row and returns its id."""
    distinct, build = TABLES[table]
    parent, values = build(now)
    if parent:
        session.add(parent)
        session.flush()

    def add(name, *, due=now):
        row = table(**values | {distinct: name, "state": "pending", "due_at": due})
        session.add(row)
        session.commit()
        return row.id

    return add


def claim(session, table, now, *, on_expiry="failed"):
    return outbox.claim(session, table, now=now, lease=LEASE, on_expiry={"state": on_expiry})


def state(session, table):
    return session.scalar(select(table.state))


def test_rows_are_claimed_by_due_date(session, table, now, enqueue):
    later, first, not_due = (
        enqueue("B", due=now - SECOND),
        enqueue("A", due=now - 2 * SECOND),
        enqueue("C", due=now + SECOND),
    )
    # An index would return them in the right order even without ORDER BY.
    session.execute(text("SET LOCAL enable_indexscan = off"))
    session.execute(text("SET LOCAL enable_bitmapscan = off"))
    assert [claim(session, table, now).id for _ in range(2)] == [first, later]
    assert claim(session, table, now) is None
    assert claim(session, table, now + SECOND).id == not_due


def test_two_workers_never_claim_the_same_row(session, engine, table, now, enqueue):
    first, second = enqueue("A"), enqueue("B")
    with transaction(engine) as other_worker:
        assert claim(other_worker, table, now).id == first
        session.execute(text("SET LOCAL lock_timeout = '2s'"))
        assert claim(session, table, now).id == second
        assert claim(session, table, now) is None


def test_lease_expires_after_its_time(session, table, now, enqueue):
    enqueue("A")
    claim(session, table, now)
    claim(session, table, now + LEASE - SECOND)
    assert state(session, table) == "claimed"
    assert claim(session, table, now + LEASE) is None
    assert state(session, table) == "failed"


def test_worker_that_lost_its_lease_stores_nothing(session, table, now, enqueue):
    enqueue("A")
    lost = claim(session, table, now)
    session.expunge(lost)
    assert outbox.holds_lease(session, lost)
    current = claim(session, table, now + LEASE, on_expiry="pending")
    assert (outbox.holds_lease(session, lost), outbox.holds_lease(session, current)) == (False, True)
    assert not outbox.fail(session, lost)
    assert state(session, table) == "claimed"
    assert outbox.fail(session, current)
    assert state(session, table) == "failed"


def test_completed_row_is_not_completed_again(session, table, now, enqueue):
    enqueue("A")
    row = claim(session, table, now)
    assert outbox.fail(session, row)
    assert not outbox.holds_lease(session, row)
    assert not outbox.retry(session, row, due_at=now)
    assert outbox.complete(session, row, "pending", from_states=("failed",))
