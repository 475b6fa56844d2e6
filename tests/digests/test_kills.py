"""Exactly one digest for one (mass message, channel), whoever is killed, cut off, late or has the wrong time.

Real processes post through HTTP and are killed with SIGKILL at chosen moments; then a fresh process works on until nothing
is due. Each moment is tried `DIGEST_KILLS` times (2 unless the environment says otherwise); with `-s` the counts are shown:

    DIGEST_KILLS=100 .venv/bin/python -m pytest tests/test_digest_kills.py -s
"""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, delete, select
from sqlalchemy.orm import Session
from support import clock_processes as clocks
from support import mass_messages as messages
from support import people

from bot.cli import manifest
from bot.db.models.roster import Contact
from bot.db.models.slack import DigestPost, PostState, Subscription
from bot.db.session import transaction
from bot.digests.posts import LEASE, enqueue_digests
from bot.digests.subscriptions import subscribe_channel
from bot.sandbox.slack import posting, serving
from bot.sandbox.slack.faults import Fault
from bot.sandbox.slack.workspace import Workspace
from bot.settings import Settings
from bot.slack.digest.post import EVENT_TYPE

TIMES = int(os.environ.get("DIGEST_KILLS", "2"))
POST = "chat.postMessage"
STEP = timedelta(minutes=3)
HOUR = timedelta(hours=1)
ONE_DIGEST, ONE_NOTICE = (1, 0), (0, 1)
_numbers = count(1)


@dataclass
class Stage:
    """A district whose mass messages have settled, a Slack, and the channel that waits for the digest of the last one."""

    engine: Engine
    slack: Workspace
    settings: Settings
    clara: str
    maria: Contact
    channels: tuple[str, ...] = ()

    @property
    def channel(self):
        return self.channels[0]

    def a_digest_is_due(self, *, ahead=timedelta(), channels=1, with_bot=True):
        """A message has settled, and channels that nobody used before asked for its digest."""
        now = datetime.now(UTC) + ahead
        self.channels = tuple(self._a_channel(with_bot) for _ in range(channels))
        with transaction(self.engine) as session:
            session.execute(delete(Subscription))
            for channel in self.channels:
                subscribe_channel(session, channel, actor=self.clara, now=now - STEP)
            message, _ = messages.sent(session, {self.maria: "blocked"}, now=now)
            enqueue_digests(session, message, now=now)

    def _a_channel(self, with_bot):
        return self.slack.add_channel(f"texts-{next(_numbers)}", members=[self.clara], with_bot=with_bot).id

    def a_clock(self, **watch):
        return clocks.start(self.settings, **watch)

    def state(self):
        with Session(self.engine) as session:
            return session.scalar(select(DigestPost.state).where(DigestPost.channel_id == self.channel))

    def recovered(self, *, ahead=STEP, rounds=6, step=STEP):
        """What there is, digests in the channel and notices to who subscribed, when a fresh process finds nothing due."""
        clocks.finish(self.a_clock(ahead=ahead, rounds=rounds, step=step))
        assert self.state() in {PostState.POSTED, PostState.FAILED}
        return self.seen()

    def seen(self, channel=None):
        channel = channel or self.channel
        posted = posting.in_channel(self.slack, channel)
        told = posting.in_channel(self.slack, self.slack.app_dm(self.clara).id)
        return (
            sum((one.metadata or {}).get("event_type") == EVENT_TYPE for one in posted),
            sum(channel in one.text for one in told),
        )


@pytest.fixture
def stage(session, database_url):
    maria = people.contact(session, people.student(session, at=people.school(session)))
    session.commit()
    slack = Workspace(manifest.read())
    clara = slack.add_user("Clara Clerk", email="clara.clerk@district.example")
    with serving.serve(slack) as api_url:
        settings = Settings(
            _env_file=None,
            database_url=SecretStr(database_url),
            slack_bot_token=SecretStr(slack.bot_token),
            slack_api_url=api_url,
        )
        yield Stage(session.get_bind(), slack, settings, clara.id, maria)


def killed_before_the_claim(stage):
    with clocks.holding(stage.engine, "LOCK TABLE digest_posts IN EXCLUSIVE MODE"):
        process = stage.a_clock()
        clocks.stuck(stage.engine)
        assert stage.state() == PostState.PENDING
        clocks.kill(process)


def killed_while_the_claim_is_committed(stage):
    while_it_commits(stage, PostState.CLAIMED)


def killed_when_the_claim_could_not_be_committed(stage):
    while_it_commits(stage, PostState.CLAIMED, cut=True)
    assert stage.state() == PostState.PENDING


