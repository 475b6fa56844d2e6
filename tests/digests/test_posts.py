"""The outbox of digests: one post for each (mass message, channel), never two, whatever crashes."""

from datetime import timedelta
from threading import Barrier, Thread

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from support import edits, people
from support import mass_messages as messages

from bot.access.rights import AccessLevel
from bot.db import outbox
from bot.db.models.messages import Delivery, MassMessage
from bot.db.models.slack import DigestPost
from bot.db.outbox import LEASE
from bot.digests.posts import (
    claim_ambiguous,
    claim_post,
    claim_refresh,
    enqueue_digests,
    enqueue_fix_thanks,
    enqueue_preliminary,
    mark_posted,
    mark_refreshed,
    mark_unclear,
)
from bot.digests.report import load_digest
from bot.digests.subscriptions import subscribe_channel, unsubscribe_channel
from bot.mass_messages.settle import settle_message

SECOND = timedelta(seconds=1)
LATER = timedelta(minutes=5)
HALF_AN_HOUR = timedelta(minutes=30)
DAY = timedelta(days=1)
OFFICE, LOUNGE = "C0OFFICE", "C0LOUNGE"


@pytest.fixture
def maria(session):
    return people.contact(session, people.student(session))


@pytest.fixture
def sent(session, now, maria):
    """A final message; the office subscribed before it."""
    subscribe_channel(session, OFFICE, actor="UCLARA", now=now - LATER)
    message_id, _ = messages.send(session, {maria: "blocked"}, now=now, message_id="dismissal")
    return message_id


@pytest.fixture
def post(session, now, sent):
    """The office's digest, just claimed."""
    enqueue_digests(session, sent, now=now)
    return claim_post(session, now=now)


def state_of(session, post):
    session.flush()
    session.refresh(post)
    return post.state


def posts(session):
    rows = select(DigestPost.mass_message_id, DigestPost.channel_id, DigestPost.state)
    return sorted(tuple(row) for row in session.execute(rows))


def mark_as_posted(session, post, *, shown_at=None):
    return mark_posted(session, post, ts="1795446000.000100", text="1 not delivered", shown_at=shown_at)


def test_each_channel_gets_one_digest_however_often_it_is_enqueued(session, now, sent):
    subscribe_channel(session, LOUNGE, actor="UANA", now=now)
    assert [enqueue_digests(session, sent, now=now) for _ in range(3)] == [2, 0, 0]
    assert posts(session) == [(sent, LOUNGE, "pending"), (sent, OFFICE, "pending")]


def test_each_message_has_its_own_digest(session, now, maria, sent):
    enqueue_digests(session, sent, now=now)
    other, _ = messages.send(session, {maria: "blocked"}, now=now + LATER, message_id="snow")
    assert enqueue_digests(session, other, now=now + LATER) == 1
    assert posts(session) == [(sent, OFFICE, "pending"), (other, OFFICE, "pending")]


def test_late_subscription_starts_with_the_next_message(session, now, sent):
    subscribe_channel(session, LOUNGE, actor="UANA", now=now + SECOND)
    enqueue_digests(session, sent, now=now + LATER)
    assert posts(session) == [(sent, OFFICE, "pending")]


def test_unsubscribing_deletes_pending_posts(session, now, sent):
    subscribe_channel(session, LOUNGE, actor="UANA", now=now)
    enqueue_digests(session, sent, now=now)
    unsubscribe_channel(session, LOUNGE, actor="UANA", now=now)
    assert posts(session) == [(sent, OFFICE, "pending")]


def test_unsubscribing_keeps_a_claimed_post(session, now, sent, post):
    unsubscribe_channel(session, OFFICE, actor="UANA", now=now)
    assert posts(session) == [(sent, OFFICE, "claimed")]


def test_claimed_post_is_not_claimed_again(session, now, post):
    assert (post.state, post.attempts, post.claimed_at) == ("claimed", 1, now)
    assert claim_post(session, now=now + SECOND) is None


