"""What waits to be sent, whatever it is: whoever is due first goes first, to one process, and only that says what became of it."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select, text

from bot.db import outbox
from bot.db.models.downloads import Download
from bot.db.models.messages import MassMessage
from bot.db.models.notices import SyncNotice
from bot.db.models.roster import SyncRun
from bot.db.models.slack import DigestPost
from bot.db.session import transaction

LEASE = timedelta(minutes=2)
SOON = timedelta(seconds=1)


def digest_post(now):
    message = MassMessage(id="dismissal", title="Early dismissal", sent_at=now)
    return [message], {"mass_message_id": "dismissal", "channel_id": "C0"}


def sync_notice(now):
    return [SyncRun(source="export", started_at=now)], {
        "sync_run_id": 1,
        "kind": "report",
        "reader": "dana@example.com",
    }


def download(now):
    return [], {"user_id": "UDANA", "filter_text": "", "opened_at": now}


TABLES = {
    DigestPost: ("channel_id", digest_post),
    SyncNotice: ("reader", sync_notice),
    Download: ("user_id", download),
}


@pytest.fixture(params=TABLES, ids=lambda table: table.__tablename__)
def table(request):
    return request.param


@pytest.fixture
def waits(session, table, now):
    """Puts a row on its way, due so long ago."""
    distinct, made_of = TABLES[table]
    ground, values = made_of(now)
    session.add_all(ground)
    session.flush()

    def put(name, *, due=now):
        row = table(**values | {distinct: name, "state": "pending", "due_at": due})
        session.add(row)
        session.commit()
        return row.id

    return put


def claim(session, table, now):
    return outbox.claim_row(session, table, outbox.is_due(table, now=now), now=now)


def test_what_is_due_longest_is_taken_first_and_what_is_not_due_is_left(session, table, now, waits):
    later, soonest, not_yet = waits("B", due=now - SOON), waits("A", due=now - 2 * SOON), waits("C", due=now + SOON)
    session.execute(
        text("SET LOCAL enable_indexscan = off")
    )  # An index would have them in the right order, asked or not.
    session.execute(text("SET LOCAL enable_bitmapscan = off"))
    assert [claim(session, table, now).id for _ in range(2)] == [soonest, later]
    assert claim(session, table, now) is None
    assert claim(session, table, now + SOON).id == not_yet


def test_two_processes_never_take_the_same(session, engine, table, now, waits):
    first, second = waits("A"), waits("B")
    with transaction(engine) as elsewhere:
        assert claim(elsewhere, table, now).id == first
        session.execute(text("SET LOCAL lock_timeout = '2s'"))
        assert claim(session, table, now).id == second
        assert claim(session, table, now) is None


def test_a_claim_has_lapsed_when_it_is_as_old_as_a_lease(session, table, now, waits):
    waits("A")
    claim(session, table, now)
    lapsed = select(func.count()).select_from(table)
    for age, number in ((LEASE - SOON, 0), (LEASE, 1)):
        assert session.scalar(lapsed.where(outbox.lease_expired(table, now=now + age, lease=LEASE))) == number


def test_whoever_lost_a_row_to_another_says_nothing_of_it_any_more(session, table, now, waits):
    waits("A")
    mine = claim(session, table, now)
    session.expunge(mine)
    assert outbox.holds_lease(session, mine)
    theirs = outbox.claim_row(
        session, table, outbox.lease_expired(table, now=now + LEASE, lease=LEASE), now=now + LEASE
    )
    assert (outbox.holds_lease(session, mine), outbox.holds_lease(session, theirs)) == (False, True)
    assert not outbox.complete(session, mine, state="failed")
    assert session.scalar(select(table.state)) == "claimed"
    assert outbox.complete(session, theirs, state="failed")
    assert session.scalar(select(table.state)) == "failed"


def test_of_a_row_that_is_claimed_no_more_nothing_is_said(session, table, now, waits):
    waits("A")
    row = claim(session, table, now)
    assert outbox.complete(session, row, state="failed")
    assert not outbox.holds_lease(session, row)
    assert not outbox.complete(session, row, state="pending")
    assert outbox.complete(session, row, of=("failed",), state="pending")
