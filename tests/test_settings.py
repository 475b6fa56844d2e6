from datetime import time, timedelta

import pytest

from bot import settings
from bot.errors import UserError
from bot.settings import Settings


@pytest.fixture(autouse=True)
def _an_empty_environment(monkeypatch, tmp_path):
    """No `.env` of the developer, no variable of the machine."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def test_nothing_has_to_be_set_to_try_it():
    here = settings.load()
    assert (here.port, here.sync_at, here.phone_region) == (3000, time(2, 30), "US")
    assert here.database_url is None


@pytest.mark.parametrize("name", ["SETTLE_AFTER", "FIRST_LOOK_AFTER", "SYNC_WHOLE_EVERY"])
@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("24", timedelta(hours=24)),
        ("36h", timedelta(hours=36)),
        ("90m", timedelta(minutes=90)),
        ("3d", timedelta(days=3)),
        ("0.5", timedelta(minutes=30)),
    ],
)
def test_how_long_a_message_waits_is_written_as_people_write_it(monkeypatch, name, written, meant):
    monkeypatch.setenv(name, written)
    assert getattr(settings.load(), name.lower()) == meant


def test_addresses_are_a_list_with_commas_in_any_case(monkeypatch):
    monkeypatch.setenv("ADMIN_EMAILS", "Dana.Diaz@District.example, it@district.example,")
    assert settings.load().admin_emails == ("dana.diaz@district.example", "it@district.example")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("TIMEZONE", "Chicago", "America/Chicago"),
        ("PHONE_REGION", "USA", "two-letter"),
        ("PORT", "http", "PORT"),
        ("SETTLE_AFTER", "soon", "number of hours"),
        ("FIRST_LOOK_AFTER", "soon", "30m"),
        ("SYNC_AT", "noonish", "SYNC_AT"),
        ("SYNC_BRAKE_PERCENT", "150", "100"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named_with_what_to_write(monkeypatch, name, value, said):
    monkeypatch.setenv(name, value)
    with pytest.raises(UserError) as problem:
        settings.load()
    assert name in problem.value.sentence
    assert said in problem.value.sentence


def test_an_empty_variable_is_one_that_is_not_set(monkeypatch):
    monkeypatch.setenv("SLACK_BOT_TOKEN", "")
    assert settings.load().slack_bot_token is None


def test_no_secret_is_ever_printed(monkeypatch):
    secrets = ("DATABASE_URL", "SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET", "TWILIO_AUTH_TOKEN", "INGEST_TOKEN")
    for name in secrets:
        monkeypatch.setenv(name, "hunter2")
    here = settings.load()
    assert "hunter2" not in f"{here!r} {here} {here.model_dump()} {here.model_dump_json()}"


def test_the_values_of_a_wrong_setting_are_not_repeated(monkeypatch):
    monkeypatch.setenv("PORT", "hunter2")
    with pytest.raises(UserError) as problem:
        settings.load()
    assert "hunter2" not in problem.value.sentence


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://sis.example/ims/oneroster/v1p1", "must begin with https://"),
        ("sis.example/ims/oneroster/v1p1", "must begin with https://"),
        ("https://me:secret@sis.example/ims/oneroster/v1p1", "is not an address"),
        ("https:///ims/oneroster/v1p1", "is not an address"),
        ("https://sis.example/", "ends with the version"),
        ("https://sis.example/ims/oneroster/v1p1?key=secret", "ends with the version"),
    ],
)
def test_an_address_of_the_sis_that_is_unsafe_or_incomplete_is_refused_and_not_repeated(monkeypatch, url, said):
    monkeypatch.setenv("SIS_ONEROSTER_URL", url)
    with pytest.raises(UserError, match=said) as refused:
        settings.load()
    assert "SIS_ONEROSTER_URL" in refused.value.sentence
    assert "secret" not in refused.value.sentence
