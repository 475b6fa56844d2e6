"""Debian's PgBouncer in front of the tests' PostgreSQL."""

import os
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager, suppress

import pytest
from sqlalchemy.engine import make_url

PROGRAM = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
needs_pgbouncer = pytest.mark.skipif(PROGRAM is None, reason="pgbouncer is not installed")
# As root, the embedded PostgreSQL runs as this user, and PgBouncer does not run at all.
_USER = "pgserver" if os.geteuid() == 0 else None


@contextmanager
def pooled(database_url, folder, mode, **settings):
    """Yield the URL of the same database through a pooler; `settings` go into its configuration."""
    url, port = make_url(database_url), _free_port()
    lines = {
        "listen_addr": "127.0.0.1",
        "listen_port": port,
        "unix_socket_dir": "",
        "auth_type": "any",
        "pool_mode": mode,
        "default_pool_size": 60,
        "max_client_conn": 200,
        **settings,
    }
    config = "\n".join(f"{name} = {value}" for name, value in lines.items())
    database = f"{url.database} = host={url.query['host']} dbname={url.database} user=postgres"
    file = folder / f"pgbouncer_{mode}.ini"
    file.write_text(f"[databases]\n{database}\n[pgbouncer]\n{config}\n")
    # Its folder may be closed to another user, so the file is its standard input.
    with (
        file.open("rb") as stdin,
        subprocess.Popen(
            [PROGRAM, "/dev/stdin"], stdin=stdin, user=_USER, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process,
    ):
        try:
            _wait_for(port, process)
            yield f"postgresql://postgres@127.0.0.1:{port}/{url.database}"
        finally:
            process.kill()


def _free_port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def _wait_for(port, process):
    while True:
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        assert process.poll() is None, f"PgBouncer ended with {process.returncode}"
        time.sleep(0.05)
