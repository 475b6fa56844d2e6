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
from bot.wording import say


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
        return Check("database", ok=False, said=say("doctor.database.silent"))
    if version < OLDEST_POSTGRESQL:
        said = say("doctor.database.too_old", version=version, oldest=OLDEST_POSTGRESQL)
        return Check("database", ok=False, said=said)
    return Check("database", ok=True, said=say("doctor.database.answers", version=version))


def tables(engine: Engine) -> Check:
    if is_database_current(engine):
        return Check("tables", ok=True, said=say("doctor.tables.current"))
    return Check("tables", ok=False, said=say("doctor.tables.other"))


def sis(engine: Engine, *, now: datetime) -> Check:
    """When the SIS was last read. Asked of tables that may not be there yet."""
    try:
        with autocommit_engine(engine).connect() as connection:
            last = connection.scalar(last_sync_query())
    except SQLAlchemyError:
        last = None
    if last is None:
        return Check("SIS", ok=False, said=say("doctor.sis.never"))
    hours = (now - last) // timedelta(hours=1)
    if now - last > runs.FRESH:
        return Check("SIS", ok=False, said=say("doctor.sis.long_ago", hours=hours))
    said = say("doctor.sis.hours_ago", hours) if hours else say("doctor.sis.just_now")
    return Check("SIS", ok=True, said=said)
