"""Everything of the sandbox put together on one port of this machine: the bot as districts run it, the little Slack it
talks to, the SIS it reads, and the sender that texts. Only the outside world is made up; the bot does not know it.

The bot's own doors stand at their real paths (`/slack/events`, …), the little Slack's Web API below `/sandbox/web-api`.
"""

import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import uvicorn
from pydantic import SecretStr
from slack_sdk import WebClient
from sqlalchemy import Engine, select, text
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount

from bot import clock
from bot.app import build_bolt_app, slack_client
from bot.db.engine import build_engine
from bot.db.migrations.upgrade import upgrade_database
from bot.db.models.messages import MassMessage
from bot.db.models.slack import DigestPost, PostState
from bot.db.session import transaction
from bot.errors import UserError
from bot.sandbox import accounts
from bot.sandbox import mailbox as sandbox_mailbox
from bot.sandbox.district import District, make, staff, write
from bot.sandbox.mailbox import Mailbox
from bot.sandbox.sender import Progress, Sender, Sent
from bot.sandbox.slack import doors, web_api
from bot.sandbox.slack.workspace import Workspace
from bot.settings import Settings
from bot.sis.oneroster_csv import Export
from bot.sync.report import SyncReport
from bot.sync.run import run_sync
from bot.web.server import create_web_app

_WEB_API = "/sandbox/web-api"
_TIME_ZONE = "America/Chicago"
_OPT_IN_NUMBER = "+13125550100"
_SETTLE_SECONDS = 20.0
_UNDER_WAY = (PostState.PENDING, PostState.CLAIMED)


@dataclass(frozen=True)
class Stage:
    """What runs, and the two things that happen to a district: a mass message, and a night. `sis` is the SIS's export."""

    url: str
    settings: Settings
    engine: Engine
    slack: Workspace
    client: WebClient
    district: District
    sis: Path
    sender: Sender
    mailbox: Mailbox

    def work(self) -> None:
        """What the clock process does in each round."""
        clock.run_once(self.settings, self.engine, self.client)

    def sync(self, progress: Callable[[str, int, int], None] | None = None) -> SyncReport:
        """Tonight's sync, now.

        Raises:
            UserError: the brake, an unreadable export, or another sync.
        """
        return run_sync(
            self.engine,
            Export(self.sis),
            now=_now().astimezone(self.settings.zone),
            region=self.settings.phone_region,
            brake_percent=self.settings.sync_brake_percent,
            progress=progress,
        )

    def send(self, title: str, progress: Progress | None = None) -> Sent:
        """Text every family; returns when the message is settled and its digests are posted.

        Raises:
            UserError: it did not settle.
        """
        sent = self.sender.send(title, now=_now(), progress=progress)
        until = time.monotonic() + _SETTLE_SECONDS
        while not self.is_over(sent.message_id):
            if time.monotonic() > until:
                raise UserError(
                    "sandbox.not_settled", "The message was sent, but it did not settle. The log above says why."
                )
            self.work()
        return sent

    def is_over(self, message_id: str) -> bool:
        """Whether a mass message is settled and none of its digests waits to be posted."""
        open_posts = select(DigestPost.id).where(
            DigestPost.mass_message_id == message_id, DigestPost.state.in_(_UNDER_WAY)
        )
        with transaction(self.engine) as session:
            message = session.get_one(MassMessage, message_id)
            return message.settled_at is not None and session.scalar(open_posts.limit(1)) is None


@contextmanager
def opened(
    folder: Path, *, port: int, server_url: str, database: str, more: Callable[[Stage], Sequence[BaseRoute]]
) -> Iterator[Stage]:
    """The stage with a clean slate: a fresh `database` on the PostgreSQL server, a fresh export of the SIS in `folder`.

    `port` 0 takes a free one. `more` gives the routes that stand beside the bot's (the page, its controls).

    Raises:
        UserError: the port is taken.
    """
    listening = _listen(port)
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    engine = build_engine(_fresh_database(server_url, database))
    try:
        with (
            httpx.Client(base_url=url, timeout=30, limits=httpx.Limits(max_keepalive_connections=20)) as bot,
            sandbox_mailbox.opened() as mails,
        ):
            stage = _put_together(url, engine, folder / "sis", bot, mails)
            with _serving(_app(stage, more(stage)), listening):
                yield stage
    finally:
        engine.dispose()
        listening.close()


