"""What a process needs before it may serve. `/readyz` asks these checks, and `cleanup-bot doctor` asks more."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from bot.db.engine import OLDEST_POSTGRESQL
from bot.db.migrations.upgrade import is_database_current
from bot.db.models.roster import last_sync_query
from bot.db.session import autocommit_engine
from bot.sync import runs


@dataclass(frozen=True)
class Check:
    """`said` is one sentence about `name`: what is, and where it is wrong what to do. `/readyz` answers under these names."""

    name: str
    ok: bool | None
    said: str


def readiness_checks(engine: Engine, *, now: datetime) -> list[Check]:
    """What a process needs before it may serve; where the database does not answer, only that."""
    reached = database(engine)
    return [reached, tables(engine), sis(engine, now=now)] if reached.ok else [reached]


def database(engine: Engine) -> Check:
    try:
        with autocommit_engine(engine).connect() as connection:
            version = int(connection.scalar(text("SHOW server_version_num")) or 0) // 10_000
    except SQLAlchemyError:
        return Check("database", ok=False, said="does not answer; check DATABASE_URL and that PostgreSQL runs.")
    if version < OLDEST_POSTGRESQL:
        said = f"is PostgreSQL {version}; version {OLDEST_POSTGRESQL} or newer is needed."
        return Check("database", ok=False, said=said)
    return Check("database", ok=True, said=f"PostgreSQL {version} answers.")


def tables(engine: Engine) -> Check:
    if is_database_current(engine):
        return Check("tables", ok=True, said="are those of this version.")
    return Check("tables", ok=False, said="are not those of this version; run: cleanup-bot migrate")


def sis(engine: Engine, *, now: datetime) -> Check:
    """When the SIS was last read. Asked of tables that may not be there yet."""
    try:
        with autocommit_engine(engine).connect() as connection:
            last = connection.scalar(last_sync_query())
    except SQLAlchemyError:
        last = None
    if last is None:
        return Check("SIS", ok=False, said="was never read; run: cleanup-bot sync PATH")
    hours = (now - last) // timedelta(hours=1)
    if now - last > runs.FRESH:
        return Check(
            "SIS", ok=False, said=f"was last read {hours} hours ago; look at the clock process and the export."
        )
    said = (
        ("was read an hour ago." if hours == 1 else f"was read {hours} hours ago.")
        if hours
        else "was read within the hour."
    )
    return Check("SIS", ok=True, said=said)
