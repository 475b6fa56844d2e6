"""Staging tables: the rows of a source in temporary tables of the sync's connection, filled by COPY outside all locks.

A staging table has the fields of its row type (`bot.sis.rows`) as columns. It is dropped with the connection.
"""

import gc
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from hashlib import sha256
from itertools import islice
from typing import Any, get_type_hints

from sqlalchemy import Connection

from bot.db.session import driver_connection
from bot.sis.rows import (
    LINES_APART,
    ROW_TYPES,
    AgentRow,
    ClassRow,
    ContactRow,
    EnrollmentRow,
    Kind,
    OrgRow,
    Part,
    Rejection,
    RenamedPart,
    RoleRow,
    Row,
    TermRow,
    UnreadRow,
    UserRow,
)

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
_SQL_TYPES = {int: "bigint", str: "text", bool: "boolean", date: "date", list[str]: "text[]"}

# The tables with the sourced_ids of a kind of row, where there are sources without lines. A role is part of its user.
_TABLES_WITH_ID = {
    Kind.ORGS: "stage_orgs",
    Kind.SESSIONS: "stage_terms",
    Kind.CLASSES: "stage_classes",
    Kind.USERS: "stage_users",
    Kind.ENROLLMENTS: "stage_enrollments",
}
_LABEL_WITH_ID = """
UPDATE stage_rejections j SET file = '{endpoint}/' || x.sourced_id, line = NULL
FROM (SELECT line, sourced_id FROM {table}
      UNION SELECT line, sourced_id FROM stage_unread WHERE kind = '{kind}' AND sourced_id <> '') x
WHERE j.file = '{kind}.csv' AND j.line = x.line
"""
_HASH_ROWS = "SELECT count(*), sum(hashtextextended((to_jsonb(x) - 'line')::text, 0)) FROM {table} x"
_LABEL_WITHOUT_ID = "UPDATE stage_rejections SET file = '{endpoint}', line = NULL WHERE file = '{kind}.csv'"


# A person of several rows (a student, for each contact) is one if all rows say the same.
_DROP_REPEATED_USERS = """
DELETE FROM stage_users u
USING (SELECT sourced_id, min(line) AS kept FROM stage_users GROUP BY sourced_id HAVING count(*) > 1) d
JOIN stage_users k ON (k.sourced_id, k.line) = (d.sourced_id, d.kept)
WHERE u.sourced_id = d.sourced_id AND u.line <> d.kept
  AND (u.search, u.identifier) = (k.search, k.identifier) AND u.grade IS NOT DISTINCT FROM k.grade
  AND u.email IS NOT DISTINCT FROM k.email
"""
_RENAME_FILE = f"""
UPDATE stage_rejections
SET file = %(name)s, line = line - %(offset)s, column_name = coalesce(%(titles)s::jsonb ->> column_name, column_name),
    reason = replace(replace(replace(reason, 'users.csv', 'students.csv or teachers.csv'), 'classes.csv', 'sections.csv'), 'orgs.csv', 'schools.csv')
WHERE file = %(file)s AND line > %(offset)s AND line <= %(offset)s + {LINES_APART}
"""


def execute(connection: Connection, statement: str, **values: Any) -> int:
    """Run one statement in its own transaction and return its row count. Placeholders are `%(name)s`."""
    with connection.begin():
        return connection.exec_driver_sql(statement, values or None).rowcount


def create_tables(connection: Connection) -> None:
    execute(connection, "SET work_mem = '64MB'")
    # The planner needs little more than the number of rows: a small sample is enough, and quicker.
    execute(connection, "SET default_statistics_target = 10")
    for row_type in (*ROW_TYPES, Rejection):
        columns = ", ".join(f"{name} {_sql_type(hint)}" for name, hint in get_type_hints(row_type).items())
        execute(connection, f"CREATE TEMP TABLE {_TABLES[row_type]} ({columns})")


def _sql_type(hint: Any) -> str:
    return next(sql for python_type, sql in _SQL_TYPES.items() if hint in (python_type, python_type | None))


def stage_part(connection: Connection, part: Part, *, progress: Progress) -> None:
    def report_position() -> None:
        progress(part.name, min(part.position, part.size), part.size)

    stage_rows(connection, part.rows(), after_chunk=report_position)
    progress(part.name, part.size, part.size)


def stage_rows(
    connection: Connection, rows: Iterable[Row | Rejection], *, after_chunk: Callable[[], None] = lambda: None
) -> None:
    """Copy rows of any types into their staging tables; memory holds one chunk at a time."""
    rows = iter(rows)
    with _fewer_collections():
        while chunk := list(islice(rows, CHUNK)):
            by_type = defaultdict(list)
            for row in chunk:
                by_type[type(row)].append(row)
            for row_type, rows_of_type in by_type.items():
                _copy(connection, _TABLES[row_type], rows_of_type)
            after_chunk()


@contextmanager
def _fewer_collections() -> Iterator[None]:
    # The rows of a chunk would start the collector of reference cycles again and again, though they have none: a tenth of the
    # CPU time of a whole read. It still runs, for everything else that happens meanwhile.
    youngest, *older = gc.get_threshold()
    gc.set_threshold(max(youngest, 10 * CHUNK), *older)
    try:
        yield
    finally:
        gc.set_threshold(youngest, *older)


def _copy(connection: Connection, table: str, rows: list[Row | Rejection]) -> None:
    with (
        connection.begin(),
        driver_connection(connection).cursor() as cursor,
        cursor.copy(f"COPY {table} FROM STDIN") as copy,
    ):
        for row in rows:
            copy.write_row(row)


def truncate(connection: Connection) -> None:
    execute(connection, f"TRUNCATE {', '.join(_TABLES.values())}")


def hash_rows(connection: Connection) -> str:
    """Return a hash of all staged rows, whatever the order in which they were read."""
    with connection.begin():
        hashes = [str(connection.exec_driver_sql(_HASH_ROWS.format(table=table)).one()) for table in _TABLES.values()]
    return sha256("\n".join(hashes).encode()).hexdigest()


def analyze(connection: Connection) -> None:
    for table in _TABLES.values():
        execute(connection, f"ANALYZE {table}")


def drop_repeated_users(connection: Connection, parts: Sequence[Part]) -> None:
    if any(isinstance(part, RenamedPart) for part in parts):
        execute(connection, _DROP_REPEATED_USERS)


def label_rejections(connection: Connection, parts: Sequence[Part]) -> None:
    """Name the rejected rows of parts without lines by endpoint and sourcedId (`users/G17`), and of renamed parts by their file.

    Call it last: until then, staged rows and rejections are matched by line.
    """
    for part in parts:
        if isinstance(part, RenamedPart):
            for kind, offset in part.offsets.items():
                names = {"name": part.name, "file": f"{kind}.csv", "titles": json.dumps(dict(part.titles))}
                execute(connection, _RENAME_FILE, offset=offset, **names)
        elif not part.has_lines:
            endpoint = Kind.USERS if part.kind is Kind.ROLES else part.kind
            values = {"kind": part.kind, "endpoint": endpoint, "table": _TABLES_WITH_ID.get(endpoint)}
            for statement in (*([_LABEL_WITH_ID] if values["table"] else []), _LABEL_WITHOUT_ID):
                execute(connection, statement.format(**values))
