"""`cleanup-bot` in processes of its own."""

import subprocess
import sys
import time
from contextlib import contextmanager

import httpx
from support import sis_server

COMMAND = [sys.executable, "-m", "bot.cli"]


def is_one_readable_line(stderr):
    return len(stderr.strip().splitlines()) == 1 and "Traceback" not in stderr


@contextmanager
def started(command, environment, folder):
    """A command that serves until it is stopped; killed at the end of the block."""
    process = subprocess.Popen([*COMMAND, command], env=environment, cwd=folder, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def first_answer(url, process):
    """Ask until the process answers; fail when it ends before."""
    while True:
        try:
            return httpx.get(url)
        except httpx.TransportError:
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.1)


def sis_settings(sis):
    """The settings that name a served SIS, `support.sis_server.serving`."""
    client_id, secret = sis_server.CLIENT
    return {
        "SIS_ONEROSTER_URL": sis.source().url,
        "SIS_ONEROSTER_CLIENT_ID": client_id,
        "SIS_ONEROSTER_CLIENT_SECRET": secret,
    }
