"""Everything a district can configure, read from the environment or a `.env` file and validated. `docs/settings.md` describes each."""

import re
from datetime import time, timedelta
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers
from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from bot.errors import UserError

SLACK_API_URL = "https://slack.com/api/"
_SHORTEST_PERIOD = timedelta(days=30)
_LOCALHOST = ("localhost", "127.0.0.1", "::1")
# The form of each setting with which a provider's log is pulled, and how it is described.
PULL_CREDENTIALS = {
    "pull_twilio": (
        re.compile(r"AC[0-9a-f]{32}:(SK[0-9a-f]{32}:)?[^\s:]+", re.IGNORECASE),
        "the account SID with its auth token, AC…:token, or with an API key, AC…:SK…:secret",
    ),
    "pull_telnyx": (re.compile(r"[^\s:]+"), "an API key, KEY…"),
    "pull_plivo": (
        re.compile(r"[MS]A[0-9A-Z]{18}:[^\s:]+", re.IGNORECASE),
        "the auth ID with its auth token, MA…:token",
    ),
    "pull_vonage": (re.compile(r"[0-9a-z]{8}:[^\s:]+", re.IGNORECASE), "the API key with its secret, a1b2c3d4:secret"),
}
_ONEROSTER_VERSION = re.compile(r"/v?1[p.][12]/?$")


