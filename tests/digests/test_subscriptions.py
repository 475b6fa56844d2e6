"""The channels that get digests: subscribed once, changed, ended, and recorded in the audit."""

from datetime import timedelta

from support import edits

from bot.db.models.slack import Subscription
from bot.digests.subscriptions import list_subscriptions, subscribe_channel, unsubscribe_channel
from bot.filters.parse import parse_filter

DAY = timedelta(days=1)
OFFICE, LOUNGE = "C0OFFICE", "C0LOUNGE"


def test_second_subscription_changes_nothing(session, now):
    assert subscribe_channel(session, OFFICE, actor="UCLARA", now=now)
    assert not subscribe_channel(session, OFFICE, actor="UANA", now=now + DAY)
    assert session.get(Subscription, OFFICE).made_by == "UCLARA"
    assert session.get(Subscription, LOUNGE) is None


def test_unsubscribing_ends_only_one_channel_and_once(session, now):
    subscribe_channel(session, OFFICE, actor="UCLARA", now=now)
    subscribe_channel(session, LOUNGE, actor="UCLARA", now=now)
    assert unsubscribe_channel(session, OFFICE, actor="UANA", now=now)
    assert not unsubscribe_channel(session, OFFICE, actor="UANA", now=now)
    assert session.get(Subscription, OFFICE) is None
    assert session.get(Subscription, LOUNGE) is not None


def test_each_change_is_audited_once(session, now):
    for _ in range(2):
        subscribe_channel(session, OFFICE, actor="UCLARA", now=now)
    for _ in range(2):
        unsubscribe_channel(session, OFFICE, actor="UANA", now=now)
    recorded = [(action, actor, after) for action, actor, _, after in edits.audit_log(session)]
    assert recorded == [("digest.subscribed", "UCLARA", OFFICE), ("digest.unsubscribed", "UANA", OFFICE)]


def test_another_filter_replaces_the_subscription(session, now):
    requests = [("grade 5", "UCLARA"), ("blocked grade 5", "UANA"), ("blocked grade 5", "UTOM")]
    results = [
        subscribe_channel(session, OFFICE, list_filter=parse_filter(text).filter, actor=actor, now=now)
        for text, actor in requests
    ]
    assert results == ["subscribed", "changed", None]
    subscription = session.get(Subscription, OFFICE)
    assert (subscription.filter_text, subscription.made_by) == ("grade 5 blocked", "UANA")
    assert [action for action, *_ in edits.audit_log(session)] == ["digest.subscribed", "digest.changed"]


def test_subscriptions_are_listed_newest_first(session, now):
    assert list_subscriptions(session) == []
    subscribe_channel(session, OFFICE, actor="UCLARA", now=now)
    subscribe_channel(session, LOUNGE, actor="UANA", now=now + DAY)
    assert [subscription.channel_id for subscription in list_subscriptions(session)] == [LOUNGE, OFFICE]
