"""Digests on their way to Slack: one for each (mass message, channel), never two, whoever dies on the way."""

from datetime import timedelta
from threading import Barrier, Thread

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from support import edits, people
from support import mass_messages as messages

from bot.access import Reach
from bot.db import outbox
from bot.db.models.messages import Delivery, MassMessage
from bot.db.models.slack import DigestPost
from bot.digests.posts import (
    LEASE,
    claim_ambiguous,
    claim_post,
    claim_refresh,
    enqueue_digests,
    enqueue_fix_thanks,
    enqueue_preliminary,
    mark_ambiguous,
    mark_failed,
    mark_posted,
    mark_refreshed,
    schedule_retry,
)
from bot.digests.report import load_digest
from bot.digests.subscriptions import subscribe_channel, unsubscribe_channel
from bot.mass_messages.settle import settle_message

SOON = timedelta(seconds=1)
LATER = timedelta(minutes=5)
HALF_AN_HOUR = timedelta(minutes=30)
DAY = timedelta(days=1)
OFFICE, LOUNGE = "C0OFFICE", "C0LOUNGE"


@pytest.fixture
def maria(session):
    return people.contact(session, people.student(session))


@pytest.fixture
def sent(session, now, maria):
    """A settled message that the office waits to hear of."""
    subscribe_channel(session, OFFICE, actor="UCLARA", now=now - LATER)
    message_id, _ = messages.sent(session, {maria: "blocked"}, now=now, message_id="dismissal")
    return message_id


@pytest.fixture
def post(session, now, sent):
    """The office's digest, claimed just now."""
    enqueue_digests(session, sent, now=now)
    return claim_post(session, now=now)


def stands(session, post):
    session.flush()
    session.refresh(post)
    return post.state


def posts(session):
    rows = select(DigestPost.mass_message_id, DigestPost.channel_id, DigestPost.state)
    return sorted(tuple(row) for row in session.execute(rows))


def post_it(session, post, **changes):
    said = {"ts": "1795446000.000100", "text": "Early dismissal: 1 not reached", "shown_at": None} | changes
    return mark_posted(session, post, **said)


def test_every_subscribed_channel_gets_one_however_often_it_is_put_there(session, now, sent):
    subscribe_channel(session, LOUNGE, actor="UANA", now=now)
    assert [enqueue_digests(session, sent, now=now) for _ in range(3)] == [2, 0, 0]
    assert posts(session) == [(sent, LOUNGE, "pending"), (sent, OFFICE, "pending")]


def test_each_message_has_its_own(session, now, maria, sent):
    enqueue_digests(session, sent, now=now)
    other, _ = messages.sent(session, {maria: "blocked"}, now=now + LATER, message_id="snow")
    assert enqueue_digests(session, other, now=now + LATER) == 1
    assert posts(session) == [(sent, OFFICE, "pending"), (other, OFFICE, "pending")]


def test_a_channel_that_asked_after_the_message_settled_hears_of_the_next_one(session, now, sent):
    subscribe_channel(session, LOUNGE, actor="UANA", now=now + SOON)
    enqueue_digests(session, sent, now=now + LATER)
    assert posts(session) == [(sent, OFFICE, "pending")]


def test_a_channel_that_left_hears_no_more_and_what_waited_for_it_is_gone(session, now, sent):
    subscribe_channel(session, LOUNGE, actor="UANA", now=now)
    enqueue_digests(session, sent, now=now)
    unsubscribe_channel(session, LOUNGE, actor="UANA", now=now)
    assert posts(session) == [(sent, OFFICE, "pending")]


def test_what_is_being_posted_when_the_channel_leaves_is_not_forgotten(session, now, sent, post):
    unsubscribe_channel(session, OFFICE, actor="UANA", now=now)
    assert posts(session) == [(sent, OFFICE, "claimed")]


def test_a_claimed_post_is_nobody_elses(session, now, post):
    assert (post.state, post.attempts, post.claimed_at) == ("claimed", 1, now)
    assert claim_post(session, now=now + SOON) is None


