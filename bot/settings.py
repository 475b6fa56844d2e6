"""Everything a district can set, read from the environment (or a `.env` file) in one place and checked at the door."""

import re
from datetime import time, timedelta
from functools import cached_property
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from bot.errors import UserError

SLACK_API_URL = "https://slack.com/api/"
_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")
_VERSION = re.compile(r"/v?1[p.][12]/?$")


class Settings(BaseSettings):
    """Names are those of the environment, in lower case. Secrets never appear in a repr."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True, env_ignore_empty=True)

    database_url: SecretStr | None = None
    slack_bot_token: SecretStr | None = None
    slack_signing_secret: SecretStr | None = None
    slack_app_token: SecretStr | None = None
    slack_api_url: str = SLACK_API_URL
    port: int = Field(default=3000, ge=1, le=65535)
    timezone: str = "America/Chicago"
    phone_region: str = "US"
    sis_oneroster_csv: Path | None = None
    sis_oneroster_url: str | None = None
    sis_oneroster_client_id: str | None = None
    sis_oneroster_client_secret: SecretStr | None = None
    sis_oneroster_token_url: str | None = None
    sis_contacts_csv: Path | None = None
    sync_at: time = time(2, 30)
    admin_emails: Annotated[tuple[str, ...], NoDecode] = ()
    editor_roles: Annotated[tuple[str, ...], NoDecode] = ()
    export_roles: Annotated[tuple[str, ...], NoDecode] = ()
    twilio_auth_token: SecretStr | None = None
    telnyx_public_key: SecretStr | None = None
    bandwidth_basic_auth: SecretStr | None = None
    plivo_auth_token: SecretStr | None = None
    vonage_signature_secret: SecretStr | None = None
    sinch_webhook_secret: SecretStr | None = None
    infobip_basic_auth: SecretStr | None = None
    messagebird_signing_key: SecretStr | None = None
    bird_signing_key: SecretStr | None = None
    aws_sns_topic_arn: SecretStr | None = None
    azure_event_grid_key: SecretStr | None = None
    generic_receipts_secret: SecretStr | None = None
    ingest_token: SecretStr | None = None
    settle_after: timedelta = timedelta(hours=24)
    first_look_after: timedelta = timedelta(minutes=30)
    opt_in_number: str | None = None
    public_url: str | None = None
    sync_whole_every: timedelta = timedelta(days=7)
    sync_brake_percent: float = Field(default=5.0, ge=0, le=100)
    smtp_url: SecretStr | None = None
    mail_from: str | None = None
    templates: Path | None = None

    @field_validator("admin_emails", "editor_roles", "export_roles", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return (
            tuple(word.strip().lower() for word in value.split(",") if word.strip())
            if isinstance(value, str)
            else value
        )

    @field_validator("settle_after", "first_look_after", "sync_whole_every", mode="before")
    @classmethod
    def _hours(cls, value: object) -> object:
        """A plain number is hours; `30m`, `36h`, `3d` say their unit."""
        if not isinstance(value, str) or value.upper().startswith("P"):
            return value
        units = {"m": "minutes", "h": "hours", "d": "days"}
        unit = units.get(value[-1:].lower())
        number = value[:-1] if unit else value
        try:
            return timedelta(**{unit or "hours": float(number)})
        except ValueError as problem:
            raise ValueError("write a number of hours, or 30m, 36h, 3d") from problem

    @field_validator("smtp_url")
    @classmethod
    def _mail_server(cls, value: SecretStr | None) -> SecretStr | None:
        there = urlsplit(value.get_secret_value()) if value else None
        if there and (there.scheme not in {"smtp", "smtps"} or not there.hostname):
            raise ValueError("write smtp://user:password@host:587 or smtps://user:password@host:465")
        return value

    @field_validator("sis_oneroster_url", "sis_oneroster_token_url")
    @classmethod
    def _safe_address(cls, value: str | None) -> str | None:
        """A roster, and the secret that opens it, go over the network only where nobody can read along."""
        if value is None:
            return None
        there = urlsplit(value)
        if there.scheme != "https" and not (there.scheme == "http" and there.hostname in _THIS_MACHINE):
            raise ValueError("must begin with https://")
        if not there.hostname or there.username or there.password or there.fragment:
            raise ValueError("is not an address; write one like https://sis.example/ims/oneroster/v1p1")
        return value

    @field_validator("sis_oneroster_url")
    @classmethod
    def _base_address(cls, value: str | None) -> str | None:
        if value is not None and (urlsplit(value).query or not _VERSION.search(urlsplit(value).path)):
            raise ValueError("ends with the version, like /ims/oneroster/v1p1 or /ims/oneroster/rostering/v1p2")
        return value

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as problem:
            raise ValueError("is not an IANA time zone; write one like America/Chicago") from problem
        return value

    @field_validator("phone_region")
    @classmethod
    def _known_region(cls, value: str) -> str:
        if value.upper() not in phonenumbers.SUPPORTED_REGIONS:
            raise ValueError("is not a two-letter country; write one like US")
        return value.upper()

    def secret(self, name: str) -> str | None:
        """What the secret of this name is set to."""
        value: SecretStr | None = getattr(self, name)
        return value.get_secret_value() if value else None

    @property
    def signing_secrets(self) -> tuple[str, ...]:
        """Slack's, and while it changes the new one beside the old: `old,new`."""
        secrets = (self.secret("slack_signing_secret") or "").split(",")
        return tuple(one.strip() for one in secrets if one.strip())

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)


def load() -> Settings:
    """The settings of this process.

    Raises:
        UserError: naming each setting that cannot be used and why; never its value.
    """
    try:
        return Settings()
    except ValidationError as problem:
        wrong = "; ".join(
            f"{str(error['loc'][0]).upper()}: {error['msg'].removeprefix('Value error, ')}"
            for error in problem.errors()
        )
        raise UserError("settings.wrong", f"Settings: {wrong}.") from None