def killed_after_the_claim(stage):
    with clocks.holding(stage.engine, "LOCK TABLE list_changes"):
        process = stage.a_clock()
        clocks.stuck(stage.engine)
        assert stage.state() == PostState.CLAIMED
        clocks.kill(process)


def killed_after_the_request_left_and_slack_takes_it_later(stage, **watch):
    held = at_slacks_door(stage, **watch)
    held.let_go()


def killed_after_the_request_left_and_slack_never_takes_it(stage, **watch):
    held = at_slacks_door(stage, **watch)
    held.cut()


def killed_after_slack_took_it_and_before_it_answered(stage, **watch):
    held = at_slacks_door(stage, taken=True, **watch)
    held.let_go()


def at_slacks_door(stage, *, taken=False, **watch):
    held = stage.slack.faults.hold(POST, taken=taken)
    process = stage.a_clock(**watch)
    assert held.come.wait(clocks.PATIENCE)
    assert stage.state() == PostState.CLAIMED
    assert stage.seen() == (taken, 0)
    clocks.kill(process)
    return held


def killed_after_slack_answered_and_before_we_wrote_it_down(stage):
    before_writing_down(stage, lambda held: held.let_go(), taken=True)


def killed_when_the_line_was_cut_after_slack_took_it_and_before_we_wrote_it_down(stage):
    before_writing_down(stage, lambda held: held.cut(), taken=True)


def killed_when_the_line_was_cut_before_slack_took_it_and_before_we_wrote_it_down(stage):
    before_writing_down(stage, lambda held: held.cut(), taken=False)


def before_writing_down(stage, end, *, taken):
    held = stage.slack.faults.hold(POST, taken=taken)
    process = stage.a_clock()
    assert held.come.wait(clocks.PATIENCE)
    row = "SELECT FROM digest_posts WHERE channel_id = :channel FOR UPDATE"
    with clocks.holding(stage.engine, row, channel=stage.channel):
        end(held)
        clocks.stuck(stage.engine)
        clocks.kill(process)
    assert stage.state() == PostState.CLAIMED


def killed_while_we_commit_that_it_was_posted(stage):
    while_it_commits(stage, PostState.POSTED)


def killed_when_it_could_not_be_committed_that_it_was_posted(stage):
    while_it_commits(stage, PostState.POSTED, cut=True)
    assert stage.state() == PostState.CLAIMED


def while_it_commits(stage, state, *, cut=False):
    """The process is killed while the commit of this state is held; `cut` breaks the commit, too."""
    with clocks.commits_held(stage.engine, state):
        process = stage.a_clock()
        backend = clocks.stuck(stage.engine)
        clocks.kill(process)
        if cut:
            clocks.break_line(stage.engine, backend)


def killed_after_we_committed_that_it_was_posted(stage):
    with clocks.holding(stage.engine, "LOCK TABLE open_lists"):
        process = stage.a_clock()
        clocks.stuck(stage.engine)
        assert stage.state() == PostState.POSTED
        clocks.kill(process)


def cut_before_slack_took_it(stage):
    stage.slack.faults.order(POST, Fault.DROP)
    clocks.finish(stage.a_clock())


def cut_after_slack_took_it(stage):
    stage.slack.faults.order(POST, Fault.DROP, taken=True)
    clocks.finish(stage.a_clock())


def the_command(stage):
    environment = {
        "DATABASE_URL": stage.settings.secret("database_url"),
        "SLACK_BOT_TOKEN": stage.slack.bot_token,
        "SLACK_API_URL": stage.settings.slack_api_url,
    }
    command = [sys.executable, "-m", "bot.cli", "clock", "--once"]
    return subprocess.Popen(command, env=os.environ | environment, stderr=subprocess.DEVNULL)


MOMENTS = [
    killed_before_the_claim,
    killed_while_the_claim_is_committed,
    killed_when_the_claim_could_not_be_committed,
    killed_after_the_claim,
    killed_after_the_request_left_and_slack_takes_it_later,
    killed_after_the_request_left_and_slack_never_takes_it,
    killed_after_slack_took_it_and_before_it_answered,
    killed_after_slack_answered_and_before_we_wrote_it_down,
    killed_when_the_line_was_cut_after_slack_took_it_and_before_we_wrote_it_down,
    killed_when_the_line_was_cut_before_slack_took_it_and_before_we_wrote_it_down,
    killed_while_we_commit_that_it_was_posted,
    killed_when_it_could_not_be_committed_that_it_was_posted,
    killed_after_we_committed_that_it_was_posted,
    cut_before_slack_took_it,
    cut_after_slack_took_it,
]