def test_posts_are_claimed_by_due_date(session, now, sent):
    subscribe_channel(session, LOUNGE, actor="UANA", now=now)
    enqueue_digests(session, sent, now=now)
    first = claim_post(session, now=now)
    outbox.retry(session, first, due_at=now + LATER)
    second = claim_post(session, now=now)
    outbox.retry(session, second, due_at=now + LATER - SECOND)
    assert claim_post(session, now=now + SECOND) is None
    assert claim_post(session, now=now + LATER).id == second.id


def test_posted_digest_keeps_its_place_and_text(session, now, post):
    assert mark_as_posted(session, post, shown_at=now)
    assert state_of(session, post) == "posted"
    assert (post.ts, post.posted_text, post.shown_at) == ("1795446000.000100", "1 not delivered", now)
    assert claim_post(session, now=now + LATER) is None


def test_failed_post_keeps_its_error_and_is_not_retried(session, now, post):
    assert outbox.fail(session, post, error="is_archived")
    assert (state_of(session, post), post.error) == ("failed", "is_archived")
    assert not outbox.retry(session, post, due_at=now)
    assert claim_post(session, now=now + LATER) is None
    assert claim_ambiguous(session, now=now + LATER) is None


def test_retry_waits_until_due_and_keeps_the_key(session, now, post):
    assert outbox.retry(session, post, due_at=now + LATER, error="ratelimited")
    assert claim_post(session, now=now + LATER - SECOND) is None
    again = claim_post(session, now=now + LATER)
    assert (again.id, again.attempts, again.key) == (post.id, 2, post.key)


def test_unclear_post_is_looked_up_after_it_had_time_to_appear(session, now, post):
    assert mark_unclear(session, post, error="timeout", now=now)
    assert claim_ambiguous(session, now=now + SECOND) is None
    found = claim_ambiguous(session, now=now + LATER)
    assert (found.id, found.state) == (post.id, "ambiguous")
    assert claim_ambiguous(session, now=now + LATER + SECOND) is None
    assert mark_as_posted(session, found)
    assert state_of(session, post) == "posted"


def test_ambiguous_post_is_never_claimed_for_sending(session, now, post):
    mark_unclear(session, post, error="timeout", now=now)
    for minutes in (1, 10, 60, 24 * 60):
        assert claim_post(session, now=now + timedelta(minutes=minutes)) is None
    assert state_of(session, post) == "ambiguous"


def test_ambiguous_post_that_was_not_found_is_sent_again(session, now, post):
    mark_unclear(session, post, error="timeout", now=now)
    found = claim_ambiguous(session, now=now + LATER)
    assert outbox.retry(session, found, due_at=now + LATER)
    assert claim_post(session, now=now + LATER).attempts == 2


def test_expired_lease_leaves_the_post_ambiguous(session, now, post):
    assert claim_post(session, now=now + LEASE - SECOND) is None
    assert state_of(session, post) == "claimed"
    assert claim_post(session, now=now + LEASE) is None
    assert state_of(session, post) == "ambiguous"


def test_expired_post_has_time_to_appear_before_it_is_looked_up(session, now, post):
    claim_post(session, now=now + LEASE)
    assert claim_ambiguous(session, now=now + LEASE + SECOND) is None
    assert claim_ambiguous(session, now=now + LATER).id == post.id


def test_lease_is_lost_on_expiry_and_stays_lost(session, now, post):
    session.expunge(post)
    assert outbox.holds_lease(session, post)
    claim_post(session, now=now + LEASE)
    assert not outbox.holds_lease(session, post)
    outbox.retry(session, claim_ambiguous(session, now=now + LATER), due_at=now + LATER)
    again = claim_post(session, now=now + LATER)
    assert (outbox.holds_lease(session, post), outbox.holds_lease(session, again)) == (False, True)


def test_late_worker_may_still_store_that_it_posted(session, now, post):
    claim_post(session, now=now + LEASE)
    assert mark_as_posted(session, post)
    assert state_of(session, post) == "posted"


def test_late_worker_changes_nothing_after_a_second_attempt(session, now, post):
    session.expunge(post)
    claim_post(session, now=now + LEASE)
    found = claim_ambiguous(session, now=now + LATER)
    outbox.retry(session, found, due_at=now + LATER)
    again = claim_post(session, now=now + LATER)
    for late in (
        mark_as_posted(session, post),
        outbox.fail(session, post, error="is_archived"),
        mark_unclear(session, post, error="timeout", now=now),
        outbox.retry(session, post, due_at=now),
    ):
        assert not late
    assert state_of(session, again) == "claimed"


