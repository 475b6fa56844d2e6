"""The embedded PostgreSQL that all test runs of a checkout share.

It writes nothing to the disk on purpose (`fsync = off`), so what a crash leaves behind is useless: it is deleted, not recovered.
"""

import shutil
import struct
from pathlib import Path

import fasteners
import psutil

from bot.db.embedded import data_folder, embedded_url

_FOLDER = Path(".sandbox") / "tests"
_STATE_OFFSET, _SHUT_DOWN = 16, 1  # In `pg_control`, after the system's id and two version numbers.


def server_url(folder: Path = _FOLDER) -> str:
    """Return the URL of the server in `folder`, whose data may be gone after a crash. Start it if it is not running."""
    folder = data_folder(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with fasteners.InterProcessLock(folder.with_name(f"{folder.name}.lock")):
        if folder.exists() and not is_running(folder) and not was_shut_down(folder):
            shutil.rmtree(folder)
        return embedded_url(folder)


def is_running(folder: Path) -> bool:
    """Return whether the process in `postmaster.pid` is this server, and not another one that got its number after a restart."""
    try:
        process = psutil.Process(int((folder / "postmaster.pid").read_text().split()[0]))
        return process.status() != psutil.STATUS_ZOMBIE and str(folder) in process.cmdline()
    except (OSError, ValueError, IndexError, psutil.Error):
        return False


def was_shut_down(folder: Path) -> bool:
    """Return whether the server stopped by itself: its data is complete."""
    try:
        control = (folder / "global" / "pg_control").read_bytes()
        return struct.unpack_from("=I", control, _STATE_OFFSET) == (_SHUT_DOWN,)
    except (OSError, struct.error):
        return False