def test_nothing_is_claimed_before_it_is_due_and_the_longest_due_goes_first(session, now, sent):
    subscribe_channel(session, LOUNGE, actor="UANA", now=now)
    enqueue_digests(session, sent, now=now)
    first = claim_post(session, now=now)
    schedule_retry(session, first, now + LATER)
    second = claim_post(session, now=now)
    schedule_retry(session, second, now + LATER - SOON)
    assert claim_post(session, now=now + SOON) is None
    assert claim_post(session, now=now + LATER).id == second.id


def test_a_posted_digest_keeps_where_it_stands_and_what_it_says(session, now, post):
    assert post_it(session, post, shown_at=now)
    assert stands(session, post) == "posted"
    assert (post.ts, post.posted_text, post.shown_at) == ("1795446000.000100", "Early dismissal: 1 not reached", now)
    assert claim_post(session, now=now + LATER) is None


def test_a_refused_post_is_failed_for_good_with_slacks_word(session, now, post):
    assert mark_failed(session, post, error="is_archived")
    assert (stands(session, post), post.error) == ("failed", "is_archived")
    assert not schedule_retry(session, post, now)
    assert claim_post(session, now=now + LATER) is None
    assert claim_ambiguous(session, now=now + LATER) is None


def test_what_slack_surely_did_not_take_is_sent_again_when_slack_said_so(session, now, post):
    assert schedule_retry(session, post, now + LATER, error="ratelimited")
    assert claim_post(session, now=now + LATER - SOON) is None
    again = claim_post(session, now=now + LATER)
    assert (again.id, again.attempts, again.key) == (post.id, 2, post.key)


def test_a_post_whose_answer_was_lost_is_looked_for_once_it_has_had_time_to_land(session, now, post):
    assert mark_ambiguous(session, post, error="timeout", now=now)
    assert claim_ambiguous(session, now=now + SOON) is None
    found = claim_ambiguous(session, now=now + LATER)
    assert (found.id, found.state) == (post.id, "ambiguous")
    assert claim_ambiguous(session, now=now + LATER + SOON) is None
    assert post_it(session, found)
    assert stands(session, post) == "posted"


def test_an_ambiguous_post_is_never_simply_sent_again(session, now, post):
    mark_ambiguous(session, post, error="timeout", now=now)
    for minutes in (1, 10, 60, 24 * 60):
        assert claim_post(session, now=now + timedelta(minutes=minutes)) is None
    assert stands(session, post) == "ambiguous"


def test_an_ambiguous_post_that_is_not_in_the_channel_is_sent_again(session, now, post):
    mark_ambiguous(session, post, error="timeout", now=now)
    found = claim_ambiguous(session, now=now + LATER)
    assert schedule_retry(session, found, now + LATER)
    assert claim_post(session, now=now + LATER).attempts == 2


def test_a_claim_that_is_too_old_becomes_ambiguous_and_not_a_second_post(session, now, post):
    assert claim_post(session, now=now + LEASE - SOON) is None
    assert stands(session, post) == "claimed"
    assert claim_post(session, now=now + LEASE) is None
    assert stands(session, post) == "ambiguous"


def test_a_claim_that_ran_out_has_time_to_land_before_it_is_looked_for(session, now, post):
    claim_post(session, now=now + LEASE)
    assert claim_ambiguous(session, now=now + LEASE + SOON) is None
    assert claim_ambiguous(session, now=now + LATER).id == post.id


def test_a_claim_is_ours_until_it_is_given_up_and_not_again_when_somebody_else_takes_it(session, now, post):
    session.expunge(post)
    assert outbox.holds_lease(session, post)
    claim_post(session, now=now + LEASE)
    assert not outbox.holds_lease(session, post)
    schedule_retry(session, claim_ambiguous(session, now=now + LATER), now + LATER)
    again = claim_post(session, now=now + LATER)
    assert (outbox.holds_lease(session, post), outbox.holds_lease(session, again)) == (False, True)


def test_whoever_comes_back_late_may_still_say_that_it_was_posted(session, now, post):
    claim_post(session, now=now + LEASE)
    assert post_it(session, post)
    assert stands(session, post) == "posted"


def test_whoever_comes_back_after_somebody_else_sent_it_again_changes_nothing(session, now, post):
    session.expunge(post)
    claim_post(session, now=now + LEASE)
    found = claim_ambiguous(session, now=now + LATER)
    schedule_retry(session, found, now + LATER)
    again = claim_post(session, now=now + LATER)
    for late in (
        post_it(session, post),
        mark_failed(session, post, error="is_archived"),
        mark_ambiguous(session, post, error="timeout", now=now),
        schedule_retry(session, post, now),
    ):
        assert not late
    assert stands(session, again) == "claimed"


