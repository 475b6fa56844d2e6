"""A district whose digest is due in several channels of its Slack, and ways to kill the clock that posts it."""

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count

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
from bot.digests.posts import enqueue_digests
from bot.digests.subscriptions import subscribe_channel
from bot.reachability.record import record_if_due
from bot.sandbox.slack import message_store
from bot.sandbox.slack.server import serve
from bot.sandbox.slack.workspace import Workspace
from bot.settings import Settings
from bot.slack.digest.post import EVENT_TYPE

POST = "chat.postMessage"
STEP = timedelta(minutes=3)
_numbers = count(1)


@dataclass
class Stage:
    """A district with a final mass message, its Slack, and the channels that wait for the digest.

    `posts` is the outbox, `event_type` is in the metadata of what it posts, and `read_when_claimed` is a table that is read for it.
    """

    engine: Engine
    slack: Workspace
    settings: Settings
    clara: str
    maria: Contact
    others: tuple[Contact, ...]
    channels: tuple[str, ...] = ()
    posts: type = DigestPost
    event_type: str = EVENT_TYPE
    read_when_claimed: str = "list_changes"

    @property
    def channel(self):
        return self.channels[0]

    def enqueue(self, *, ahead=timedelta(), channels=1, with_bot=True):
        """Make a message final whose digest new channels have subscribed."""
        now = datetime.now(UTC) + ahead
        self.channels = tuple(
            self.slack.add_channel(f"texts-{next(_numbers)}", members=[self.clara], with_bot=with_bot).id
            for _ in range(channels)
        )
        with transaction(self.engine) as session:
            session.execute(delete(Subscription))
            for channel in self.channels:
                subscribe_channel(session, channel, actor=self.clara, now=now - STEP)
            outcomes = {self.maria: "blocked", **dict.fromkeys(self.others, "delivered")}
            message, _ = messages.send(session, outcomes, now=now)
            enqueue_digests(session, message, now=now)
        # Otherwise the clock would count them first, and wait for a lock that a test holds there.
        record_if_due(self.engine, now=now, zone=self.settings.zone, reachable_days=self.settings.reachable_days)

    def start_clock(self, **time_shift):
        return clocks.start(self.settings, **time_shift)

    def state(self):
        with Session(self.engine) as session:
            return session.scalar(select(self.posts.state).where(self.posts.channel_id == self.channel))

    def recover(self, *, ahead=STEP, rounds=6, step=STEP):
        """Let a fresh process work until nothing is due, and return the counts."""
        clocks.finish(self.start_clock(ahead=ahead, rounds=rounds, step=step))
        assert self.state() in {PostState.POSTED, PostState.FAILED}
        return self.counts()

    def counts(self, channel=None):
        """Return the number of digests in the channel, and of reports to its subscriber."""
        channel = channel or self.channel
        posted = message_store.in_channel(self.slack, channel)
        received = message_store.in_channel(self.slack, self.slack.app_dm(self.clara).id)
        return (
            sum((message.metadata or {}).get("event_type") == self.event_type for message in posted),
            sum(channel in message.text for message in received),
        )

    def all_counts(self):
        return tuple(self.counts(channel) for channel in self.channels)


@contextmanager
def serve_stage(session, database_url, stage=Stage):
    """Yield a stage of this class with ten students, enough for a digest to count, and a local Slack that is served meanwhile."""
    school = people.school(session)
    maria, *others = [people.contact(session, people.student(session, at=school)) for _ in range(10)]
    session.commit()
    slack = Workspace(manifest.read())
    clara = slack.add_user("Clara Clerk", email="clara.clerk@district.example")
    with serve(slack) as api_url:
        settings = Settings(
            _env_file=None,
            database_url=SecretStr(database_url),
            slack_bot_token=SecretStr(slack.bot_token),
            slack_api_url=api_url,
        )
        yield stage(session.get_bind(), slack, settings, clara.id, maria, tuple(others))


def kill_at_lock(stage, statement, state):
    """Kill a clock while it waits for a lock, its post in this state."""
    with clocks.hold_locks(stage.engine, statement):
        process = stage.start_clock()
        clocks.wait_for_blocked(stage.engine)
        assert stage.state() == state
        clocks.kill(process)


def kill_at_commit(stage, state, *, rolled_back=False):
    """Kill a clock while it commits this state; with `rolled_back` the commit fails, too."""
    with clocks.hold_commits(stage.engine, state, table=stage.posts.__tablename__):
        process = stage.start_clock()
        backend = clocks.wait_for_blocked(stage.engine)
        clocks.kill(process)
        if rolled_back:
            clocks.break_connection(stage.engine, backend)


def kill_at_slack(stage, *, taken=False, **time_shift):
    """Kill a clock whose request Slack holds; return the request, which Slack may still accept."""
    request = stage.slack.faults.hold(POST, applied=taken)
    process = stage.start_clock(**time_shift)
    assert request.arrived.wait(clocks.TIMEOUT)
    assert (stage.state(), stage.counts()) == (PostState.CLAIMED, (taken, 0))
    clocks.kill(process)
    return request


def kill_before_storing(stage, end, *, taken):
    """Kill a clock after Slack's answer, or after the connection broke, before it stores the outcome."""
    request = stage.slack.faults.hold(POST, applied=taken)
    process = stage.start_clock()
    assert request.arrived.wait(clocks.TIMEOUT)
    row = f"SELECT FROM {stage.posts.__tablename__} WHERE channel_id = :channel FOR UPDATE"
    with clocks.hold_locks(stage.engine, row, channel=stage.channel):
        end(request)
        clocks.wait_for_blocked(stage.engine)
        clocks.kill(process)
    assert stage.state() == PostState.CLAIMED
