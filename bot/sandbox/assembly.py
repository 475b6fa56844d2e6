"""All parts of the sandbox on one port of this machine: the bot as districts run it, the local Slack, the SIS export, the
sender that texts, a mail server. The bot does not know that they are made up.

The bot's endpoints have their real paths (`/slack/events` ...), the local Slack's Web API is below `/sandbox/web-api`.
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
from typing import Any
from zoneinfo import ZoneInfo

import httpx
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
from bot.sandbox import mailbox
from bot.sandbox.district import maplewood, schools, slack_workspace
from bot.sandbox.district.maplewood import District
from bot.sandbox.mailbox import Mailbox
from bot.sandbox.sender import ReceiptProgress, Sender, Sent
from bot.sandbox.slack import page_api, server
from bot.sandbox.slack.web_api.app import create_app
from bot.sandbox.slack.workspace import Workspace
from bot.settings import Settings
from bot.sis.oneroster_csv import Export
from bot.sync.report import SyncReport
from bot.sync.run import run_sync
from bot.web.server import create_web_app

# Called with the step, the rows done, and their total.
SyncProgress = Callable[[str, int, int], None]
ExtraRoutes = Callable[["Sandbox"], Sequence[BaseRoute]]

_WEB_API = "/sandbox/web-api"
_TIME_ZONE = "America/Chicago"
OPT_IN_NUMBER = "+13125550100"
_FINAL_WITHIN_SECONDS = 20.0


@dataclass(frozen=True)
class Sandbox:
    """The running parts; `sis` is the folder of the SIS export."""

    url: str
    settings: Settings
    engine: Engine
    slack: Workspace
    client: WebClient
    district: District
    sis: Path
    sender: Sender
    mailbox: Mailbox

    def run_due_work(self) -> None:
        """One round of the clock process."""
        clock.run_once(self.settings, self.engine, self.client)

    def sync(self, progress: SyncProgress | None = None) -> SyncReport:
        """Run tonight's sync now.

        Raises:
            UserError: the sync is held, the export is unreadable, or another sync is running.
        """
        return run_sync(
            self.engine,
            Export(self.sis),
            now=_now().astimezone(self.settings.zone),
            region=self.settings.phone_region,
            hold_percent=self.settings.sync_brake_percent,
            progress=progress,
        )

    def restore_sis(self) -> None:
        """Write the SIS's export as it was at the start, without the numbers that were changed in it since."""
        maplewood.write_export(self.sis, _now().astimezone(self.settings.zone).date())

    def send(self, title: str, progress: ReceiptProgress | None = None) -> Sent:
        """Text every family; return when the mass message is final and its digests are posted.

        Raises:
            UserError: that takes too long.
        """
        sent = self.sender.send(title, now=_now(), progress=progress)
        deadline = time.monotonic() + _FINAL_WITHIN_SECONDS
        while not self.is_finished(sent.message_id):
            if time.monotonic() > deadline:
                sentence = "The message was sent, but its results are still not final. The log above has the reason."
                raise UserError("message.not_final", sentence)
            self.run_due_work()
        return sent

    def is_finished(self, message_id: str) -> bool:
        """Whether a mass message is final and all of its digests are posted."""
        unposted = select(DigestPost.id).where(
            DigestPost.mass_message_id == message_id, DigestPost.state.in_((PostState.PENDING, PostState.CLAIMED))
        )
        with transaction(self.engine) as session:
            message = session.get_one(MassMessage, message_id)
            return message.settled_at is not None and session.scalar(unposted.limit(1)) is None