def test_a_posted_digest_is_refreshed_when_more_is_known_at_most_once_a_minute(session, now, sent, post):
    post_it(session, post, shown_at=load_digest(session, sent, today=people.TODAY).shown_at)
    assert claim_refresh(session, now=now + LATER) is None
    delivery = session.scalars(select(Delivery)).one()
    messages.told(session, delivery.provider_id, now=now + LATER)
    digest = load_digest(session, sent, today=people.TODAY)
    taken = claim_refresh(session, now=now + LATER)
    assert taken.id == post.id
    assert claim_refresh(session, now=now + LATER + SOON) is None
    assert mark_refreshed(session, taken, text="1 delivered", shown_at=digest.shown_at)
    assert claim_refresh(session, now=now + 2 * LATER) is None
    assert (stands(session, post), post.posted_text, post.attempts) == ("posted", "1 delivered", 1)


def test_a_refresh_that_died_is_made_again_after_a_minute(session, now, sent, post):
    post_it(session, post)
    assert claim_refresh(session, now=now + LATER) is not None
    assert claim_refresh(session, now=now + LATER + timedelta(minutes=1)) is not None


def test_the_digest_of_an_older_message_stays_as_it_was(session, now, maria, post):
    post_it(session, post, shown_at=now - SOON)
    messages.sent(session, {maria: "blocked"}, now=now + SOON, message_id="snow")
    assert claim_refresh(session, now=now + LATER) is None


@pytest.mark.parametrize("state", ["pending", "ambiguous", "failed"])
def test_only_what_is_posted_is_refreshed(session, now, post, state):
    changed = {
        "pending": lambda: schedule_retry(session, post, now + timedelta(days=1)),
        "ambiguous": lambda: mark_ambiguous(session, post, error="timeout", now=now),
        "failed": lambda: mark_failed(session, post, error="is_archived"),
    }
    assert changed[state]()
    assert claim_refresh(session, now=now + LATER) is None
    assert not mark_refreshed(session, post, text="anything", shown_at=None)


@pytest.fixture
def unsettled(session, now, maria):
    """A message sent just now, of which nothing is known, and the office that asked for digests."""
    subscribe_channel(session, OFFICE, actor="UCLARA", now=now - LATER)
    message_id, _ = messages.sent(session, {maria: None}, now=now, message_id="dismissal", settled=False)
    return message_id


def first_looks(session, now, *, after=HALF_AN_HOUR):
    return enqueue_preliminary(session, now=now, after=after)


def test_a_message_that_has_not_settled_in_time_gets_one_first_look(session, now, unsettled):
    session.execute(update(MassMessage).values(registered_at=now))
    assert first_looks(session, now + HALF_AN_HOUR - SOON) == 0
    assert [first_looks(session, now + HALF_AN_HOUR) for _ in range(2)] == [1, 0]
    settle_message(session, unsettled, now=now + 2 * HALF_AN_HOUR)
    assert enqueue_digests(session, unsettled, now=now + 2 * HALF_AN_HOUR) == 0
    assert posts(session) == [(unsettled, OFFICE, "pending")]


def test_a_message_that_has_settled_or_has_no_deliveries_gets_no_first_look(session, now, sent):
    messages.registered(session, messages.a_message(sent_at=now, message_id="empty"), now=now)
    assert first_looks(session, now + timedelta(hours=9)) == 0


def test_a_message_that_was_told_late_has_as_long_before_its_first_look(session, now, unsettled):
    late = now + timedelta(hours=9)
    session.execute(update(MassMessage).values(registered_at=late))
    assert first_looks(session, late + HALF_AN_HOUR - SOON) == 0
    assert first_looks(session, late + HALF_AN_HOUR) == 1


def test_a_channel_that_asks_after_the_first_look_gets_the_settled_digest_only(session, now, unsettled):
    subscribe_channel(session, LOUNGE, actor="UANA", now=now + HALF_AN_HOUR + SOON)
    assert first_looks(session, now + 2 * HALF_AN_HOUR) == 1
    settle_message(session, unsettled, now=now + DAY)
    assert enqueue_digests(session, unsettled, now=now + DAY) == 1


