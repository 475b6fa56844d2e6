"""Exactly one digest for one (mass message, channel), whatever is killed, cut off, late, or has the wrong time.

Real processes post through HTTP and are killed with SIGKILL at chosen moments; then a fresh process works until nothing is
due. Each moment is tried `DIGEST_KILLS` times (2 unless the environment says otherwise); with `-s` the counts are shown:

    DIGEST_KILLS=100 .venv/bin/python -m pytest tests/digests/test_kills.py -s
"""

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest
from support import clock_processes as clocks
from support.digest_stage import (
    POST,
    STEP,
    serve_stage,
)
from support.kill_moments import (
    LOST,
    MOMENTS,
    ONE_DIGEST,
    ONE_REPORT,
    answer_lost,
    killed_before_slack_accepts_late,
    killed_before_slack_loses_it,
    killed_between_acceptance_and_answer,
    repeat,
    revoke_history,
)

from bot.db.models.slack import PostState
from bot.db.outbox import LEASE
from bot.sandbox.slack import message_store

HOUR = timedelta(hours=1)


@pytest.fixture
def stage(session, database_url):
    with serve_stage(session, database_url) as stage:
        yield stage


@pytest.mark.parametrize("moment", MOMENTS, ids=lambda moment: moment.__name__)
def test_channel_gets_exactly_one_digest(stage, moment):
    def attempt():
        stage.enqueue()
        moment(stage)
        return stage.recover()

    assert repeat(moment.__name__, attempt) == {ONE_DIGEST}


def test_killed_command_posts_once(stage):
    """With its own start and its settings from the environment."""
    stage.enqueue()
    request = stage.slack.faults.hold(POST, applied=True)
    environment = {
        "DATABASE_URL": stage.settings.secret("database_url"),
        "SLACK_BOT_TOKEN": stage.slack.bot_token,
        "SLACK_API_URL": stage.settings.slack_api_url,
    }
    command = [sys.executable, "-m", "bot.cli", "clock", "--once"]
    process = subprocess.Popen(command, env=os.environ | environment, stderr=subprocess.DEVNULL)
    assert request.arrived.wait(clocks.TIMEOUT)
    process.kill()
    assert process.wait(10) == -signal.SIGKILL
    request.release()
    assert stage.recover() == ONE_DIGEST


@pytest.mark.parametrize(
    ("moment", "counts"),
    [
        (killed_before_slack_accepts_late, (1, 1)),
        (answer_lost, (1, 1)),
        (killed_before_slack_loses_it, ONE_REPORT),
    ],
)
def test_unreadable_channel_gets_a_report_instead_of_a_second_post(stage, moment, counts):
    revoke_history(stage)

    def attempt():
        stage.enqueue()
        moment(stage)
        return stage.recover()

    assert repeat(f"unreadable, {moment.__name__}", attempt) == {counts}


def chat(stage, messages):
    for _ in range(messages):
        message_store.post(stage.slack, stage.channel, user=stage.clara, text="Who has the bus list?")


def test_busy_channel_gets_a_report_instead_of_a_second_post(stage):
    stage.enqueue()
    killed_between_acceptance_and_answer(stage)
    chat(stage, 1_000)
    assert stage.recover() == (1, 1)


def test_older_messages_are_not_searched(stage):
    stage.enqueue()
    stage.slack.clock = lambda: time.time() - timedelta(days=2).total_seconds()
    chat(stage, 1_100)
    stage.slack.clock = time.time
    killed_before_slack_loses_it(stage)
    assert stage.recover() == ONE_DIGEST


def before_claim(stage):
    return clocks.hold_locks(stage.engine, "LOCK TABLE digest_posts IN EXCLUSIVE MODE")


def during_claim(stage):
    return clocks.hold_commits(stage.engine, PostState.CLAIMED)


def start_together(stage, number, hold):
    """Start clocks that go on at the same moment."""
    with hold(stage):
        processes = [stage.start_clock() for _ in range(number)]
        clocks.wait_for_blocked(stage.engine, min(number, len(stage.channels)))
    return processes


@pytest.mark.parametrize("hold", [before_claim, during_claim])
@pytest.mark.parametrize("number", [2, 5])
def test_concurrent_clocks_post_each_digest_once(stage, number, hold):
    def attempt():
        stage.enqueue(channels=3)
        for process in start_together(stage, number, hold):
            clocks.finish(process)
        return stage.all_counts()

    assert repeat(f"{number} clocks, {hold.__name__}", attempt) == {(ONE_DIGEST,) * 3}


