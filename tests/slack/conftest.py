"""A day at the school office: the real bot behind the strict little Slack, a small district, and its people at their screens."""

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

from bot import clock
from bot.app import build_bolt_app, slack_client
from bot.sandbox.slack import deliver, serving
from bot.sandbox.slack.people import Person
from bot.sandbox.slack.workspace import Workspace
from bot.settings import Settings
from bot.web import server

MANIFEST = yaml.safe_load((Path(__file__).parents[2] / "manifest.yaml").read_text())


class Afterwards(ThreadPoolExecutor):
    """Where Bolt does what comes after an answer has gone out; tests can wait for it."""

    def __init__(self):
        super().__init__(max_workers=5)
        self.under_way: list[Future] = []

    def submit(self, *args, **kwargs):
        self.under_way.append(super().submit(*args, **kwargs))
        return self.under_way[-1]


@dataclass
class Office:
    """People act through `clara`, `ana` …; `tick` is a round of the clock, `later` moves everybody's watch."""

    engine: Engine
    slack: Workspace
    settings: Settings
    client: WebClient
    district: people.District
    channel: str
    shift: timedelta
    who: dict[str, Person]
    afterwards: Afterwards

    def __getattr__(self, name: str) -> Person:
        return self.who[name]

    def now(self) -> datetime:
        return datetime.now(UTC) + self.shift

    def later(self, **by: float) -> None:
        self.shift += timedelta(**by)

    def settled(self) -> None:
        """Wait until everything that the bot does after its answers is done."""
        assert not wait(self.afterwards.under_way, timeout=10).not_done

    def tick(self):
        return clock.run_once(self.settings, self.engine, self.client, now=self.now)


def settings_for(slack: Workspace, api_url: str, **changed) -> Settings:
    made = {
        "slack_bot_token": SecretStr(slack.bot_token),
        "slack_signing_secret": SecretStr(slack.signing_secret),
        "slack_api_url": api_url,
        "twilio_auth_token": SecretStr("twilio-secret"),
        "ingest_token": SecretStr("ingest-secret"),
        "opt_in_number": "+13125550100",
        "admin_emails": "data@district.example",
    }
    return Settings(_env_file=None, **(made | changed))


@pytest.fixture
def settings_changed():
    """What a test sets differently, as a dictionary; override it with `pytest.mark.parametrize` or a fixture."""
    return {}


@pytest.fixture
def organisation():
    """The id of the Enterprise Grid that installed the bot; override it with `pytest.mark.parametrize`."""
    return


@pytest.fixture
def office(session, settings_changed, organisation):
    district = people.a_district(session)
    session.commit()
    # A token of its own: what the bot knows of a token and an address it knows for ever, and ports come again.
    slack = Workspace(MANIFEST, organisation=organisation, bot_token=f"xoxb-{uuid4().hex}")
    with ExitStack() as stack:
        api_url = stack.enter_context(serving.serve(slack))
        settings = settings_for(slack, api_url, **settings_changed)
        engine = session.get_bind()
        who = _accounts(slack, district)
        channel = slack.add_channel("family-texts", members=[one.id for one in who.values()], with_bot=True)
        afterwards = stack.enter_context(Afterwards())
        made = Office(
            engine,
            slack,
            settings,
            slack_client(settings),
            district,
            channel.id,
            timedelta(),
            who,
            afterwards,
        )
        bolt = build_bolt_app(settings, engine, now=made.now)
        bolt.listener_runner.lazy_listener_runner.executor = afterwards
        asgi = server.create_web_app(settings, engine, bolt)
        slack.connect(stack.enter_context(deliver.InProcess(asgi)))
        yield made
        made.settled()
        assert list(leaks.in_requests(made, leaks.Private(engine))) == []


def _accounts(slack, district) -> dict[str, Person]:
    """Accounts of an organisation have ids of their own kind."""
    letter = "W" if slack.organisation else "U"
    staff = {
        name: slack.add_user(name.title(), user_id=f"{letter}{name.upper()}", email=getattr(district, name).email)
        for name in ("ana", "tom", "clara", "dana")
    }
    staff["gus"] = slack.add_user("Gus", user_id="UGUS", email="gus.guest@partner.example", guest=True)
    staff["nora"] = slack.add_user("Nora", user_id="UNORA", email="nora.new@district.example")
    staff["adam"] = slack.add_user("Adam", user_id="UADAM", email="data@district.example")
    return {name: slack.person(user.id) for name, user in staff.items()}
