"""The sandbox in a process of its own: it takes its PostgreSQL with it, whenever it is stopped."""

import os
import signal
import socket
import subprocess
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest
from support.command_line import COMMAND

SECONDS = 90


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return str(server.getsockname()[1])


@contextmanager
def sandbox(folder):
    """A sandbox whose data is in `folder`; nothing of it is left afterwards, even if the test fails."""
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    output = folder / "output.txt"
    with output.open("w") as file:
        process = subprocess.Popen(
            [*COMMAND, "sandbox", "--port", free_port()],
            cwd=folder,
            env={**environment, "PYTHONPATH": str(Path.cwd()), "PYTHONUNBUFFERED": "1"},
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    try:
        yield process, output
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def folder(tmp_path):
    yield tmp_path
    for server in postgres_of(tmp_path):
        server.kill()


def postgres_of(folder):
    """Return the processes of a PostgreSQL whose data is in `folder`."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if "postgres" in process.name() and process.cwd().startswith(str(folder)):
                found.append(process)
    return found


def wait_until(condition):
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def serves(output):
    return "Open http" in output.read_text()


def stop(process):
    process.send_signal(signal.SIGTERM)
    assert process.wait(SECONDS) == 0


def test_sigterm_stops_the_postgresql_of_a_sandbox(folder):
    with sandbox(folder) as (process, output):
        wait_until(lambda: serves(output))
        assert postgres_of(folder)
        stop(process)
    assert not postgres_of(folder)


def test_sigterm_while_postgresql_starts_leaves_none(folder):
    with sandbox(folder) as (process, _):
        wait_until((folder / ".sandbox" / "postgres" / "postmaster.pid").exists)
        stop(process)
    assert not postgres_of(folder)


def test_second_sigterm_does_not_interrupt_the_stop(folder):
    with sandbox(folder) as (process, output):
        wait_until(lambda: serves(output))
        for _ in range(20):
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
            time.sleep(0.1)
        assert process.wait(SECONDS) == 0
    assert not postgres_of(folder)


def test_sandbox_after_a_killed_one_stops_the_postgresql_of_both(folder):
    with sandbox(folder) as (process, output):
        wait_until(lambda: serves(output))
        process.kill()
        process.wait()
    assert postgres_of(folder)
    with sandbox(folder) as (process, output):
        wait_until(lambda: serves(output))
        stop(process)
    assert not postgres_of(folder)