def _listen(port: int) -> socket.socket:
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(("127.0.0.1", port))
    except OSError as taken:
        listening.close()
        raise UserError(
            "sandbox.port_taken",
            f"Port {port} is taken, perhaps by a sandbox that still runs. "
            f"Stop that one, or take another port: .venv/bin/cleanup-bot sandbox --port {port + 1}",
        ) from taken
    return listening


def _fresh_database(server_url: str, name: str) -> str:
    """An empty database of that name with today's tables; what was in it before is gone."""
    admin = build_engine(server_url).execution_options(isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))
        connection.execute(text(f'CREATE DATABASE "{name}"'))
    url = admin.url.set(database=name).render_as_string(hide_password=False)
    admin.dispose()
    upgrade_database(url)
    return url


def _put_together(url: str, engine: Engine, sis: Path, bot: httpx.Client, mails: Mailbox) -> Stage:
    made = make()
    write(sis, _now().astimezone(ZoneInfo(_TIME_ZONE)).date())
    slack = accounts.workspace(made, app_url=url, web_api_url=url + _WEB_API, time_zone=_TIME_ZONE)
    settings = _settings(slack, engine, sis, url, mails)
    secret = {name: getattr(settings, name).get_secret_value() for name in ("ingest_token", "twilio_auth_token")}
    sender = Sender(engine, bot, truth=made.fate, **secret)
    return Stage(url, settings, engine, slack, slack_client(settings), made, sis, sender, mails)


def _settings(slack: Workspace, engine: Engine, sis: Path, url: str, mails: Mailbox) -> Settings:
    """Constructed bare, so that nothing comes from the environment or a `.env`: a sandbox is the same on every machine."""
    return Settings.model_construct(
        database_url=SecretStr(engine.url.render_as_string(hide_password=False)),
        slack_bot_token=SecretStr(slack.bot_token),
        slack_signing_secret=SecretStr(slack.signing_secret),
        slack_api_url=f"{slack.base_url}/api/",
        timezone=_TIME_ZONE,
        sis_oneroster_csv=sis,
        export_roles=("siteadministrator",),
        twilio_auth_token=SecretStr(secrets.token_hex(16)),
        ingest_token=SecretStr(secrets.token_hex(16)),
        settle_after=timedelta(minutes=5),
        opt_in_number=_OPT_IN_NUMBER,
        public_url=url,
        smtp_url=SecretStr(mails.url),
        mail_from=f"contact-cleanup@{staff.MAIL_DOMAIN}",
    )


def _app(stage: Stage, more: Sequence[BaseRoute]) -> Starlette:
    bot = create_web_app(stage.settings, stage.engine, build_bolt_app(stage.settings, stage.engine))
    little_slack = Mount(_WEB_API, web_api.app(stage.slack))
    return Starlette(routes=[little_slack, *doors.routes(stage.slack), *more, Mount("/", bot)])


@contextmanager
def _serving(everything: Starlette, listening: socket.socket) -> Iterator[None]:
    """Serve in a thread. At the end, a page that waits for news is not waited for."""
    config = uvicorn.Config(
        everything, log_config=None, access_log=False, lifespan="off", ws="none", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="sandbox-web", daemon=True)
    listening.listen(128)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(timeout=5)


@contextmanager
def ticking(stage: Stage, *, seconds: float = 1.0) -> Iterator[None]:
    """The clock, in a thread, for as long as the block lasts."""
    over = threading.Event()

    def tick() -> None:
        while not over.wait(seconds):
            stage.work()

    thread = threading.Thread(target=tick, name="sandbox-clock", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(timeout=5)


def _now() -> datetime:
    return datetime.now(UTC)