@contextmanager
def open_sandbox(
    folder: Path,
    *,
    port: int,
    server_url: str,
    database: str,
    manifest: dict[str, Any],
    extra_routes: ExtraRoutes = lambda _sandbox: (),
) -> Iterator[Sandbox]:
    """Start from scratch: an empty `database` on the PostgreSQL server, a new SIS export in `folder`.

    `port` 0 takes a free one. `extra_routes` are served beside the bot's (the page, its panel).

    Raises:
        UserError: the port is taken.
    """
    listener = _listen(port)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    engine = build_engine(_empty_database(server_url, database))
    try:
        with (
            httpx.Client(base_url=url, timeout=30, limits=httpx.Limits(max_keepalive_connections=20)) as bot,
            mailbox.serve() as mails,
        ):
            sandbox = _assemble(url, engine, sis=folder / "sis", manifest=manifest, bot=bot, mails=mails)
            app = _web_app(sandbox, extra_routes(sandbox))
            with server.serve_on(listener, app, wait_for_end=True):
                yield sandbox
    finally:
        engine.dispose()
        listener.close()


def _listen(port: int) -> socket.socket:
    try:
        return server.listen(port)
    except OSError as error:
        raise UserError(
            "port.taken",
            f"Port {port} is already in use, perhaps by another sandbox. "
            f"Stop that one, or use another port: cleanup-bot sandbox --port {port + 1}",
        ) from error


def _empty_database(server_url: str, name: str) -> str:
    """Replace the database of that name by one with the current tables, and return its URL."""
    admin = build_engine(server_url).execution_options(isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))
        connection.execute(text(f'CREATE DATABASE "{name}"'))
    url = admin.url.set(database=name).render_as_string(hide_password=False)
    admin.dispose()
    upgrade_database(url)
    return url


def _assemble(
    url: str, engine: Engine, *, sis: Path, manifest: dict[str, Any], bot: httpx.Client, mails: Mailbox
) -> Sandbox:
    district = maplewood.generate()
    maplewood.write_export(sis, _now().astimezone(ZoneInfo(_TIME_ZONE)).date())
    slack = slack_workspace.create(district, manifest, app_url=url, web_api_url=url + _WEB_API, time_zone=_TIME_ZONE)
    settings = _settings(slack, engine, sis, url, mails)
    sender_secrets = {
        name: getattr(settings, name).get_secret_value() for name in ("ingest_token", "twilio_auth_token")
    }
    sender = Sender(engine, bot, result_of=district.text_result, **sender_secrets)
    return Sandbox(url, settings, engine, slack, slack_client(settings), district, sis, sender, mails)


def _settings(slack: Workspace, engine: Engine, sis: Path, url: str, mails: Mailbox) -> Settings:
    # Nothing is read from the environment or a `.env`: a sandbox is the same on every machine.
    return Settings.model_construct(
        database_url=SecretStr(engine.url.render_as_string(hide_password=False)),
        slack_bot_token=SecretStr(slack.bot_token),
        slack_signing_secret=SecretStr(slack.signing_secret),
        slack_api_url=f"{slack.base_url}/api/",
        timezone=_TIME_ZONE,
        sis_oneroster_csv=sis,
        export_roles=("districtadministrator",),
        twilio_auth_token=SecretStr(secrets.token_hex(16)),
        ingest_token=SecretStr(secrets.token_hex(16)),
        settle_after=timedelta(minutes=5),
        opt_in_number=OPT_IN_NUMBER,
        public_url=url,
        smtp_url=SecretStr(mails.url),
        mail_from=f"contact-cleanup@{schools.MAIL_DOMAIN}",
    )


def _web_app(sandbox: Sandbox, extra_routes: Sequence[BaseRoute]) -> Starlette:
    bot = create_web_app(sandbox.settings, sandbox.engine, build_bolt_app(sandbox.settings, sandbox.engine))
    web_api = Mount(_WEB_API, create_app(sandbox.slack))
    return Starlette(routes=[web_api, *page_api.routes(sandbox.slack), *extra_routes, Mount("/", bot)])


@contextmanager
def running_clock(sandbox: Sandbox, *, seconds: float = 1.0) -> Iterator[None]:
    """Run the clock in a thread, a round every `seconds`."""
    stopped = threading.Event()

    def run() -> None:
        while not stopped.wait(seconds):
            sandbox.run_due_work()

    thread = threading.Thread(target=run, name="sandbox-clock", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join(timeout=5)


def _now() -> datetime:
    return datetime.now(UTC)
