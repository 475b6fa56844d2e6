"""The real bot behind the strict local Slack, with a small district whose people are at their screens."""

from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
import yaml
from pydantic import SecretStr
from slack_sdk import WebClient
from sqlalchemy import Engine
from support import leaks, people
from support.given_settings import GivenSettings

from bot import clock
from bot.app import build_bolt_app, slack_client
from bot.sandbox.slack import delivery, workspace
from bot.sandbox.slack.people import Person
from bot.sandbox.slack.server import serve
from bot.sandbox.slack.workspace import Workspace
from bot.settings import Settings
from bot.slack.kit import respond
from bot.web import server
from bot.web import slack as slack_requests

MANIFEST = yaml.safe_load((Path(__file__).parents[2] / "manifest.yaml").read_text())
_LAZY_TIMEOUT = 30  # Seconds.


class LazyExecutor(ThreadPoolExecutor):
    """Runs Bolt's lazy listeners; tests can wait for them."""

    def __init__(self):
        super().__init__(max_workers=5)
        self.futures: list[Future] = []

    def submit(self, *args, **kwargs):
        self.futures.append(super().submit(*args, **kwargs))
        return self.futures[-1]

    def wait(self):
        """Wait for all lazy listeners, and return those that are not done in time."""
        return wait(self.futures, timeout=_LAZY_TIMEOUT).not_done


class PatientDelivery(delivery.InProcess):
    """Delivers a request and waits for its lazy listeners, so that everything is redrawn before the next step."""

    def __init__(self, asgi, lazy):
        super().__init__(asgi)
        self.lazy = lazy
        self.is_patient = True

    def __call__(self, *request):
        response = super().__call__(*request)
        if self.is_patient:
            self.lazy.wait()
        return response


@dataclass
class Office:
    """People act through `clara`, `ana`, ...; `tick` runs one round of the clock, and `advance` moves the time."""

    engine: Engine
    slack: Workspace
    settings: Settings
    client: WebClient
    district: people.District
    channel: str
    people: dict[str, Person]
    lazy: LazyExecutor
    time_shift: timedelta = timedelta()

    def __getattr__(self, name: str) -> Person:
        return self.people[name]

    def now(self) -> datetime:
        return datetime.now(UTC) + self.time_shift

    def advance(self, **by: float) -> None:
        self.time_shift += timedelta(**by)

    def wait_for_lazy_listeners(self) -> None:
        """Every request waits for its own; this is for requests that were sent from a thread, or in a slow response."""
        assert not self.lazy.wait()

    def show_answers_first(self) -> None:
        """Let Slack show the answer to a request before its lazy listeners are done, as it does for slow ones."""
        self.slack.transport.is_patient = False

    def tick(self):
        return clock.run_once(self.settings, self.engine, self.client, now=self.now)


def settings_for(slack: Workspace, api_url: str, **changed) -> Settings:
    values = {
        "slack_bot_token": SecretStr(slack.bot_token),
        "slack_signing_secret": SecretStr(slack.signing_secret),
        "slack_api_url": api_url,
        "twilio_auth_token": SecretStr("twilio-secret"),
        "ingest_token": SecretStr("ingest-secret"),
        "opt_in_number": "+13125550100",
        "admin_emails": "data@district.example",
    }
    return GivenSettings(**(values | changed))


@pytest.fixture
def settings_changed():
    """Settings that a test changes, as a dictionary; override it with `pytest.mark.parametrize` or a fixture."""
    return {}


@pytest.fixture
def organization():
    """The id of the Enterprise Grid organization that installed the bot; override it with `pytest.mark.parametrize`."""
    return


@pytest.fixture
def office_engine(session):
    """The bot's engine; override it for an engine with faults."""
    return session.get_bind()


@pytest.fixture
def slack_waits(monkeypatch):
    """Let Slack and the bot wait longer for each other, so that a busy machine fails no test; override it where time is the subject.

    What the bot cannot open as a dialog within Slack's three seconds, it answers as a message.
    """
    monkeypatch.setattr(workspace, "TRIGGER_SECONDS", 30.0)
    monkeypatch.setattr(delivery, "TIMEOUT_SECONDS", 30.0)
    monkeypatch.setattr(slack_requests, "RESPONSE_TIMEOUT", 29.0)
    monkeypatch.setattr(respond, "SLACK_TIMEOUT", 20)


@pytest.fixture
def office(session, settings_changed, organization, office_engine, slack_waits):
    district = people.create_district(session)
    session.commit()
    # A token of its own: the bot caches what it knows of a token and an address for ever, and ports are reused.
    slack = Workspace(MANIFEST, enterprise_id=organization, bot_token=f"xoxb-{uuid4().hex}")
    with ExitStack() as stack:
        api_url = stack.enter_context(serve(slack))
        settings = settings_for(slack, api_url, **settings_changed)
        accounts = _add_accounts(slack, district)
        members = [person.id for person in accounts.values()]
        channel = slack.add_channel("family-texts", members=members, with_bot=True)
        lazy = stack.enter_context(LazyExecutor())
        office = Office(office_engine, slack, settings, slack_client(settings), district, channel.id, accounts, lazy)
        bolt = build_bolt_app(settings, office_engine, now=office.now)
        bolt.listener_runner.lazy_listener_runner.executor = lazy
        web_app = server.create_web_app(settings, office_engine, bolt)
        slack.connect(stack.enter_context(PatientDelivery(web_app, lazy)))
        yield office
        office.wait_for_lazy_listeners()
        assert list(leaks.find_leaks(office, leaks.PrivateData(office_engine))) == []


def _add_accounts(slack, district) -> dict[str, Person]:
    """Accounts of an organization have ids that begin with W."""
    letter = "W" if slack.enterprise_id else "U"
    users = {
        name: slack.add_user(name.title(), user_id=f"{letter}{name.upper()}", email=getattr(district, name).email)
        for name in ("ana", "tom", "clara", "dana")
    }
    users["gus"] = slack.add_user("Gus", user_id="UGUS", email="gus.guest@partner.example", guest=True)
    users["nora"] = slack.add_user("Nora", user_id="UNORA", email="nora.new@district.example")
    users["adam"] = slack.add_user("Adam", user_id="UADAM", email="data@district.example")
    return {name: Person(slack, user.id) for name, user in users.items()}