def test_digest_is_refreshed_for_news_at_most_once_a_minute(session, now, sent, post):
    mark_as_posted(session, post, shown_at=load_digest(session, sent, today=people.TODAY).learned_at)
    assert claim_refresh(session, now=now + LATER) is None
    delivery = session.scalars(select(Delivery)).one()
    messages.report(session, delivery.provider_id, now=now + LATER)
    digest = load_digest(session, sent, today=people.TODAY)
    claimed = claim_refresh(session, now=now + LATER)
    assert claimed.id == post.id
    assert claim_refresh(session, now=now + LATER + SECOND) is None
    assert mark_refreshed(session, claimed, text="1 delivered", shown_at=digest.learned_at)
    assert claim_refresh(session, now=now + 2 * LATER) is None
    assert (state_of(session, post), post.posted_text, post.attempts) == ("posted", "1 delivered", 1)


def test_crashed_refresh_is_repeated_after_a_minute(session, now, sent, post):
    mark_as_posted(session, post)
    assert claim_refresh(session, now=now + LATER) is not None
    assert claim_refresh(session, now=now + LATER + timedelta(minutes=1)) is not None


def test_digest_of_an_older_message_is_not_refreshed(session, now, maria, post):
    mark_as_posted(session, post, shown_at=now - SECOND)
    messages.send(session, {maria: "blocked"}, now=now + SECOND, message_id="snow")
    assert claim_refresh(session, now=now + LATER) is None


@pytest.mark.parametrize("state", ["pending", "ambiguous", "failed"])
def test_only_posted_digests_are_refreshed(session, now, post, state):
    changed = {
        "pending": lambda: outbox.retry(session, post, due_at=now + timedelta(days=1)),
        "ambiguous": lambda: mark_unclear(session, post, error="timeout", now=now),
        "failed": lambda: outbox.fail(session, post, error="is_archived"),
    }
    assert changed[state]()
    assert claim_refresh(session, now=now + LATER) is None
    assert not mark_refreshed(session, post, text="anything", shown_at=None)


@pytest.fixture
def not_final(session, now, maria):
    """A message sent just now, without receipts; the office subscribed before it."""
    subscribe_channel(session, OFFICE, actor="UCLARA", now=now - LATER)
    message_id, _ = messages.send(session, {maria: None}, now=now, message_id="dismissal", settled=False)
    return message_id


def preliminary(session, now, *, after=HALF_AN_HOUR):
    return enqueue_preliminary(session, now=now, after=after)


def test_message_that_takes_long_gets_one_preliminary_digest(session, now, not_final):
    session.execute(update(MassMessage).values(registered_at=now))
    assert preliminary(session, now + HALF_AN_HOUR - SECOND) == 0
    assert [preliminary(session, now + HALF_AN_HOUR) for _ in range(2)] == [1, 0]
    settle_message(session, not_final, now=now + 2 * HALF_AN_HOUR)
    assert enqueue_digests(session, not_final, now=now + 2 * HALF_AN_HOUR) == 0
    assert posts(session) == [(not_final, OFFICE, "pending")]


def test_final_or_empty_message_gets_no_preliminary_digest(session, now, sent):
    messages.register(session, messages.a_message(sent_at=now, message_id="empty"), now=now)
    assert preliminary(session, now + timedelta(hours=9)) == 0


def test_late_registration_delays_the_preliminary_digest(session, now, not_final):
    late = now + timedelta(hours=9)
    session.execute(update(MassMessage).values(registered_at=late))
    assert preliminary(session, late + HALF_AN_HOUR - SECOND) == 0
    assert preliminary(session, late + HALF_AN_HOUR) == 1


def test_subscription_after_the_preliminary_digest_gets_the_final_one(session, now, not_final):
    subscribe_channel(session, LOUNGE, actor="UANA", now=now + HALF_AN_HOUR + SECOND)
    assert preliminary(session, now + 2 * HALF_AN_HOUR) == 1
    settle_message(session, not_final, now=now + DAY)
    assert enqueue_digests(session, not_final, now=now + DAY) == 1