def tried(name, act, *, times=TIMES):
    """Do it again and again; gives how often which (digests, notices) came of it."""
    came = Counter(act() for _ in range(times))
    print(f"\n{name}: {dict(came)}", end="")
    return set(came)


@pytest.mark.parametrize("moment", MOMENTS, ids=lambda moment: moment.__name__)
def test_the_channel_gets_exactly_one_digest(stage, moment):
    def once():
        stage.a_digest_is_due()
        moment(stage)
        return stage.recovered()

    assert tried(moment.__name__, once) == {ONE_DIGEST}


def test_the_command_itself_may_be_killed_too(stage):
    """With its own start, and its settings from the environment."""
    stage.a_digest_is_due()
    held = stage.slack.faults.hold(POST, taken=True)
    process = the_command(stage)
    assert held.come.wait(clocks.PATIENCE)
    process.kill()
    assert process.wait(10) == -signal.SIGKILL
    held.let_go()
    assert stage.recovered() == ONE_DIGEST


@pytest.mark.parametrize("moment", [killed_after_the_request_left_and_slack_takes_it_later, cut_after_slack_took_it])
def test_where_the_channel_may_not_be_read_an_unclear_post_is_told_and_never_sent_again(stage, moment):
    without_history(stage)

    def once():
        stage.a_digest_is_due()
        moment(stage)
        return stage.recovered()

    assert tried(f"unread, {moment.__name__}", once) == {(1, 1)}


def test_where_the_channel_may_not_be_read_a_post_that_never_arrived_is_told(stage):
    without_history(stage)

    def once():
        stage.a_digest_is_due()
        killed_after_the_request_left_and_slack_never_takes_it(stage)
        return stage.recovered()

    assert tried("unread, never taken", once) == {ONE_NOTICE}


def test_where_too_much_was_said_since_an_unclear_post_is_told_and_never_sent_again(stage):
    stage.a_digest_is_due()
    killed_after_slack_took_it_and_before_it_answered(stage)
    for _ in range(1_000):
        posting.post(stage.slack, stage.channel, user=stage.clara, text="Who has the bus list?")
    assert stage.recovered() == (1, 1)


def test_what_was_said_in_the_weeks_before_is_not_looked_through(stage):
    stage.a_digest_is_due()
    stage.slack.clock = lambda: time.time() - timedelta(days=2).total_seconds()
    for _ in range(1_100):
        posting.post(stage.slack, stage.channel, user=stage.clara, text="Who has the bus list?")
    stage.slack.clock = time.time
    killed_after_the_request_left_and_slack_never_takes_it(stage)
    assert stage.recovered() == ONE_DIGEST


def without_history(stage):
    """A district that did not grant the two optional scopes."""
    granted = stage.slack.manifest["oauth_config"]["scopes"]
    granted["bot"] = [one for one in granted["bot"] if one not in granted["bot_optional"]]


def before_the_claim(stage):
    return clocks.holding(stage.engine, "LOCK TABLE digest_posts IN EXCLUSIVE MODE")


def in_the_middle_of_the_claim(stage):
    return clocks.commits_held(stage.engine, PostState.CLAIMED)


@pytest.mark.parametrize("together", [before_the_claim, in_the_middle_of_the_claim])
@pytest.mark.parametrize("many", [2, 5])
def test_clocks_that_start_together_post_each_digest_once(stage, many, together):
    def once():
        stage.a_digest_is_due(channels=3)
        for process in started(stage, many, together):
            clocks.finish(process)
        return seen_in_all(stage)

    assert tried(f"{many} clocks, {together.__name__}", once) == {(ONE_DIGEST,) * 3}


@pytest.mark.parametrize("together", [before_the_claim, in_the_middle_of_the_claim])
def test_of_clocks_that_start_together_one_may_be_killed(stage, together):
    def once():
        stage.a_digest_is_due(channels=3)
        first, *others = started(stage, 3, together)
        clocks.kill(first)
        for process in others:
            clocks.finish(process)
        stage.recovered()
        return seen_in_all(stage)

    assert tried(f"3 clocks, {together.__name__}, one killed", once) == {(ONE_DIGEST,) * 3}


def started(stage, many, together):
    """So many clocks, let go at the same moment."""
    with together(stage):
        processes = [stage.a_clock() for _ in range(many)]
        clocks.stuck(stage.engine, min(many, len(stage.channels)))
    return processes


