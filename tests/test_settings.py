from datetime import time, timedelta

import pytest

from bot import settings
from bot.errors import UserError
from bot.settings import Settings


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch, tmp_path):
    """Hide the developer's `.env` and variables."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def test_every_setting_has_a_default():
    config = settings.load()
    assert (config.port, config.sync_at, config.phone_region) == (3000, time(2, 30), "US")
    assert config.database_url is None


@pytest.mark.parametrize("name", ["SETTLE_AFTER", "FIRST_LOOK_AFTER", "SYNC_WHOLE_EVERY"])
@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("24", timedelta(hours=24)),
        ("36h", timedelta(hours=36)),
        ("90m", timedelta(minutes=90)),
        ("3d", timedelta(days=3)),
        ("0.5", timedelta(minutes=30)),
    ],
)
def test_durations_are_hours_or_have_a_unit(monkeypatch, name, text, duration):
    monkeypatch.setenv(name, text)
    assert getattr(settings.load(), name.lower()) == duration


def test_emails_are_split_at_commas_and_lowercased(monkeypatch):
    monkeypatch.setenv("ADMIN_EMAILS", "Dana.Diaz@District.example, it@district.example,")
    assert settings.load().admin_emails == ("dana.diaz@district.example", "it@district.example")


@pytest.mark.parametrize(
    ("name", "value", "hint"),
    [
        ("TIMEZONE", "Chicago", "America/Chicago"),
        ("PHONE_REGION", "USA", "two-letter"),
        ("PORT", "http", "PORT"),
        ("SETTLE_AFTER", "soon", "number of hours"),
        ("FIRST_LOOK_AFTER", "soon", "30m"),
        ("SYNC_AT", "noonish", "SYNC_AT"),
        ("SYNC_BRAKE_PERCENT", "150", "100"),
        ("TRUSTED_PROXIES", "nginx", "10.0.0.0/24"),
        ("TRUSTED_PROXIES", "10.0.0.1/24", "10.0.0.0/24"),
    ],
)
def test_an_invalid_setting_is_named_with_a_hint(monkeypatch, name, value, hint):
    monkeypatch.setenv(name, value)
    with pytest.raises(UserError) as error:
        settings.load()
    assert error.value.code == "settings.invalid"
    assert name in error.value.sentence
    assert hint in error.value.sentence


def test_an_empty_variable_counts_as_not_set(monkeypatch):
    monkeypatch.setenv("SLACK_BOT_TOKEN", "")
    assert settings.load().slack_bot_token is None


def test_blanks_and_newlines_around_a_value_are_dropped(monkeypatch):
    for name, value in {
        "SLACK_BOT_TOKEN": " xoxb-1\n",
        "PORT": "8080 ",
        "PUBLIC_URL": "\thttps://a.example\r\n",
    }.items():
        monkeypatch.setenv(name, value)
    config = settings.load()
    assert (config.secret("slack_bot_token"), config.port, config.public_url) == ("xoxb-1", 8080, "https://a.example")


@pytest.mark.parametrize("name", ["SLACK_SIGNING_SECRET", "PORT", "SIS_ONEROSTER_CSV", "ADMIN_EMAILS", "SYNC_AT"])
def test_a_blank_variable_counts_as_not_set(monkeypatch, name):
    default = getattr(settings.load(), name.lower())
    monkeypatch.setenv(name, " \n")
    assert getattr(settings.load(), name.lower()) == default


def test_no_secret_is_printed(monkeypatch):
    secrets = ("DATABASE_URL", "SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET", "TWILIO_AUTH_TOKEN", "INGEST_TOKEN")
    for name in secrets:
        monkeypatch.setenv(name, "hunter2")
    config = settings.load()
    assert "hunter2" not in f"{config!r} {config} {config.model_dump()} {config.model_dump_json()}"


def test_an_invalid_value_is_not_repeated(monkeypatch):
    monkeypatch.setenv("PORT", "hunter2")
    with pytest.raises(UserError) as error:
        settings.load()
    assert "hunter2" not in error.value.sentence


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://sis.example/ims/oneroster/v1p1", "must begin with https://"),
        ("sis.example/ims/oneroster/v1p1", "must begin with https://"),
        ("https://me:secret@sis.example/ims/oneroster/v1p1", "is not a URL"),
        ("https:///ims/oneroster/v1p1", "is not a URL"),
        ("https://sis.example:99999/ims/oneroster/v1p1", "has a port"),
        ("https://sis.example/", "must end with the version"),
        ("https://sis.example/ims/oneroster/v1p1?key=secret", "must end with the version"),
    ],
)
def test_an_unsafe_sis_url_is_refused_and_not_repeated(monkeypatch, url, reason):
    monkeypatch.setenv("SIS_ONEROSTER_URL", url)
    with pytest.raises(UserError, match=reason) as error:
        settings.load()
    assert "SIS_ONEROSTER_URL" in error.value.sentence
    assert "secret" not in error.value.sentence


@pytest.mark.parametrize("written", ["eyJ.x-_~+/=", " Bearer eyJ.x-_~+/=\n", "bearer  eyJ.x-_~+/="])
def test_token_is_read_as_it_is_copied(monkeypatch, written):
    monkeypatch.setenv("SIS_ONEROSTER_TOKEN", written)
    assert settings.load().secret("sis_oneroster_token") == "eyJ.x-_~+/="


@pytest.mark.parametrize("written", ["two words", "tökén"])
def test_token_that_no_header_can_hold_is_refused_and_not_repeated(monkeypatch, written):
    monkeypatch.setenv("SIS_ONEROSTER_TOKEN", written)
    with pytest.raises(UserError, match="SIS_ONEROSTER_TOKEN: must be one word") as error:
        settings.load()
    assert written not in error.value.sentence
