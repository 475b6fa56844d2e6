from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from support import aeries_server, mail_server, people
from support import sis_bundles as bundles
from support.command_line import is_one_readable_line, sis_settings
from support.sis_server import serving

from bot.cli import checks, manifest
from bot.db.models.refusals import RefusedRequests
from bot.sandbox.slack.server import serve
from bot.sandbox.slack.workspace import Workspace
from bot.settings import Settings


def line(done, name):
    """The line of a check, by the start of its name."""
    return next(line for line in done.stdout.splitlines() if line[2:].startswith(name))


def test_every_check_passes_in_a_complete_installation(run, slack, export):
    assert run("sync", "sis").returncode == 0
    done = run("doctor", **slack)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "✗" not in done.stdout
    assert line(done, "delivery receipts").startswith("· ")


@pytest.mark.parametrize(
    ("settings", "mark", "said"),
    [
        ({}, "✗ SIS", "cleanup-bot sync"),
        ({"SLACK_BOT_TOKEN": "xoxb-wrong"}, "✗ Slack token", "invalid_auth"),
        ({"SLACK_BOT_TOKEN": ""}, "✗ Slack token", "OAuth & Permissions"),
        ({"SLACK_API_URL": "http://127.0.0.1:1/api/"}, "✗ Slack token", "does not answer"),
        ({"SLACK_SIGNING_SECRET": ""}, "✗ SLACK_SIGNING_SECRET", "Basic Information"),
        ({"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/x"}, "✗ database", "DATABASE_URL"),
    ],
)
def test_a_failed_check_says_what_to_do(run, slack, settings, mark, said):
    done = run("doctor", **{**slack, **settings})
    assert done.returncode == 1
    assert any(line.startswith(mark) and said in line for line in done.stdout.splitlines()), done.stdout
    assert is_one_readable_line(done.stderr), done.stderr


def test_invalid_settings_are_one_line(run):
    done = run("doctor", TIMEZONE="Chicago")
    assert (done.returncode, done.stdout) == (1, "")
    assert is_one_readable_line(done.stderr), done.stderr


def test_providers_whose_receipts_are_accepted_are_named(run, slack):
    done = run("doctor", **slack, TWILIO_AUTH_TOKEN="one" * 6, TELNYX_PUBLIC_KEY="two" * 6)
    assert line(done, "delivery receipts") == "✓ delivery receipts are accepted from telnyx, twilio."


@pytest.mark.parametrize(
    ("name", "short", "whole"),
    [
        ("INGEST_TOKEN", "x" * 15, "x" * 16),
        ("SLACK_SIGNING_SECRET", f"{'x' * 16},x", f"{'x' * 16},{'y' * 16}"),
        ("TWILIO_AUTH_TOKEN", "secret", "x" * 32),
        ("BANDWIDTH_BASIC_AUTH", f"bandwidth:{'x' * 15}", f"b:{'x' * 16}"),
    ],
)
def test_a_secret_shorter_than_16_characters_is_refused(name, short, whole):
    checked = [checks.secret_lengths(Settings(_env_file=None, **{name.lower(): value})) for value in (short, whole)]
    assert [check.ok for check in checked] == [False, True]
    assert name in checked[0].sentence
    assert short not in checked[0].sentence


@pytest.mark.parametrize(("count", "mark"), [(3, "· "), (10, "✗ ")])
def test_refused_requests_are_named_and_many_fail(run, slack, session, count, mark):
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    session.add(RefusedRequests(source="slack", reason="the signature does not match", hour=hour, count=count))
    session.commit()
    refused = line(run("doctor", **slack), "refused requests")
    assert refused.startswith(mark)
    assert (
        f"{count} requests from slack refused since {hour.astimezone(ZoneInfo('America/Chicago')).hour}:00" in refused
    )
    assert "the signature does not match; check SLACK_SIGNING_SECRET" in refused


def test_the_mail_server_is_tried(run, slack):
    with mail_server.serve() as (_, port):
        done = run("doctor", **slack, SMTP_URL=f"smtp://127.0.0.1:{port}")
        assert line(done, "SMTP_URL").startswith("✓ ")
    refused = run("doctor", **slack, SMTP_URL=f"smtp://someone:s3cret@127.0.0.1:{port}")
    assert line(refused, "SMTP_URL").startswith("✗ ")
    assert "s3cret" not in refused.stdout


def test_a_required_scope_that_is_missing_is_named(run):
    granted = manifest.read()
    granted["oauth_config"]["scopes"]["bot"].remove("users:read.email")
    granted["oauth_config"]["scopes"]["bot"].remove("groups:history")
    workspace = Workspace(granted)
    with serve(workspace) as url:
        done = run("doctor", SLACK_API_URL=url, SLACK_BOT_TOKEN=workspace.bot_token)
    scopes = line(done, "Slack scopes")
    assert scopes.startswith("✗")
    assert "users:read.email" in scopes
    assert "groups:history" not in scopes


def test_the_configured_sis_is_tried(run):
    with serving(bundles.a_district(), 2) as sis:
        configured = sis_settings(sis)
        assert line(run("doctor", **configured), "SIS source").startswith("✓ ")
        refused = line(run("doctor", **{**configured, "SIS_ONEROSTER_CLIENT_SECRET": "wr0ng"}), "SIS source")
        assert refused.startswith("✗ ")
        assert "401" in refused
        half = line(run("doctor", SIS_ONEROSTER_URL=configured["SIS_ONEROSTER_URL"]), "SIS source")
        assert "SIS_ONEROSTER_CLIENT_ID" in half
    assert line(run("doctor"), "SIS source").startswith("· ")


def test_the_certificate_of_aeries_is_tried():
    def checked(**settings):
        [check] = checks.check_write_back(Settings(_env_file=None, sis_write_back="aeries", **settings))
        return check.ok, check.sentence

    with aeries_server.serving() as aeries:
        url = f"{aeries.url}/aeries"
        good, sentence = checked(sis_aeries_url=url, sis_aeries_certificate=aeries_server.CERTIFICATE)
        assert good, sentence
        for settings, said in [
            ({"sis_aeries_url": url, "sis_aeries_certificate": "wr0ng"}, "SIS_AERIES_CERTIFICATE"),
            ({"sis_aeries_url": f"{url}/admin", "sis_aeries_certificate": "wr0ng"}, "SIS_AERIES_URL"),
            ({"sis_aeries_url": url}, "SIS_AERIES_CERTIFICATE"),
        ]:
            good, sentence = checked(**settings)
            assert not good
            assert said in sentence
            assert "wr0ng" not in sentence
    assert aeries.writes == []
    assert checks.check_write_back(Settings(_env_file=None)) == []


@pytest.mark.parametrize(
    ("skew", "ok", "said"),
    [
        (timedelta(seconds=1), True, "agree."),
        (timedelta(minutes=4), False, "differ by 240 s."),
        (timedelta(days=-2, seconds=-5), False, "differ by 172,805 s."),
    ],
)
def test_clock_skew_is_reported_in_whole_seconds(skew, ok, said):
    check = checks.clock_skew("clock and Slack", people.NOW + skew, people.NOW)
    assert check.ok is ok
    assert check.sentence.startswith(said)
