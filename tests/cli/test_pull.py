import signal
import subprocess
from datetime import UTC, datetime, timedelta

import pytest
from support import log_servers, people, twilio_server
from support.command_line import COMMAND, is_one_readable_line
from support.log_servers import Plivo, Telnyx, Vonage
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


@pytest.fixture
def maria(empty_database):
    with transaction(empty_database) as session:
        people.contact(session, people.student(session), phone="+13125550142")


@pytest.mark.usefixtures("maria")
def test_pull_says_what_was_new(run, configured):
    since = datetime.now(UTC) - timedelta(days=3)
    pulled = run("pull", "twilio", "--since", f"{since:%Y-%m-%d}", **configured)
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
        (["azure"], {}, "cleanup-bot pull twilio"),
        (["telnyx"], {}, "PULL_TELNYX is not set. Set it to an API key"),
        (["plivo"], {}, "MA…:token"),
        (["plivo"], {"PULL_PLIVO": "0123:secret"}, "PULL_PLIVO: write the auth ID"),
        (["vonage"], {"PULL_VONAGE": "a1b2c3d4"}, "PULL_VONAGE: write the API key with its secret"),
        (["vonage"], {"PULL_VONAGE_URL": "http://vonage.example"}, "https"),
    ],
)
def test_pull_says_how_to_fix_what_is_wrong(run, configured, arguments, settings, hint):
    result = run("pull", *arguments, **configured | settings)
    assert result.returncode != 0
    assert hint in result.stderr
    assert is_one_readable_line(result.stderr)
    assert "1:secret" not in result.stderr


@pytest.mark.usefixtures("maria")
@pytest.mark.parametrize("page", [1, 2, 3])
def test_killed_pull_continues(environment, run, configured, server, page):
    def kill(request):
        processes[0].kill()
        return server_page(request)

    processes, server_page = [], twilio_server.page_of(server)
    server.page_size = 4
    command = ["pull", "twilio", "--since", f"{datetime.now(UTC) - timedelta(days=2):%Y-%m-%d}"]
    server.faults = [server_page] * page + [kill]
    processes.append(
        subprocess.Popen([*COMMAND, *command], env={**environment, **configured}, stderr=subprocess.DEVNULL)
    )
    assert processes[0].wait(30) == -signal.SIGKILL
    assert "11 texts read: 1 new mass message" in run(*command, **configured).stdout
    assert "0 new mass messages, 0 new deliveries, 0 new results" in run(*command, **configured).stdout


def test_refused_key_is_named_by_pull_and_doctor(run, configured, server):
    assert "✓ message log of twilio" in run("doctor", **configured).stdout
    server.faults = [answering(401, 20003)] * 2
    refused = run("pull", "twilio", **configured)
    assert (refused.returncode, is_one_readable_line(refused.stderr)) == (1, True)
    assert "Check PULL_TWILIO" in refused.stderr
    assert "✗ message log of twilio" in run("doctor", **configured).stdout


@pytest.mark.usefixtures("maria")
@pytest.mark.parametrize("kind", [Telnyx, Plivo, Vonage])
def test_logs_of_the_other_providers_are_pulled(run, kind):
    name = kind.__name__.lower()
    with log_servers.serving(kind) as server:
        for number in range(10):
            server.send(f"+1312555014{number}", at=datetime.now(UTC) - timedelta(hours=1))
        settings = {f"PULL_{name.upper()}": server.credentials, f"PULL_{name.upper()}_URL": server.url}
        assert run("pull", name, **settings).stdout.startswith("10 texts read: 1 new mass message, 1 new delivery")
        assert f"✓ message log of {name}" in run("doctor", **settings).stdout
        server.faults = [answering(401)]
        refused = run("pull", name, **settings)
        assert (refused.returncode, is_one_readable_line(refused.stderr)) == (1, True)
        assert f"Check PULL_{name.upper()}" in refused.stderr
