from datetime import UTC, datetime, timedelta

import pytest
from support import people, twilio_server
from support.command_line import is_one_readable_line
from support.twilio_server import CREDENTIALS, answering

from bot.db.session import transaction


@pytest.fixture
def server():
    """A Twilio account that has texted ten families an hour ago."""
    sent_at = datetime.now(UTC) - timedelta(hours=1)
    with twilio_server.serving() as server:
        for number in range(10):
            server.send(f"+1312555014{number}", at=sent_at)
        server.send("+13125550199", "", at=sent_at, status="sent")
        yield server


@pytest.fixture
def configured(server):
    return {"PULL_TWILIO": CREDENTIALS, "PULL_TWILIO_URL": server.url}


def test_pull_says_what_was_new(run, configured, empty_database):
    with transaction(empty_database) as session:
        people.contact(session, people.student(session), phone="+13125550142")
    pulled = run("pull", "twilio", "--since", "2026-01-01", **configured)
    assert pulled.stdout.splitlines() == [
        "11 texts read: 1 new mass message, 1 new delivery, 10 new results, 0 opt-outs and opt-ins, 0 texts for a person to read.",
        "Left out 9 texts to numbers that no contact has.",
        "Left out 1 text whose body the log does not show: send their mass messages to POST /mass-messages.",
        "Without a final result yet: 1 text. The next pull reads them again.",
    ]
    again = run("pull", "Twilio", **configured)
    assert again.stdout.startswith("11 texts read: 0 new mass messages, 0 new deliveries, 0 new results")


@pytest.mark.parametrize(
    ("arguments", "settings", "hint"),
    [
        (["twilio"], {"PULL_TWILIO": ""}, "AC…:SK…:secret"),
        (["twilio"], {"PULL_TWILIO": "SK1:secret"}, "PULL_TWILIO: write the account SID"),
        (["twilio"], {"PULL_TWILIO_URL": "http://twilio.example"}, "https"),
        (["twilio", "--since", "2999-01-01"], {}, "future"),
        (["telnyx"], {}, "cleanup-bot pull twilio"),
    ],
)
def test_pull_says_how_to_fix_what_is_wrong(run, configured, arguments, settings, hint):
    result = run("pull", *arguments, **configured | settings)
    assert result.returncode != 0
    assert hint in result.stderr
    assert is_one_readable_line(result.stderr)
    assert "secret" not in result.stderr.replace("SK…:secret", "")


def test_refused_key_is_named_by_pull_and_doctor(run, configured, server):
    assert "✓ message log of twilio" in run("doctor", **configured).stdout
    server.faults = [answering(401, 20003)] * 2
    refused = run("pull", "twilio", **configured)
    assert (refused.returncode, is_one_readable_line(refused.stderr)) == (1, True)
    assert "Check PULL_TWILIO" in refused.stderr
    assert "✗ message log of twilio" in run("doctor", **configured).stdout
