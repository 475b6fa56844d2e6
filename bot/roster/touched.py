"""The people about whom something changed, and all that has to be read to know what follows for them.

Touched is whoever has a line that changed, is gone or is open, or an enrolment that did. All their lines are read, and of the
people beside them (a student's contacts, a contact's students) what they are. So what the rules work out for touched people
is what they would of everything; what they do for anybody else is left aside.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from sqlalchemy import Connection

from bot.roster import staging
from bot.roster.staging import CHUNK, run
from bot.sis import Kind, LinedPart, Part, Rejection, Row


@dataclass(frozen=True)
class Scope:
    """Whom a sync is about: everybody, or the people in the temporary table `touched_people`."""

    is_whole: bool

    def holds(self, *columns: str) -> str:
        """SQL's condition that one of these sourced_ids of people is in it."""
        if self.is_whole:
            return "true"
        return " OR ".join(f"{column} IN (SELECT person FROM touched_people)" for column in columns) or "false"


EVERYBODY = Scope(is_whole=True)

_KEYS = "CREATE TEMP TABLE read_keys (file text, key text, round int)"
_ASK = """
INSERT INTO read_keys
SELECT file, key, {turn} FROM ({keys}) asked WHERE NOT EXISTS (SELECT FROM read_keys r WHERE (r.file, r.key) = (asked.file, asked.key))
"""
_ASKED = """
CREATE TEMP TABLE asked_lines AS
SELECT s.file, s.number, s.said FROM said_lines s JOIN read_keys r USING (file, key) WHERE r.round = {turn}
"""
_PAGE = (
    "SELECT number, said FROM asked_lines WHERE file = %(file)s AND number > %(after)s ORDER BY number LIMIT %(most)s"
)

_CHANGED = "SELECT DISTINCT file, key FROM touched_lines"

_TOUCHED_PEOPLE = f"""
CREATE TEMP TABLE touched_people AS
SELECT key AS person FROM touched_lines WHERE file IN ('{Kind.USERS}', '{Kind.ROLES}')
UNION SELECT person FROM stage_enrollments
UNION SELECT s.sourced_id FROM touched_lines t JOIN class_students e ON e.sourced_id = t.key JOIN students s ON s.id = e.student_id
UNION SELECT s.sourced_id FROM touched_lines t JOIN class_teachers e ON e.sourced_id = t.key JOIN staff s ON s.id = e.staff_id
"""
_THEIRS = f"""
SELECT file, person AS key FROM touched_people, (VALUES ('{Kind.USERS}'), ('{Kind.ROLES}')) AS files (file)
UNION ALL
SELECT '{Kind.ENROLLMENTS}', e.sourced_id FROM class_students e
JOIN students s ON s.id = e.student_id JOIN touched_people t ON t.person = s.sourced_id
UNION ALL
SELECT '{Kind.ENROLLMENTS}', e.sourced_id FROM class_teachers e
JOIN staff s ON s.id = e.staff_id JOIN touched_people t ON t.person = s.sourced_id
"""
_BESIDE = f"""
SELECT DISTINCT file, person AS key
FROM (
    SELECT a.agent AS person FROM stage_agents a JOIN touched_people t ON t.person = a.person
    UNION
    SELECT c.sourced_id FROM touched_people t JOIN students s ON s.sourced_id = t.person
    JOIN student_contacts l ON l.student_id = s.id JOIN contacts c ON c.id = l.contact_id
    UNION
    SELECT s.sourced_id FROM touched_people t JOIN contacts c ON c.sourced_id = t.person
    JOIN student_contacts l ON l.contact_id = c.id JOIN students s ON s.id = l.student_id
) beside, (VALUES ('{Kind.USERS}'), ('{Kind.ROLES}')) AS files (file)
"""
_LINKS_OF_OTHERS = """
DELETE FROM stage_agents WHERE person NOT IN (SELECT person FROM touched_people) AND agent NOT IN (SELECT person FROM touched_people)
"""


def read(connection: Connection, parts: Sequence[Part]) -> Scope | None:
    """Stage the lines that `touched_lines` is about, and what they need. None where a line needs more than that."""
    lined = [part for part in parts if isinstance(part, LinedPart)]
    run(connection, _KEYS)
    _read(connection, lined, _CHANGED, turn=0)
    run(connection, _TOUCHED_PEOPLE)
    run(connection, "ANALYZE touched_people")
    _read(connection, lined, _THEIRS, turn=1)
    _read(connection, lined, _BESIDE, turn=2)
    run(connection, _LINKS_OF_OTHERS)
    may_be_anybodys = run(connection, "SELECT FROM stage_unread WHERE sourced_id = ''")
    return Scope(is_whole=False) if all(part.is_plain for part in lined) and not may_be_anybodys else None


def _read(connection: Connection, parts: Sequence[LinedPart], keys: str, *, turn: int) -> None:
    run(connection, _ASK.format(keys=keys, turn=turn))
    run(connection, "DROP TABLE IF EXISTS asked_lines")
    run(connection, _ASKED.format(turn=turn))
    run(connection, "CREATE INDEX ON asked_lines (file, number)")
    for part in parts:
        staging.store(connection, chain.from_iterable(_of(part, connection)))


def _of(part: LinedPart, connection: Connection) -> Iterator[Sequence[Row | Rejection]]:
    """What the lines that were asked of it say, a page at a time."""
    after = 0
    while True:
        with connection.begin():
            page = connection.exec_driver_sql(_PAGE, {"file": part.kind, "after": after, "most": CHUNK}).all()
        if not page:
            return
        yield part.read(*zip(*page, strict=True))
        after = page[-1].number
