"""Tonight's lines of people and enrolments beside those of the last sync: which say something else, which are gone.

They are compared by digests, by the database, before any of them is read. A line whose words did not all find their way into
our tables stays open, and counts as changed every night: what it says may come true by somebody else's line.
"""

from collections.abc import Sequence
from hashlib import sha256
from itertools import repeat
from typing import Any, cast

from psycopg import Connection as DriverConnection
from sqlalchemy import Connection

from bot.roster.staging import Progress, run
from bot.sis import Kind, LinedPart, Part

PEOPLE = (Kind.USERS, Kind.ROLES, Kind.ENROLLMENTS)
_NEEDED = {Kind.USERS, Kind.ENROLLMENTS}

MOST_CHANGED = 0.1
"""Where more than this share of the lines changed, reading everything is as quick."""

_SAID = """
CREATE TEMP TABLE said_lines (
    file text, number bigint, key text, said text, digest uuid GENERATED ALWAYS AS (md5(file || said)::uuid) STORED
)
"""
_DIFFERENT = """
CREATE TEMP TABLE different_lines AS
SELECT coalesce(s.file, k.file) AS file, coalesce(s.key, k.key) AS key, k.key IS NULL AS is_new
FROM said_lines s FULL JOIN known_lines k USING (digest) WHERE s.key IS NULL OR k.key IS NULL
"""
_TOUCHED = """
CREATE TEMP TABLE touched_lines AS
SELECT file, key FROM different_lines UNION SELECT file, key FROM known_lines WHERE is_open
"""
_COUNTS = """
SELECT (SELECT count(*) FROM said_lines), (SELECT count(*) FROM known_lines),
       count(*) FILTER (WHERE is_new), count(*) FILTER (WHERE NOT is_new)
FROM different_lines
"""

_OPEN = """
CREATE TEMP TABLE open_lines AS
SELECT s.file, s.key FROM said_lines s JOIN stage_rejections j ON (j.file, j.line) = (s.file || '.csv', s.number)
UNION
SELECT 'users', u.sourced_id FROM stage_users u
WHERE NOT EXISTS (SELECT FROM wanted_students w WHERE w.sourced_id = u.sourced_id)
  AND NOT EXISTS (SELECT FROM wanted_contacts w WHERE w.sourced_id = u.sourced_id)
  AND NOT EXISTS (SELECT FROM wanted_staff w WHERE w.sourced_id = u.sourced_id)
UNION
SELECT 'users', person FROM unheld_agents
UNION
SELECT 'enrollments', sourced_id FROM unheld_enrollments
"""
_REMEMBER = """
INSERT INTO known_lines (file, key, digest, is_open)
SELECT s.file, s.key, s.digest, o.key IS NOT NULL
FROM said_lines s {these} LEFT JOIN open_lines o ON (o.file, o.key) = (s.file, s.key)
"""
_NEWLY_KNOWN = (
    "CREATE TEMP TABLE newly_known AS SELECT file, key FROM touched_lines UNION SELECT file, key FROM open_lines"
)
_FORGET = "DELETE FROM known_lines k USING newly_known n WHERE (n.file, n.key) = (k.file, k.key)"
_THESE = "JOIN newly_known n ON (n.file, n.key) = (s.file, s.key)"


def stage(connection: Connection, parts: Sequence[Part], *, program: str, progress: Progress) -> str | None:
    """Stage the lines as they stand. Gives everything else that decides what they mean, in one word, or None where the lines
    of tonight cannot be understood one by one.
    """
    frame = sha256(program.encode())
    run(connection, _SAID)
    if not {part.kind for part in parts} >= _NEEDED:
        return None
    for part in parts:
        if not isinstance(part, LinedPart) or part.kind is Kind.CONTACTS:
            return None
        if part.kind in PEOPLE:
            _copy(connection, part, progress)
        else:
            for some in part.lines():
                frame.update("\n".join(some.said).encode())
        frame.update(f"\n{part.name}\n{part.frame()}\n".encode())
        if not part.is_plain:
            return None
    return frame.hexdigest()


def _copy(connection: Connection, part: LinedPart, progress: Progress) -> None:
    statement = "COPY said_lines (file, number, key, said) FROM STDIN"
    with connection.begin():
        driver = cast("DriverConnection[Any]", connection.connection.dbapi_connection)
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            for some in part.lines():
                rows = zip(repeat(part.kind), map(str, some.numbers), some.keys, some.said)
                copy.write("\n".join([*map("\t".join, rows), ""]).replace("\\", "\\\\"))
                progress(part.name, min(part.position, part.size), part.size)


def compare(connection: Connection) -> bool:
    """Write the keys of the lines that have to be read to `touched_lines`; False where that is nearly all of them, or where
    the last sync left no lines.
    """
    run(connection, "ANALYZE said_lines")
    run(connection, _DIFFERENT)
    with connection.begin():
        said, known, new, gone = connection.exec_driver_sql(_COUNTS).one()
    is_repeated_differently = said - new != known - gone
    if is_repeated_differently or new + gone > MOST_CHANGED * said:
        return False
    touched = run(connection, _TOUCHED)
    run(connection, "ANALYZE touched_lines")
    return bool(touched <= MOST_CHANGED * said)


def note_open(connection: Connection) -> None:
    """Write the keys of the lines that were read and said something that is not in the `wanted_…` tables to `open_lines`."""
    run(connection, _OPEN)


def remember(connection: Connection, *, all_read: bool) -> None:
    """Keep what tonight's lines said: all of them, or those that say something else or are open now."""
    if not all_read:
        run(connection, _NEWLY_KNOWN)
    with connection.begin():
        connection.exec_driver_sql("TRUNCATE known_lines" if all_read else _FORGET)
        connection.exec_driver_sql(_REMEMBER.format(these="" if all_read else _THESE))


def forget(connection: Connection) -> None:
    """Tonight's lines could not be told apart; the next sync reads everything."""
    run(connection, "TRUNCATE known_lines")
