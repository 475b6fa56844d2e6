"""Exactly one weekly report for one (week, channel), whatever is killed, cut off, or late; see `test_kills`.

DIGEST_KILLS=100 .venv/bin/python -m pytest tests/digests/test_weekly_kills.py -s
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from sqlalchemy import delete
from support import clock_processes as clocks
from support.digest_stage import STEP, Stage, serve_stage
from support.kill_moments import (
    MOMENTS,
    ONE_DIGEST,
    ONE_REPORT,
    killed_before_slack_accepts_late,
    killed_before_slack_loses_it,
    repeat,
    revoke_history,
)

from bot.db.models.slack import WeeklyPost, WeeklySubscription
from bot.db.outbox import LEASE
from bot.db.session import transaction
from bot.digests.weekly import subscribe_weekly
from bot.reachability.record import record_if_due
from bot.slack.digest.weekly_post import EVENT_TYPE

_numbers = count(1)


@dataclass
class WeeklyStage(Stage):
    posts: type = WeeklyPost
    event_type: str = EVENT_TYPE
    read_when_claimed: str = "schools"

    def enqueue(self, *, ahead=timedelta(), channels=1, with_bot=True):
        """Let this week's report be due in new channels."""
        now = datetime.now(UTC) + ahead
        today = now.astimezone(self.settings.zone).date()
        self.channels = tuple(
            self.slack.add_channel(f"weekly-{next(_numbers)}", members=[self.clara], with_bot=with_bot).id
            for _ in range(channels)
        )
        # Late in a week, a report without scores is given up at once.
        record_if_due(self.engine, now=now, zone=self.settings.zone, reachable_days=self.settings.reachable_days)
        with transaction(self.engine) as session:
            session.execute(delete(WeeklySubscription))
            for channel in self.channels:
                subscribe_weekly(session, channel, school_id=None, actor=self.clara, now=now)
                monday = today - timedelta(days=today.weekday())
                session.add(WeeklyPost(week=monday, channel_id=channel, due_at=now))


@pytest.fixture
def stage(session, database_url):
    with serve_stage(session, database_url, WeeklyStage) as stage:
        yield stage


@pytest.mark.parametrize("moment", MOMENTS, ids=lambda moment: moment.__name__)
def test_channel_gets_exactly_one_report(stage, moment):
    def attempt():
        stage.enqueue()
        moment(stage)
        return stage.recover()

    assert repeat(f"weekly, {moment.__name__}", attempt) == {ONE_DIGEST}


@pytest.mark.parametrize(
    ("moment", "counts"), [(killed_before_slack_accepts_late, (1, 1)), (killed_before_slack_loses_it, ONE_REPORT)]
)
def test_unreadable_channel_gets_a_message_to_the_subscriber_instead(stage, moment, counts):
    revoke_history(stage)

    def attempt():
        stage.enqueue()
        moment(stage)
        return stage.recover()

    assert repeat(f"weekly, unreadable, {moment.__name__}", attempt) == {counts}


@pytest.mark.parametrize("number", [2, 5])
def test_concurrent_clocks_post_each_report_once(stage, number):
    def attempt():
        stage.enqueue(channels=3)
        with clocks.hold_locks(stage.engine, "LOCK TABLE weekly_posts IN EXCLUSIVE MODE"):
            processes = [stage.start_clock() for _ in range(number)]
            clocks.wait_for_blocked(stage.engine, min(number, 3))
        for process in processes:
            clocks.finish(process)
        return stage.all_counts()

    assert repeat(f"weekly, {number} clocks", attempt) == {(ONE_DIGEST,) * 3}


def test_clock_delayed_past_its_lease_does_not_post(stage):
    def attempt():
        stage.enqueue()
        with clocks.hold_locks(stage.engine, "LOCK TABLE schools"):
            process = stage.start_clock()
            clocks.wait_for_blocked(stage.engine)
            late = stage.start_clock(ahead=LEASE)
            clocks.finish(late)
        clocks.finish(process)
        assert stage.counts() == (0, 0)
        return stage.recover()

    assert repeat("weekly, delayed", attempt) == {ONE_DIGEST}


def test_bot_that_was_removed_reports_to_the_subscriber(stage):
    stage.enqueue(with_bot=False)
    assert stage.recover(ahead=STEP) == ONE_REPORT
