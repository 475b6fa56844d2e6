"""The embedded PostgreSQL that all test runs of a checkout share.

It writes nothing to the disk on purpose (`fsync = off`), so what a crash leaves behind is useless: it is deleted, not recovered.
Its data is in memory where there is room. A sync creates 200 files (each temporary table is two or three), and a disk can take
a millisecond for one: on such a disk, the tests of the sync run twice as long.
"""

import atexit
import os
import shutil
import struct
from hashlib import sha256
from pathlib import Path

import fasteners
import psutil

from bot.db.embedded import data_folder, embedded_url

_ON_DISK, _IN_MEMORY = Path(".sandbox") / "tests", Path("/dev/shm")  # noqa: S108 (The folder in it is PostgreSQL's, for one user.)
_ROOM = 4 * 2**30  # Bytes. Four workers and the log of changes take 1 GB.
_STATE_OFFSET, _SHUT_DOWN = 16, 1  # In `pg_control`, after the system's id and two version numbers.


def server_url(folder: Path | None = None) -> str:
    """Return the URL of the server in `folder`, whose data may be gone after a crash. Start it if it is not running."""
    folder = data_folder(folder or _our_folder())
    if folder.parent == _IN_MEMORY:
        atexit.register(
            _delete_if_stopped, folder
        )  # Before the server's own, so it runs after that has stopped the server.
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _lock(folder):
        if folder.exists() and not is_running(folder) and not was_shut_down(folder):
            shutil.rmtree(folder)
        return embedded_url(folder)


def _our_folder() -> Path:
    """Return the folder of this checkout and user, in memory if there is room."""
    checkout = Path.cwd()
    in_memory = _IN_MEMORY / f"contact-cleanup-{os.getuid()}-{sha256(bytes(checkout)).hexdigest()[:12]}"
    if in_memory.exists():
        return in_memory
    has_room = os.access(_IN_MEMORY, os.W_OK) and shutil.disk_usage(_IN_MEMORY).free > _ROOM
    return in_memory if has_room else checkout / _ON_DISK


def _lock(folder: Path) -> fasteners.InterProcessLock:
    return fasteners.InterProcessLock(folder.with_name(f"{folder.name}.lock"))


def _delete_if_stopped(folder: Path) -> None:
    """Give the memory back, unless another run still uses the server."""
    with _lock(folder):
        if folder.exists() and not is_running(folder):
            shutil.rmtree(folder)


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
