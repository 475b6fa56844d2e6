"""`cleanup-bot` in processes of its own, as a district runs it, and what they take."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import httpx

from bot.settings import Settings

HERE = Path(__file__).parent
SIGNING, TWILIO = "slack-secret", "twilio-secret"


def started(database_url, *arguments, quiet=False, **changed):
    ours = {name.upper() for name in Settings.model_fields}
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    given = {
        "DATABASE_URL": database_url,
        "TWILIO_AUTH_TOKEN": TWILIO,
        "SLACK_BOT_TOKEN": "xoxb-1",
        "SLACK_SIGNING_SECRET": SIGNING,
    }
    command = [sys.executable, "-m", "bot.cli", *arguments]
    environment = {**kept, **given, **changed}
    said = subprocess.DEVNULL if quiet else None
    return subprocess.Popen(command, env=environment, cwd=HERE.parents[1], stdout=said, stderr=subprocess.DEVNULL)


@contextmanager
def web(database_url, port, **changed):
    """`cleanup-bot web`, once it answers."""
    with answering(started(database_url, "web", PORT=str(port), **changed), port) as process:
        yield process


@contextmanager
def answering(process, port):
    """A web server's process, once it answers; ended afterwards."""
    try:
        while True:
            try:
                httpx.get(f"http://127.0.0.1:{port}/healthz")
                break
            except httpx.ConnectError:
                assert process.poll() is None
                time.sleep(0.1)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def ended(process):
    """Wait for a process; gives its seconds and the most memory it held, in MB."""
    began, most = time.perf_counter(), 0.0
    while process.poll() is None:
        most = max(most, memory(process))
        time.sleep(0.02)
    assert process.returncode == 0
    return time.perf_counter() - began, most


def memory(process):
    """The most that a process has held, in MB; 0 once it is gone."""
    try:
        status = Path(f"/proc/{process.pid}/status").read_text()
    except OSError:
        return 0.0
    return int(status.split("VmHWM:")[1].split()[0]) / 1024 if "VmHWM:" in status else 0.0


def loading(port, connections, rate=None):
    """A process that sends what it is written to its input (see load.py)."""
    command = [sys.executable, HERE / "load.py", str(port), str(connections), *([str(rate)] if rate else [])]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def flood(port, connections, requests, rate=None):
    """Send everything, at once or so many a second; gives what load.py measured."""
    with loading(port, connections, rate) as load:
        said, _ = load.communicate(b"\n".join(requests))
    return json.loads(said)