def seen_in_all(stage):
    return tuple(stage.seen(channel) for channel in stage.channels)


LOST = [
    killed_after_the_request_left_and_slack_takes_it_later,
    killed_after_the_request_left_and_slack_never_takes_it,
    killed_after_slack_took_it_and_before_it_answered,
]


@pytest.mark.parametrize("wrong", [HOUR, -HOUR], ids=["fast", "slow"])
@pytest.mark.parametrize("moment", LOST, ids=lambda moment: moment.__name__)
def test_a_watch_that_was_wrong_by_an_hour_and_is_set_right_doubles_nothing(stage, moment, wrong):
    def once():
        stage.a_digest_is_due(ahead=min(wrong, timedelta()))
        moment(stage, ahead=wrong)
        return stage.recovered(ahead=timedelta(), rounds=27)

    assert tried(f"wrong by {wrong}, {moment.__name__}", once) == {ONE_DIGEST}


def test_two_clocks_whose_watches_differ_by_an_hour_post_it_once(stage):
    def once():
        stage.a_digest_is_due()
        held = stage.slack.faults.hold(POST)
        process = stage.a_clock()
        assert held.come.wait(clocks.PATIENCE)
        clocks.finish(stage.a_clock(ahead=HOUR, rounds=3, step=timedelta(seconds=5)))
        held.let_go()
        clocks.finish(process)
        return stage.recovered(ahead=HOUR)

    assert tried("watches that differ", once) == {ONE_DIGEST}


def test_who_was_held_up_until_the_claim_ran_out_leaves_it_to_others(stage):
    def once():
        stage.a_digest_is_due()
        with clocks.holding(stage.engine, "LOCK TABLE list_changes"):
            process = stage.a_clock()
            clocks.stuck(stage.engine)
            clocks.finish(stage.a_clock(ahead=LEASE))
        clocks.finish(process)
        assert stage.seen() == (0, 0)
        return stage.recovered()

    assert tried("held up", once) == {ONE_DIGEST}


@pytest.mark.parametrize("change", ["2026-11-01T07:00Z", "2027-03-14T08:00Z"], ids=["back", "forward"])
@pytest.mark.parametrize("moment", LOST, ids=lambda moment: moment.__name__)
def test_a_digest_due_a_minute_before_the_clocks_change_comes_once_and_within_minutes(stage, moment, change):
    """At 02:00 in Chicago; what the wall shows twice, or never, changes nothing."""
    assert stage.settings.timezone == "America/Chicago"
    ahead = datetime.fromisoformat(change) - timedelta(minutes=1) - datetime.now(UTC)
    stage.slack.clock = lambda: time.time() + ahead.total_seconds()

    def once():
        stage.a_digest_is_due(ahead=ahead)
        moment(stage, ahead=ahead)
        soon = stage.recovered(ahead=ahead + STEP, rounds=3)
        later = stage.recovered(ahead=ahead + HOUR)
        return soon if soon == later else (soon, later)

    assert tried(f"clocks change {change}, {moment.__name__}", once) == {ONE_DIGEST}


def killed_before_the_notice(stage):
    process, notice = at_the_notice(stage)
    clocks.kill(process)
    notice.cut()


def killed_when_slack_had_taken_the_notice(stage):
    process, notice = at_the_notice(stage, taken=True)
    clocks.kill(process)
    notice.let_go()


def cut_before_slack_took_the_notice(stage):
    process, notice = at_the_notice(stage)
    notice.cut()
    clocks.finish(process)


def at_the_notice(stage, *, taken=False):
    """Slack refuses the digest for good; the notice to who subscribed is kept at its door."""
    digest, notice = stage.slack.faults.hold(POST), stage.slack.faults.hold(POST, taken=taken)
    process = stage.a_clock()
    assert digest.come.wait(clocks.PATIENCE)
    digest.let_go()
    assert notice.come.wait(clocks.PATIENCE)
    return process, notice


@pytest.mark.parametrize(
    ("moment", "comes"),
    [
        (killed_before_the_notice, {ONE_NOTICE}),
        (cut_before_slack_took_the_notice, {ONE_NOTICE}),
        (killed_when_slack_had_taken_the_notice, {(0, 2)}),  # It cannot be looked for, and twice is better than never.
    ],
)
def test_a_digest_that_slack_refuses_is_told_to_who_asked_for_it(stage, moment, comes):
    def once():
        stage.a_digest_is_due(with_bot=False)
        moment(stage)
        return stage.recovered()

    assert tried(moment.__name__, once) == comes
