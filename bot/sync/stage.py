"""The rows of a reader in temporary tables, filled by COPY in chunks: outside all locks, gone when the sync ends or dies.

A staging table is named after its row and has its fields as columns.
"""

import gc
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from itertools import islice
from typing import Any, cast, get_type_hints

from psycopg import Connection as DriverConnection
from sqlalchemy import Connection

from bot.sis.rows import (
    ROW_TYPES,
    AgentRow,
    ClassRow,
    ContactRow,
    EnrollmentRow,
    OrgRow,
    Part,
    Rejection,
    RoleRow,
    Row,
    TermRow,
    UnreadRow,
    UserRow,
)
from bot.wording import say

CHUNK = 5_000
Progress = Callable[[str, int, int], None]

_TABLES: dict[type[Row | Rejection], str] = {
    OrgRow: "stage_orgs",
    TermRow: "stage_terms",
    ClassRow: "stage_classes",
    UserRow: "stage_users",
    AgentRow: "stage_agents",
    RoleRow: "stage_roles",
    EnrollmentRow: "stage_enrollments",
    ContactRow: "stage_contacts",
    UnreadRow: "stage_unread",
    Rejection: "stage_rejections",
}
_REASON = re.compile(r"%\((\w+)\)s")
_SQL_TYPES = {int: "bigint", str: "text", bool: "boolean", date: "date", list[str]: "text[]"}


def execute(connection: Connection, statement: str, **values: Any) -> int:
    """One statement in a transaction of its own; the number of rows it touched. Placeholders are `%(name)s`."""
    with connection.begin():
        return connection.exec_driver_sql(statement, values or None).rowcount


def insert_rejections(connection: Connection, statement: str) -> int:
    """As `run`, of what adds to `stage_rejections`. A placeholder in it is the name of a reason."""
    reasons = {name: say(f"roster.reason.{name}") for name in _REASON.findall(statement)}
    return execute(connection, statement, **reasons)


def driver_connection(connection: Connection) -> "DriverConnection[Any]":
    """What is below SQLAlchemy, for COPY."""
    return cast("DriverConnection[Any]", connection.connection.dbapi_connection)


def prepare(connection: Connection) -> None:
    """Make the empty staging tables."""
    execute(connection, "SET work_mem = '64MB'")
    # The planner has to know how many rows there are, and little more: a small sample shows it.
    execute(connection, "SET default_statistics_target = 10")
    for row_type in (*ROW_TYPES, Rejection):
        columns = ", ".join(f"{name} {_sql_type(hint)}" for name, hint in get_type_hints(row_type).items())
        execute(connection, f"CREATE TEMP TABLE {_TABLES[row_type]} ({columns})")


def _sql_type(hint: Any) -> str:
    return next(sql for known, sql in _SQL_TYPES.items() if hint in (known, known | None))


def fill(connection: Connection, part: Part, *, progress: Progress) -> None:
    """Stage one file."""
    store(connection, part.rows(), told=lambda: progress(part.name, min(part.position, part.size), part.size))
    progress(part.name, part.size, part.size)


def store(connection: Connection, rows: Iterable[Row | Rejection], *, told: Callable[[], None] = lambda: None) -> None:
    """Stage rows, a chunk at a time; memory holds one chunk. `told` is called after each."""
    rows = iter(rows)
    with _rarely_collected():
        while chunk := list(islice(rows, CHUNK)):
            for row_type, same in _by_type(chunk):
                _copy(connection, _TABLES[row_type], same)
            told()


def empty(connection: Connection) -> None:
    """Begin again."""
    execute(connection, f"TRUNCATE {', '.join(_TABLES.values())}")


@contextmanager
def _rarely_collected() -> Iterator[None]:
    """Rows have no cycles, but that many held for a moment set off the collector of cycles again and again, and it looks at
    all of them. With a chunk below its threshold it hardly runs, though whatever else happens meanwhile is still collected.
    """
    youngest, *older = gc.get_threshold()
    gc.set_threshold(max(youngest, 10 * CHUNK), *older)
    try:
        yield
    finally:
        gc.set_threshold(youngest, *older)


def analyze(connection: Connection) -> None:
    """Let the planner see how much was staged."""
    for table in _TABLES.values():
        execute(connection, f"ANALYZE {table}")


def _by_type(
    rows: Iterable[Row | Rejection],
) -> Iterator[tuple[type[Row | Rejection], list[Row | Rejection]]]:
    groups = defaultdict(list)
    for row in rows:
        groups[type(row)].append(row)
    yield from groups.items()


def _copy(connection: Connection, table: str, rows: list[Row | Rejection]) -> None:
    with (
        connection.begin(),
        driver_connection(connection).cursor() as cursor,
        cursor.copy(f"COPY {table} FROM STDIN") as copy,
    ):
        for row in rows:
            copy.write_row(row)