class Settings(BaseSettings):
    """One field per environment variable, named alike in lower case. Secrets never appear in a repr."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True, env_ignore_empty=True)

    database_url: SecretStr | None = None
    database_url_direct: SecretStr | None = None
    slack_bot_token: SecretStr | None = None
    slack_signing_secret: SecretStr | None = None
    slack_app_token: SecretStr | None = None
    slack_api_url: str = SLACK_API_URL
    sentry_dsn: SecretStr | None = None
    log_format: Literal["text", "json"] = "text"
    port: int = Field(default=3000, ge=1, le=65535)
    timezone: str = "America/Chicago"
    phone_region: str = "US"
    ask_teachers: Literal["off", "button", "daily"] = "button"
    sis_oneroster_csv: Path | None = None
    sis_oneroster_url: str | None = None
    sis_oneroster_client_id: str | None = None
    sis_oneroster_client_secret: SecretStr | None = None
    sis_oneroster_token_url: str | None = None
    sis_oneroster_token: SecretStr | None = None
    sis_powerschool_url: str | None = None
    sis_powerschool_client_id: str | None = None
    sis_powerschool_client_secret: SecretStr | None = None
    sis_aeries_url: str | None = None
    sis_aeries_certificate: SecretStr | None = None
    sis_write_back: Literal["powerschool", "aeries"] | None = None
    sis_contacts_csv: Path | None = None
    sis_name: str = "the student information system"
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
    metrics_token: SecretStr | None = None
    pull_twilio: SecretStr | None = None
    pull_twilio_url: str = "https://api.twilio.com"
    pull_telnyx: SecretStr | None = None
    pull_telnyx_url: str = "https://api.telnyx.com"
    pull_plivo: SecretStr | None = None
    pull_plivo_url: str = "https://api.plivo.com"
    pull_vonage: SecretStr | None = None
    pull_vonage_url: str = "https://api.nexmo.com"
    pull_every: timedelta = timedelta(minutes=15)
    settle_after: timedelta = timedelta(hours=24)
    first_look_after: timedelta = timedelta(minutes=30)
    messenger_reads_edits: bool = False
    opt_in_number: str | None = None
    opt_out_words: Annotated[tuple[str, ...], NoDecode] = ()
    public_url: str | None = None
    trusted_proxies: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = ()
    sync_whole_every: timedelta = timedelta(days=7)
    sync_brake_percent: float = Field(default=5.0, ge=0, le=100)
    keep_messages: timedelta = timedelta(days=400)
    keep_waiting_receipts: timedelta = timedelta(days=30)
    keep_audit: timedelta = timedelta(days=1096)
    keep_families: timedelta = timedelta(days=400)
    keep_scores: timedelta = timedelta(days=1826)
    reachable_days: int = Field(default=120, ge=7, le=400)
    keep_files: timedelta = timedelta(days=7)
    smtp_url: SecretStr | None = None
    mail_from: str | None = None
    templates: Path | None = None

    @model_validator(mode="before")
    @classmethod
    def _strip(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Drop blanks and newlines around values, which come along when a secret is copied; what is empty then is not set."""
        stripped = {name: value.strip() if isinstance(value, str) else value for name, value in values.items()}
        return {name: value for name, value in stripped.items() if value != ""}

    @field_validator("admin_emails", "editor_roles", "export_roles", "opt_out_words", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        """Split at commas, in lower case."""
        if not isinstance(value, str):
            return value
        return tuple(word.strip().lower() for word in value.split(",") if word.strip())

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _parse_networks(cls, value: object) -> object:
        """Accept addresses and networks, separated by commas."""
        if not isinstance(value, str):
            return value
        try:
            return tuple(ip_network(word.strip()) for word in value.split(",") if word.strip())
        except ValueError as error:
            raise ValueError("write addresses or networks, such as 10.0.0.7 or 10.0.0.0/24") from error

    @field_validator(
        *("settle_after", "first_look_after", "sync_whole_every", "pull_every"),
        *("keep_messages", "keep_waiting_receipts", "keep_audit", "keep_families", "keep_scores", "keep_files"),
        mode="before",
    )
    @classmethod
    def _parse_duration(cls, value: object) -> object:
        """Accept hours as a plain number, `30m`, `36h`, `3d`, and what pydantic accepts after a P."""
        if not isinstance(value, str) or value.upper().startswith("P"):
            return value
        units = {"m": "minutes", "h": "hours", "d": "days"}
        unit = units.get(value[-1:].lower())
        number = value[:-1] if unit else value
        try:
            return timedelta(**{unit or "hours": float(number)})
        except ValueError as error:
            raise ValueError("write a number of hours, or 30m, 36h, 3d") from error

    @field_validator("keep_messages", "keep_waiting_receipts", "keep_audit", "keep_families", "keep_scores")
    @classmethod
    def _check_period(cls, value: timedelta) -> timedelta:
        """Refuse a period in which rows that are still needed would go: a message is open, and can be undone, for days."""
        if value < _SHORTEST_PERIOD:
            raise ValueError(f"must be at least {_SHORTEST_PERIOD.days} days, as in 400d")
        return value

    @field_validator("keep_files")
    @classmethod
    def _check_day(cls, value: timedelta) -> timedelta:
        if value < timedelta(days=1):
            raise ValueError("must be at least a day, as in 7d")
        return value

    @field_validator("smtp_url")
    @classmethod
    def _check_mail_server(cls, value: SecretStr | None) -> SecretStr | None:
        url = urlsplit(value.get_secret_value()) if value else None
        if url and (url.scheme not in {"smtp", "smtps"} or not url.hostname):
            raise ValueError("write smtp://user:password@host:587 or smtps://user:password@host:465")
        return value

    @field_validator(*PULL_CREDENTIALS)
    @classmethod
    def _check_pull_credentials(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        form, description = PULL_CREDENTIALS[info.field_name or ""]
        if value and not form.fullmatch(value.get_secret_value()):
            raise ValueError(f"write {description}")
        return value

    @field_validator(
        *("sis_oneroster_url", "sis_oneroster_token_url", "sis_powerschool_url", "sis_aeries_url"),
        *(f"{name}_url" for name in PULL_CREDENTIALS),
    )
    @classmethod
    def _check_sis_url(cls, value: str | None) -> str | None:
        """Require https: a roster, texts, and the secrets for them are never sent over the network unencrypted."""
        if value is None:
            return None
        url = urlsplit(value)
        if url.scheme != "https" and not (url.scheme == "http" and url.hostname in _LOCALHOST):
            raise ValueError("must begin with https://")
        if not url.hostname or url.username or url.password or url.fragment:
            raise ValueError("is not a URL such as https://sis.example/ims/oneroster/v1p1")
        try:
            url.port  # noqa: B018 (Parsed here, and refused where it is no number of a port.)
        except ValueError as error:
            raise ValueError("has a port that is not a number from 0 to 65535") from error
        return value

    @field_validator("sis_oneroster_token", "sis_aeries_certificate")
    @classmethod
    def _check_token(cls, value: SecretStr | None) -> SecretStr | None:
        """Accept a token that was copied with the word before it; a header can hold nothing but ASCII."""
        token = re.sub(r"^Bearer\s+", "", value.get_secret_value(), flags=re.IGNORECASE) if value else ""
        if re.search(r"[^!-~]", token):
            raise ValueError("must be one word of letters, digits, and signs, as the SIS shows it")
        return SecretStr(token) if token else None

    @field_validator("sis_oneroster_url")
    @classmethod
    def _check_oneroster_version(cls, value: str | None) -> str | None:
        if value is not None and (urlsplit(value).query or not _ONEROSTER_VERSION.search(urlsplit(value).path)):
            raise ValueError("must end with the version, as in /ims/oneroster/v1p1 or /ims/oneroster/rostering/v1p2")
        return value

    @field_validator("timezone")
    @classmethod
    def _check_timezone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError("is not an IANA time zone such as America/Chicago") from error
        return value

    @field_validator("phone_region")
    @classmethod
    def _check_region(cls, value: str) -> str:
        if value.upper() not in phonenumbers.SUPPORTED_REGIONS:
            raise ValueError("is not a two-letter country code such as US")
        return value.upper()

    def secret(self, name: str) -> str | None:
        """Return the value of the secret with this field name."""
        value: SecretStr | None = getattr(self, name)
        return value.get_secret_value() if value else None

    @property
    def write_back_name(self) -> str:
        """The SIS that takes new numbers, as people call it; `sis_name` if none does."""
        return {"powerschool": "PowerSchool", "aeries": "Aeries"}.get(self.sis_write_back or "", self.sis_name)

    @property
    def signing_secrets(self) -> tuple[str, ...]:
        """Slack's signing secret; both of them while it is being replaced: `old,new`."""
        secrets = (self.secret("slack_signing_secret") or "").split(",")
        return tuple(secret.strip() for secret in secrets if secret.strip())

    def is_trusted_proxy(self, address: str) -> bool:
        """Return whether a connection from this IP address may report the original client address and URL."""
        return any(ip_address(address) in network for network in self.trusted_proxies)

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)


def load() -> Settings:
    """Return the settings of this process.

    Raises:
        UserError: settings are invalid; it names each with the reason, never its value.
    """
    try:
        return Settings()
    except ValidationError as invalid:
        reasons = "; ".join(
            f"{str(error['loc'][0]).upper()}: {error['msg'].removeprefix('Value error, ')}"
            for error in invalid.errors()
        )
        raise UserError("settings.invalid", f"Settings: {reasons}.") from None
