"""What a process needs to serve: a database that answers and can be written to, its tables, and work that moves on.

`/readyz` and `cleanup-bot doctor` report the same checks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from psycopg.errors import ConfigurationLimitExceeded, DiskFull
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.orm import Session

from bot.db.connect_errors import describe_problem
from bot.db.engine import OLDEST_POSTGRESQL
from bot.db.migrations.upgrade import TablesState, describe_newer, load_tables_state
from bot.db.models.messages import MassMessage
from bot.db.models.roster import last_sync_query
from bot.db.session import autocommit_engine
from bot.domain.display import plural
from bot.operations.refusals import Refusals, describe, load_refusals
from bot.sync import runs

# The clock looks for due work every 15 s.
_OUTBOX_PATIENCE = timedelta(minutes=5)
_MAX_REFUSALS = 5
_OLDEST_DUE = text("""
SELECT min(coalesce(first_due_at, due_at)) FROM (
    SELECT first_due_at, due_at FROM digest_posts WHERE state IN ('pending', 'claimed', 'ambiguous')
    UNION ALL SELECT first_due_at, due_at FROM weekly_posts WHERE state IN ('pending', 'claimed', 'ambiguous')
    UNION ALL SELECT first_due_at, due_at FROM downloads WHERE state IN ('pending', 'claimed')
    UNION ALL SELECT first_due_at, due_at FROM report_imports WHERE state IN ('pending', 'claimed')
    UNION ALL SELECT first_due_at, due_at FROM sync_notices WHERE state IN ('pending', 'claimed', 'ambiguous')
    UNION ALL SELECT first_due_at, due_at FROM admin_notices WHERE state IN ('pending', 'claimed')
    UNION ALL SELECT first_due_at, due_at FROM wrong_person_notices WHERE state IN ('pending', 'claimed')
    UNION ALL SELECT first_due_at, due_at FROM bulk_changes WHERE state IN ('pending', 'claimed')
    UNION ALL SELECT first_due_at, due_at FROM text_cards WHERE state IN ('pending', 'claimed')
    UNION ALL SELECT first_due_at, due_at FROM teacher_messages WHERE state IN ('pending', 'claimed')
    UNION ALL SELECT first_due_at, due_at FROM answer_cards WHERE state IN ('pending', 'claimed')
    UNION ALL SELECT first_due_at, due_at FROM counter_codes WHERE state IN ('pending', 'claimed')
) AS unsent
""")
# A sort that does not fit in memory: it writes 2 MB to the disk, and leaves nothing.
_WRITE_TO_DISK = text("""
SELECT count(filler) FROM (SELECT repeat('x', 8000) AS filler FROM generate_series(1, 300) AS n ORDER BY n DESC) AS sorted
""")


@dataclass(frozen=True)
class Check:
    """`sentence` continues `name`: the state and, if something is wrong, what to do. `/readyz` answers under these names."""

    name: str
    ok: bool | None
    sentence: str


def readiness_checks(engine: Engine, *, now: datetime, zone: tzinfo = UTC) -> list[Check]:
    """Run the checks; if the database does not answer, only that one. Times of day are those of `zone`."""
    database = _check_database(engine)
    if not database.ok:
        return [database]
    tables = _check_tables(engine)
    work = [_check_outbox(engine, now=now), *_check_messages(engine, now=now, zone=zone)] if tables.ok else []
    return [database, _check_disk(engine), tables, *work, _check_sis(engine, now=now)]


def _check_database(engine: Engine) -> Check:
    try:
        with autocommit_engine(engine).connect() as connection:
            version = int(connection.scalar(text("SHOW server_version_num")) or 0) // 10_000
            is_read_only = connection.scalar(text("SHOW transaction_read_only")) == "on"
    except DBAPIError as problem:
        return Check("database", ok=False, sentence=f"cannot be used. {describe_problem(problem).sentence}")
    except SQLAlchemyError:  # Every connection of this process is in use.
        return Check("database", ok=False, sentence="does not answer in time, because too many requests wait for it.")
    if version < OLDEST_POSTGRESQL:
        sentence = f"is PostgreSQL {version}; version {OLDEST_POSTGRESQL} or newer is needed."
        return Check("database", ok=False, sentence=sentence)
    if is_read_only:
        sentence = "is read-only, perhaps a standby; set DATABASE_URL to the primary."
        return Check("database", ok=False, sentence=sentence)
    return Check("database", ok=True, sentence=f"is PostgreSQL {version} and answers.")


def _check_disk(engine: Engine) -> Check:
    try:
        with engine.begin() as connection:
            connection.execute(text("SET LOCAL work_mem = '64kB'"))
            connection.execute(_WRITE_TO_DISK)
    except DBAPIError as problem:
        if isinstance(problem.orig, DiskFull):
            return Check(
                "disk", ok=False, sentence="of the database is full, so nothing can be saved; free some space."
            )
        if not isinstance(problem.orig, ConfigurationLimitExceeded):
            return Check("disk", ok=False, sentence="of the database cannot be written to; see PostgreSQL's log.")
    return Check("disk", ok=True, sentence="of the database can be written to.")


def _check_tables(engine: Engine) -> Check:
    state = load_tables_state(engine)
    if state is TablesState.CURRENT:
        return Check("tables", ok=True, sentence="match this version.")
    if state is TablesState.NEWER:
        sentence = f"can be used until this program is replaced. {describe_newer(engine)}"
        return Check("tables", ok=True, sentence=sentence)
    return Check("tables", ok=False, sentence="do not match this version; run: cleanup-bot migrate")


def _check_outbox(engine: Engine, *, now: datetime) -> Check:
    with autocommit_engine(engine).connect() as connection:
        oldest: datetime | None = connection.scalar(_OLDEST_DUE)
    if oldest is None or now - oldest < _OUTBOX_PATIENCE:
        return Check("outbox", ok=True, sentence="is sent in time.")
    minutes = plural((now - oldest) // timedelta(minutes=1), "minute")
    sentence = f"is late: something was due {minutes} ago. Check that the clock process runs, and its log."
    return Check("outbox", ok=False, sentence=sentence)


def _check_messages(engine: Engine, *, now: datetime, zone: tzinfo) -> list[Check]:
    with Session(engine) as session:
        refusals = load_refusals(session, now=now)
        newest = select(MassMessage).where(MassMessage.settled_at.is_not(None)).order_by(MassMessage.sent_at.desc())
        message = session.scalar(newest.limit(1))
    return [_check_refusals(refusals, now=now, zone=zone), _check_silence(message, zone=zone)]


def _check_silence(message: MassMessage | None, *, zone: tzinfo) -> Check:
    """Check that receipts came for the newest final mass message."""
    if message is None or message.silent_at is None:
        return Check("mass messages", ok=True, sentence="have delivery receipts.")
    sent_at = message.sent_at.astimezone(zone)
    sentence = (
        f"lack delivery receipts: almost none came for the last one, sent on {sent_at:%B} {sent_at.day} at {sent_at.hour}:{sent_at:%M}, "
        "so it did not change the list. Check that the provider calls our /receipts/{provider}, and the refused requests."
    )
    return Check("mass messages", ok=False, sentence=sentence)


def _check_refusals(refusals: Sequence[Refusals], *, now: datetime, zone: tzinfo) -> Check:
    """Name the refused requests of the last day. A few may be a stranger's; many recent ones mean that something is wrong."""
    if not refusals:
        return Check("refused requests", ok=True, sentence="in the last 24 hours: none.")
    sentences = [describe(each, zone=zone, now=now) for each in refusals[:_MAX_REFUSALS]]
    is_ours = any(each.is_our_problem for each in refusals)
    return Check(
        "refused requests", ok=False if is_ours else None, sentence=f"in the last 24 hours: {'. '.join(sentences)}."
    )


def _check_sis(engine: Engine, *, now: datetime) -> Check:
    try:
        with autocommit_engine(engine).connect() as connection:
            last_sync = connection.scalar(last_sync_query())
    except SQLAlchemyError:  # The tables may not exist yet.
        last_sync = None
    if last_sync is None:
        return Check("SIS", ok=False, sentence="was never read; run: cleanup-bot sync PATH")
    age = now - last_sync
    hours = age // timedelta(hours=1)
    when = f"{plural(hours, 'hour')} ago" if hours else "within the last hour"
    if age > runs.STALE_AFTER:
        return Check("SIS", ok=False, sentence=f"was last read {when}; check the clock process and the export.")
    return Check("SIS", ok=True, sentence=f"was read {when}.")