@pytest.mark.parametrize(("age", "pause"), [(5, 1), (30, 3), (300, 30), (6000, 60)])
def test_a_first_look_is_looked_over_in_a_tenth_of_the_messages_age(session, now, unsettled, age, pause):
    first_looks(session, now + timedelta(minutes=age), after=timedelta())
    then = now + timedelta(minutes=age)
    post_it(session, claim_post(session, now=then))
    assert claim_refresh(session, now=then + timedelta(minutes=pause) - SOON) is None
    assert claim_refresh(session, now=then + timedelta(minutes=pause) * 1.2) is not None


def test_a_first_look_shows_what_settled_a_minute_later_also_behind_a_newer_message(session, now, maria, unsettled):
    first_looks(session, now + DAY, after=timedelta())
    post_it(session, claim_post(session, now=now + DAY))
    messages.sent(session, {maria: "blocked"}, now=now + SOON, message_id="snow")
    settle_message(session, unsettled, now=now + DAY)
    digest = load_digest(session, unsettled, today=people.TODAY)
    taken = claim_refresh(session, now=now + DAY + timedelta(minutes=1))
    assert mark_refreshed(session, taken, text="1 not reached", shown_at=digest.shown_at)
    assert claim_refresh(session, now=now + 2 * DAY) is None


@pytest.fixture
def fixes(session, now, maria):
    """What Clara is to be told of a number that she changed, claimed just now."""
    clara = people.acting(people.staff(session, "Clara", "Clerk", role="districtAdministrator"), reach=Reach.DISTRICT)
    people.listed(session, maria)
    edits.change(session, maria, phone="(312) 555-9001", actor=clara, now=now)
    delivery = messages.a_delivery(maria, to="+13125559001")
    messages.registered(session, messages.a_message(delivery, sent_at=now, message_id="snow"), now=now)
    messages.told(session, delivery["provider_id"], now=now)
    settle_message(session, "snow", now=now)
    assert [enqueue_fix_thanks(session, "snow", now=now) for _ in range(2)] == [1, 0]
    post = claim_post(session, now=now)
    assert (post.kind, post.channel_id) == ("fixes", clara.user_id)
    return post


def test_a_direct_message_of_fixes_that_became_unclear_is_given_up(session, now, fixes):
    assert mark_ambiguous(session, fixes, error="timeout", now=now)
    assert stands(session, fixes) == "failed"


def test_a_direct_message_of_fixes_whose_sender_died_is_given_up(session, now, fixes):
    assert claim_post(session, now=now + LEASE) is None
    assert stands(session, fixes) == "failed"
    assert claim_ambiguous(session, now=now + 2 * LEASE) is None


def test_a_direct_message_of_fixes_is_never_refreshed(session, now, fixes):
    post_it(session, fixes)
    assert claim_refresh(session, now=now + DAY) is None


def at_once(engine, act, times=2):
    """What `act` gave in each of several threads, each with a session of its own, all let go at the same moment."""
    together, given = Barrier(times, timeout=10), []

    def run():
        with Session(engine) as session:
            together.wait()
            taken = act(session)
            given.append(taken and taken.id)
            together.wait()
            session.commit()

    threads = [Thread(target=run) for _ in range(times)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    return given


CLAIMS = {
    "claim": ("pending", claim_post),
    "claim_unclear": ("ambiguous", claim_ambiguous),
    "claim_refresh": ("posted", claim_refresh),
}


@pytest.mark.parametrize("kind", CLAIMS)
def test_of_two_who_claim_at_once_one_gets_it(session, engine, now, post, kind):
    post.state, claim = CLAIMS[kind]
    post.due_at = now
    session.commit()
    taken = at_once(engine, lambda own: claim(own, now=now + LATER))
    assert sorted(taken, key=str) == [post.id, None]


def test_two_who_claim_at_once_get_different_posts(session, engine, now, sent):
    subscribe_channel(session, LOUNGE, actor="UANA", now=now)
    enqueue_digests(session, sent, now=now)
    session.commit()
    taken = at_once(engine, lambda own: claim_post(own, now=now))
    assert sorted(taken) == sorted(session.scalars(select(DigestPost.id)))