@pytest.mark.parametrize("hold", [before_claim, during_claim])
def test_one_of_concurrent_clocks_may_be_killed(stage, hold):
    def attempt():
        stage.enqueue(channels=3)
        first, *others = start_together(stage, 3, hold)
        clocks.kill(first)
        for process in others:
            clocks.finish(process)
        stage.recover()
        return stage.all_counts()

    assert repeat(f"3 clocks, {hold.__name__}, one killed", attempt) == {(ONE_DIGEST,) * 3}


@pytest.mark.parametrize("error", [HOUR, -HOUR], ids=["fast", "slow"])
@pytest.mark.parametrize("moment", LOST, ids=lambda moment: moment.__name__)
def test_corrected_clock_doubles_nothing(stage, moment, error):
    def attempt():
        stage.enqueue(ahead=min(error, timedelta()))
        moment(stage, ahead=error)
        return stage.recover(ahead=timedelta(), rounds=27)

    assert repeat(f"wrong by {error}, {moment.__name__}", attempt) == {ONE_DIGEST}


def test_clocks_an_hour_apart_post_once(stage):
    def attempt():
        stage.enqueue()
        request = stage.slack.faults.hold(POST)
        process = stage.start_clock()
        assert request.arrived.wait(clocks.TIMEOUT)
        clocks.finish(stage.start_clock(ahead=HOUR, rounds=3, step=timedelta(seconds=5)))
        request.release()
        clocks.finish(process)
        return stage.recover(ahead=HOUR)

    assert repeat("an hour apart", attempt) == {ONE_DIGEST}


def test_clock_delayed_past_its_lease_does_not_post(stage):
    def attempt():
        stage.enqueue()
        with clocks.hold_locks(stage.engine, "LOCK TABLE list_changes"):
            process = stage.start_clock()
            clocks.wait_for_blocked(stage.engine)
            clocks.finish(stage.start_clock(ahead=LEASE))
        clocks.finish(process)
        assert stage.counts() == (0, 0)
        return stage.recover()

    assert repeat("delayed", attempt) == {ONE_DIGEST}


@pytest.mark.parametrize("change", ["2026-11-01T07:00Z", "2027-03-14T08:00Z"], ids=["back", "forward"])
@pytest.mark.parametrize("moment", LOST, ids=lambda moment: moment.__name__)
def test_daylight_saving_change_neither_doubles_nor_delays(stage, moment, change):
    """The digest is due a minute before 02:00 in Chicago."""
    assert stage.settings.timezone == "America/Chicago"
    ahead = datetime.fromisoformat(change) - timedelta(minutes=1) - datetime.now(UTC)
    stage.slack.clock = lambda: time.time() + ahead.total_seconds()

    def attempt():
        stage.enqueue(ahead=ahead)
        moment(stage, ahead=ahead)
        return stage.recover(ahead=ahead + STEP, rounds=3), stage.recover(ahead=ahead + HOUR)

    assert repeat(f"clocks change {change}, {moment.__name__}", attempt) == {(ONE_DIGEST, ONE_DIGEST)}


def hold_report(stage, *, taken=False):
    """Start a clock whose digest Slack refuses and whose report to the subscriber Slack holds."""
    digest, report = stage.slack.faults.hold(POST), stage.slack.faults.hold(POST, applied=taken)
    process = stage.start_clock()
    assert digest.arrived.wait(clocks.TIMEOUT)
    digest.release()
    assert report.arrived.wait(clocks.TIMEOUT)
    return process, report


def killed_before_report(stage):
    process, report = hold_report(stage)
    clocks.kill(process)
    report.drop()


def killed_after_report(stage):
    process, report = hold_report(stage, taken=True)
    clocks.kill(process)
    report.release()


def report_lost(stage):
    process, report = hold_report(stage)
    report.drop()
    clocks.finish(process)


@pytest.mark.parametrize(
    ("moment", "counts"),
    [
        (killed_before_report, ONE_REPORT),
        (report_lost, ONE_REPORT),
        (killed_after_report, (0, 2)),  # It cannot be looked up, and twice is better than never.
    ],
)
def test_refused_digest_is_reported_to_the_subscriber(stage, moment, counts):
    def attempt():
        stage.enqueue(with_bot=False)
        moment(stage)
        return stage.recover()

    assert repeat(moment.__name__, attempt) == {counts}
