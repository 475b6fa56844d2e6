"""The engine for a PostgreSQL URL."""

import re
import time

from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, OperationalError, ProgrammingError

from bot.db import pooler
from bot.db.connect_errors import describe_problem
from bot.db.session import BATCH, DRIVER_NAME, TCP_LIMITS, Limits
from bot.errors import UserError

_SEVERAL_HOSTS = re.compile(r"([^/]+://(?:[^@/]*@)?)([^@/?,]+(?:,[^@/?,]+)+)(/[^?]*)(\?.*)?")
OLDEST_POSTGRESQL = 15  # UNIQUE NULLS NOT DISTINCT came with it.


def build_engine(url: str, *, limits: Limits = BATCH, pool_size: int = 15, setting: str = "DATABASE_URL") -> Engine:
    """Return an engine for a `postgresql://` URL, on whose connections nothing waits forever. TCP limits
    in the URL win over ours.

    `setting` is the name of the URL in an error.

    Raises:
        UserError: it is not the URL of a PostgreSQL database.
    """
    try:
        parsed = make_url(_with_hosts_apart(url))
    except ArgumentError as problem:
        sentence = f"{setting} is not a URL. Write postgresql://user:password@host:5432/database."
        raise UserError("database.no_url", sentence) from problem
    backend = parsed.get_backend_name()
    if backend not in {"postgresql", "postgres"}:
        sentence = f"{setting} names {backend}; this program needs PostgreSQL: postgresql://…"
        raise UserError("database.no_postgresql", sentence)
    return create_engine(
        parsed.set(drivername=DRIVER_NAME),
        pool_size=pool_size,
        max_overflow=10,
        pool_timeout=2.5,
        pool_pre_ping=True,
        hide_parameters=True,  # The text of a database error would otherwise carry names and numbers into a log.
        connect_args={name: value for name, value in TCP_LIMITS.items() if name not in parsed.query}
        | {"limits": limits},
    )


def _with_hosts_apart(url: str) -> str:
    """Return a URL with several hosts, `user:password@first:5432,second:5432/database`, as SQLAlchemy writes it."""
    parts = _SEVERAL_HOSTS.fullmatch(url)
    if parts is None:
        return url
    before, hosts, path, query = parts.groups()
    named = "&".join(f"host={host}" for host in hosts.split(","))
    return f"{before}{path}?{named}{'&' + query[1:] if query else ''}"


def wait_until_ready(engine: Engine, *, seconds: float = 30.0, setting: str = "DATABASE_URL") -> None:
    """Wait for a database that is still starting; `setting` is the name of its URL.

    Raises:
        UserError: it did not answer in time, refuses us for a reason that waiting does not change, or is behind a pooler that
            cannot be used.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            with engine.connect() as connection:
                connection.execute(text("SELECT 1"))
        except (OperationalError, ProgrammingError) as problem:
            if pooler.refuses_transactions(problem):
                break
            reason = describe_problem(problem, setting=setting)
            if reason.permanent or time.monotonic() > deadline:
                raise reason from problem
            time.sleep(0.3)
        else:
            break
    pooler.refuse_transaction_pooling(engine, setting=setting)