@pytest.mark.parametrize(("age", "pause"), [(5, 1), (30, 3), (300, 30), (6000, 60)])
def test_preliminary_digest_is_refreshed_after_a_tenth_of_its_age(session, now, not_final, age, pause):
    preliminary(session, now + timedelta(minutes=age), after=timedelta())
    then = now + timedelta(minutes=age)
    mark_as_posted(session, claim_post(session, now=then))
    assert claim_refresh(session, now=then + timedelta(minutes=pause) - SECOND) is None
    assert claim_refresh(session, now=then + timedelta(minutes=pause) * 1.2) is not None


def test_preliminary_digest_becomes_final_behind_a_newer_message(session, now, maria, not_final):
    preliminary(session, now + DAY, after=timedelta())
    mark_as_posted(session, claim_post(session, now=now + DAY))
    messages.send(session, {maria: "blocked"}, now=now + SECOND, message_id="snow")
    settle_message(session, not_final, now=now + DAY)
    digest = load_digest(session, not_final, today=people.TODAY)
    claimed = claim_refresh(session, now=now + DAY + timedelta(minutes=1))
    assert mark_refreshed(session, claimed, text="1 not delivered", shown_at=digest.learned_at)
    assert claim_refresh(session, now=now + 2 * DAY) is None


@pytest.fixture
def thanks(session, now, maria):
    """The thanks to Clara for a number that she changed, just claimed."""
    clara = people.actor_of(
        people.staff(session, "Clara", "Clerk", role="districtAdministrator"), level=AccessLevel.DISTRICT
    )
    people.list_contact(session, maria)
    edits.change(session, maria, phone="(312) 555-9001", actor=clara, now=now)
    delivery = messages.a_delivery(maria, to="+13125559001")
    messages.register(session, messages.a_message(delivery, sent_at=now, message_id="snow"), now=now)
    messages.report(session, delivery["provider_id"], now=now)
    settle_message(session, "snow", now=now)
    assert [enqueue_fix_thanks(session, "snow", now=now) for _ in range(2)] == [1, 0]
    post = claim_post(session, now=now)
    assert (post.kind, post.channel_id) == ("fixes", clara.user_id)
    return post


def test_unclear_thanks_are_given_up(session, now, thanks):
    assert mark_unclear(session, thanks, error="timeout", now=now)
    assert state_of(session, thanks) == "failed"


def test_thanks_of_a_crashed_worker_are_given_up(session, now, thanks):
    assert claim_post(session, now=now + LEASE) is None
    assert state_of(session, thanks) == "failed"
    assert claim_ambiguous(session, now=now + 2 * LEASE) is None


def test_thanks_are_never_refreshed(session, now, thanks):
    mark_as_posted(session, thanks)
    assert claim_refresh(session, now=now + DAY) is None


def claim_concurrently(engine, claim, workers=2):
    """Claim in several threads at the same moment; return the ids of the posts."""
    barrier, ids = Barrier(workers, timeout=10), []

    def run():
        with Session(engine) as session:
            barrier.wait()
            post = claim(session)
            ids.append(post and post.id)
            barrier.wait()
            session.commit()

    threads = [Thread(target=run) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return ids


CLAIMS = {
    "claim_post": ("pending", claim_post),
    "claim_ambiguous": ("ambiguous", claim_ambiguous),
    "claim_refresh": ("posted", claim_refresh),
}


@pytest.mark.parametrize("kind", CLAIMS)
def test_of_two_concurrent_claims_one_gets_the_post(session, engine, now, post, kind):
    post.state, claim = CLAIMS[kind]
    post.due_at = now
    session.commit()
    claimed = claim_concurrently(engine, lambda own: claim(own, now=now + LATER))
    assert sorted(claimed, key=str) == [post.id, None]


def test_two_concurrent_claims_get_different_posts(session, engine, now, sent):
    subscribe_channel(session, LOUNGE, actor="UANA", now=now)
    enqueue_digests(session, sent, now=now)
    session.commit()
    claimed = claim_concurrently(engine, lambda own: claim_post(own, now=now))
    assert sorted(claimed) == sorted(session.scalars(select(DigestPost.id)))
