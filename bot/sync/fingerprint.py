"""An export that is the same as last time is not read again: what it says stands in our tables already.

It says the same only until the next date in it, on which somebody's role or term begins or ends, and only to the same
program. Anything else than a sync that came to its end is no last time.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from hashlib import file_digest, sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from bot.db.models.roster import SyncRun, SyncState
from bot.sis.rows import Source

_NEXT_DATE = """
SELECT min(day) FROM (
    SELECT begins_on AS day FROM stage_terms UNION ALL SELECT ends_on FROM stage_terms
    UNION ALL SELECT begins_on FROM stage_roles UNION ALL SELECT ends_on FROM stage_roles
    UNION ALL SELECT begins_on FROM stage_enrollments UNION ALL SELECT ends_on FROM stage_enrollments
) days WHERE day > %(today)s
"""


@dataclass(frozen=True)
class LastSync:
    """The last sync: when it was, its counts, what it read, and until when the same would mean the same."""

    read_at: datetime
    counts: Mapping[str, Any]
    fingerprint: str | None
    holds_until: date | None
    frame: str | None


def source_fingerprint(source: Source, contacts: Path | None, region: str) -> str | None:
    """What a sync would read, and with which program, in one word; None where that cannot be told without reading it."""
    export = source.fingerprint()
    if export is None:
        return None
    try:
        beside = _digest(contacts) if contacts else ""
    except OSError:
        return None
    return sha256(f"{export}\n{beside}\n{program(region)}".encode()).hexdigest()


def program(region: str) -> str:
    """What reads rows, in one word: another one may read the same rows differently."""
    return f"{region}\n{_program()}"


def holds_until(connection: Connection, before: LastSync | None, *, today: date) -> date | None:
    """The next date that was staged, or known `before` of rows that were not: from then on the same rows mean something else."""
    with connection.begin():
        day: date | None = connection.exec_driver_sql(_NEXT_DATE, {"today": today}).scalar_one()
    days = [one for one in (day, before and before.holds_until) if one]
    return min(days, default=None)


def load_last_sync(connection: Connection, *, today: date) -> LastSync | None:
    """The last sync, if it came to its end and no date in what it read has come since."""
    with connection.begin():
        newest = select(SyncRun)
        last = connection.execute(newest.order_by(SyncRun.id.desc()).limit(1)).one_or_none()
    if last is None or last.state != SyncState.DONE or (last.holds_until and last.holds_until <= today):
        return None
    return LastSync(last.started_at, last.counts, last.fingerprint, last.holds_until, last.frame)


@cache
def _program() -> str:
    """Our own files and the numbering plans: another version may read the same rows differently."""
    ours = sorted(Path(__file__).parents[1].rglob("*.py"))
    return "".join([*map(_digest, ours), version("phonenumbers")])


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
