"""The people about whom something changed, and all that has to be read to know what follows for them.

Touched is whoever has a line that changed, is gone or is open; moved is whoever is touched or has such an enrolment. All lines
of touched people are read, and of the people beside them (a student's contacts, a contact's students) what they are; whoever
only moved is what they were, and stays in the classes that nothing was said about. So what the rules work out for these people
is what they would of everything; what they do for anybody else is left aside.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from sqlalchemy import Connection

from bot.sis.rows import Kind, LinedPart, Part, Rejection, Row
from bot.sync import carry_over, stage
from bot.sync.line_diff import COMPARED
from bot.sync.stage import CHUNK, execute


@dataclass(frozen=True)
class SyncScope:
    """Whom a sync is about: everybody, or the people in the temporary tables `touched_people` and `moved_people`."""

    is_whole: bool

    def holds(self, *columns: str, moved: bool = False) -> str:
        """SQL's condition that one of these sourced_ids is of somebody who was touched, or moved."""
        if self.is_whole:
            return "true"
        people = "moved_people" if moved else "touched_people"
        return " OR ".join(f"{column} IN (SELECT person FROM {people})" for column in columns) or "false"


WHOLE_ROSTER = SyncScope(is_whole=True)

_FEW = "SET random_page_cost = 1.1"
"""What follows is about few among many: they are looked up in an index, where the planner would go through all."""
_ASKED = "CREATE TEMP TABLE asked_lines (turn int, file text, number bigint, said text, digest bigint)"
_ASK_DIFFERENT = """
INSERT INTO asked_lines
SELECT DISTINCT 0, s.file, s.number, s.said, s.digest FROM different_lines d JOIN said_lines s ON s.ctid = d.said_at
"""
_ASK_BESIDE = """
INSERT INTO asked_lines
SELECT 1, s.file, s.number, s.said, s.digest FROM said_lines s
WHERE digest IN (SELECT digest FROM known_lines JOIN asked_keys USING (file, key))
  AND NOT EXISTS (SELECT FROM asked_lines r WHERE (r.file, r.number) = (s.file, s.number))
"""
_PAGE = """
SELECT number, said FROM asked_lines
WHERE turn = %(turn)s AND file = %(file)s AND number > %(after)s ORDER BY number LIMIT %(most)s
"""

_TOUCHED_PEOPLE = f"""
SELECT key AS person FROM different_lines WHERE file IN ('{Kind.USERS}', '{Kind.ROLES}') AND key <> ''
UNION SELECT sourced_id FROM stage_users
UNION SELECT person FROM stage_roles
UNION SELECT sourced_id FROM stage_unread WHERE kind IN ('{Kind.USERS}', '{Kind.ROLES}')
"""
_TOUCHED_ENROLLMENTS = f"""
SELECT key AS sourced_id FROM different_lines WHERE file = '{Kind.ENROLLMENTS}' AND key <> ''
UNION SELECT sourced_id FROM stage_enrollments
UNION SELECT sourced_id FROM stage_unread WHERE kind = '{Kind.ENROLLMENTS}'
"""
_MOVED_PEOPLE = """
SELECT person FROM touched_people
UNION SELECT person FROM stage_enrollments
UNION SELECT s.sourced_id FROM touched_enrollments JOIN class_students USING (sourced_id) JOIN students s ON s.id = student_id
UNION SELECT s.sourced_id FROM touched_enrollments JOIN class_teachers USING (sourced_id) JOIN staff s ON s.id = staff_id
"""
_ASKED_KEYS = f"""
SELECT file, person AS key
FROM (
    SELECT person FROM moved_people
    UNION
    SELECT a.agent FROM stage_agents a JOIN touched_people USING (person)
    UNION
    SELECT c.sourced_id FROM touched_people t JOIN students s ON s.sourced_id = t.person
    JOIN student_contacts l ON l.student_id = s.id JOIN contacts c ON c.id = l.contact_id
    UNION
    SELECT s.sourced_id FROM touched_people t JOIN contacts c ON c.sourced_id = t.person
    JOIN student_contacts l ON l.contact_id = c.id JOIN students s ON s.id = l.student_id
) beside, (VALUES ('{Kind.USERS}'), ('{Kind.ROLES}')) AS files (file)
UNION
SELECT '{Kind.ENROLLMENTS}', sourced_id FROM touched_enrollments
UNION
SELECT '{Kind.ENROLLMENTS}', e.sourced_id
FROM touched_people t JOIN students s ON s.sourced_id = t.person JOIN class_students e ON e.student_id = s.id AND e.active
UNION
SELECT '{Kind.ENROLLMENTS}', e.sourced_id
FROM touched_people t JOIN staff s ON s.sourced_id = t.person JOIN class_teachers e ON e.staff_id = s.id AND e.active
"""
_WHOM = {
    "touched_people": _TOUCHED_PEOPLE,
    "touched_enrollments": _TOUCHED_ENROLLMENTS,
    "moved_people": _MOVED_PEOPLE,
    "asked_keys": _ASKED_KEYS,
}
"""Each as the ones before it say."""

_LINKS_OF_OTHERS = """
DELETE FROM stage_agents WHERE person NOT IN (SELECT person FROM touched_people) AND agent NOT IN (SELECT person FROM touched_people)
"""
_ONLY_MOVED = """
s.sourced_id IN (SELECT person FROM moved_people EXCEPT SELECT person FROM touched_people)
AND NOT EXISTS (SELECT FROM touched_enrollments x WHERE x.sourced_id = e.sourced_id)
"""
"""Of an enrolment that we hold: its person only moved, and nothing was said about it."""


def read(connection: Connection, parts: Sequence[Part]) -> SyncScope | None:
    """Stage what `different_lines` is about, and what that needs. None where a line needs more than its own words."""
    lined = [part for part in parts if isinstance(part, LinedPart) and part.kind in COMPARED]
    execute(connection, _FEW)
    execute(connection, _ASKED)
    _read(connection, lined, _ASK_DIFFERENT, turn=0)
    for table, select in _WHOM.items():
        execute(connection, f"CREATE TEMP TABLE {table} AS {select}")
        execute(connection, f"ANALYZE {table}")
    _read(connection, lined, _ASK_BESIDE, turn=1)
    execute(connection, _LINKS_OF_OTHERS)
    carry_over.stay_in_class(connection, _ONLY_MOVED)
    may_be_anybodys = execute(connection, "SELECT FROM stage_unread WHERE sourced_id = ''")
    if may_be_anybodys or not all(part.is_plain for part in lined):
        execute(connection, "RESET random_page_cost")
        return None
    return SyncScope(is_whole=False)


def _read(connection: Connection, parts: Sequence[LinedPart], ask: str, *, turn: int) -> None:
    execute(connection, ask)
    execute(connection, "ANALYZE asked_lines")
    for part in parts:
        stage.store(connection, chain.from_iterable(_of(part, connection, turn)))


def _of(part: LinedPart, connection: Connection, turn: int) -> Iterator[Sequence[Row | Rejection]]:
    """What the lines that were asked of it say, a page at a time."""
    after = 0
    while True:
        with connection.begin():
            asked = {"turn": turn, "file": part.kind, "after": after, "most": CHUNK}
            page = connection.exec_driver_sql(_PAGE, asked).all()
        if not page:
            return
        yield part.read_lines(*zip(*page, strict=True))
        after = page[-1].number
