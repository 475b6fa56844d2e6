"""Reads a source as far as necessary: all of it, or the lines that changed since the last sync and the lines they depend on.

Afterwards the target tables are filled for the people in scope, and `stage_rejections` lists what could not be read.

A narrowed read computes the same for its people as a whole read would. *Changed people* have a new, open or removed line of their own,
or are staff with the email of such a person; *affected people* also those with such an enrollment. All lines of changed people are
read, and users and roles of the people linked to them. People who are only affected keep their user and roles, and the enrollments that
did not change.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from pathlib import Path

from sqlalchemy import Connection

from bot.sis import contacts_csv
from bot.sis.rows import Kind, LinedPart, Part, Rejection, Row, Source
from bot.sync import carry_over, identity, line_diff, runs, stage
from bot.sync.contacts_overlay import has_overlay, overlay_contacts
from bot.sync.diff_merge import WHOLE_ROSTER, SyncScope
from bot.sync.runs import SyncContext
from bot.sync.stage import CHUNK, execute
from bot.sync.target_tables import build_target_tables, reject_anomalies

# Enough to recognize a title, and a file that has none but data in its first line is not repeated.
_LONGEST_TITLE = 40
_MOST_TITLES = 12


@dataclass(frozen=True)
class ReadResult:
    """The parts that were read, the people they cover, and what the next sync may compare with.

    `rows_hash` stands for the rows of a source that only reading can tell apart from what it was.
    """

    parts: Sequence[Part]
    scope: SyncScope
    layout_hash: str | None
    rows_hash: str | None = None
    fingerprint: str | None = None

    @property
    def export_id(self) -> str | None:
        """Return what an approval of this export is stored with; None for a file that was replaced while it was read."""
        return self.fingerprint or self.rows_hash


def read_source(context: SyncContext, source: Source, *, contacts: Path | None, region: str) -> ReadResult:
    """Fill the target tables from the source. `contacts` is the contacts overlay."""
    connection = context.connection
    watermarks = runs.load_watermarks(connection, source.name, now=context.now, whole_every=context.whole_every)
    result = _read(context, source, watermarks, contacts=contacts, region=region)
    if runs.has_silent_deletions(connection, source.name, result.parts):
        stage.execute(connection, "DISCARD TEMP")
        result = _read(context, source, {}, contacts=contacts, region=region)
    return result


def _read(
    context: SyncContext, source: Source, watermarks: Mapping[str, datetime], *, contacts: Path | None, region: str
) -> ReadResult:
    """Fill the target tables, from the changes since the watermarks where there are any."""
    connection = context.connection
    stage.create_tables(connection)
    with source.open(region=region, watermarks=watermarks) as files:
        parts = _with_contacts(files, contacts, region)
        reader = runs.reader_version(region)
        layout_hash = line_diff.stage_lines(connection, parts, reader=reader, progress=context.progress)
        had_overlay = has_overlay(connection)
        scope = (None if had_overlay else _read_changes(context, parts, layout_hash)) or WHOLE_ROSTER
        for part in parts:
            if scope.is_whole or part.kind not in line_diff.COMPARED:
                stage.stage_part(connection, part, progress=context.progress)
    stage.drop_repeated_users(connection, parts)
    # Before rows of our own are added. A file has a fingerprint, for which nothing has to be hashed here.
    rows_hash = None if all(part.has_lines for part in parts) else stage.hash_rows(connection)
    carry_over.stage_missing_rows(connection, parts)
    stage.analyze(connection)
    overlay_contacts(connection, parts, had_overlay=had_overlay, today=context.now.date())
    build_target_tables(connection, today=context.now.date())
    reject_anomalies(connection)
    identity.match_people(connection, scope)
    stage.label_rejections(connection, parts)
    stage.stage_rows(connection, _unread_columns(parts))
    return ReadResult(parts, scope, layout_hash, rows_hash)


def _with_contacts(files: Sequence[Part], contacts: Path | None, region: str) -> Sequence[Part]:
    """Return the parts of the source, with the contacts of a file of their own in place of any that the source has."""
    if contacts is None:
        return files
    others = (part for part in files if part.kind is not Kind.CONTACTS)
    return [*others, contacts_csv.open_part(contacts, region=region)]


def _unread_columns(parts: Sequence[Part]) -> Iterator[Rejection]:
    """Yield one rejection for each file with columns that were not read."""
    for part in parts:
        if isinstance(part, LinedPart) and (titles := part.unread_columns):
            some = ", ".join(title.strip()[:_LONGEST_TITLE] for title in titles[:_MOST_TITLES])
            more = f" and {len(titles) - _MOST_TITLES} more" if len(titles) > _MOST_TITLES else ""
            yield Rejection(part.name, None, f"{some}{more}", "is a column that is not read; nothing in it was used")


def save_lines(context: SyncContext, result: ReadResult) -> str | None:
    """Save the lines for the next sync to compare with. Return their layout hash, or None if they cannot be compared."""
    can_compare = (
        result.layout_hash and result.fingerprint and all(part.is_plain for part in _compared_parts(result.parts))
    )
    if can_compare and line_diff.save_lines(context.connection, is_whole=result.scope.is_whole):
        return result.layout_hash
    stage.execute(context.connection, "TRUNCATE known_lines")  # The next sync reads everything.
    return None


def _read_changes(context: SyncContext, parts: Sequence[Part], layout_hash: str | None) -> SyncScope | None:
    """Stage only the changed lines and those they depend on. Return None if everything has to be read."""
    connection, previous = context.connection, context.previous
    if layout_hash is None or previous is None or previous.layout_hash != layout_hash:
        return None
    if runs.is_whole_due(connection, None, now=context.now, whole_every=context.whole_every):
        return None
    if not line_diff.find_changed_lines(connection, parts):
        return None
    if not _stage_changes(connection, _compared_parts(parts)):
        stage.truncate(connection)
        return None
    return SyncScope(is_whole=False)


def _compared_parts(parts: Sequence[Part]) -> list[LinedPart]:
    return [part for part in parts if isinstance(part, LinedPart) and part.kind in line_diff.COMPARED]


# What follows looks up few rows among many by index, where the planner would otherwise scan the tables.
_PREFER_INDEXES = "SET random_page_cost = 1.1"
_REQUESTED_LINES = (
    "CREATE TEMP TABLE requested_lines (is_changed boolean, file text, number bigint, line text, digest bigint)"
)
_REQUEST_CHANGED = """
INSERT INTO requested_lines
SELECT DISTINCT true, e.file, e.number, e.line, e.digest FROM changed_lines c JOIN export_lines e ON e.ctid = c.export_ctid
"""
_REQUEST_RELATED = """
INSERT INTO requested_lines
SELECT false, e.file, e.number, e.line, e.digest FROM export_lines e
WHERE digest IN (SELECT digest FROM known_lines JOIN related_keys USING (file, key))
  AND NOT EXISTS (SELECT FROM requested_lines q WHERE (q.file, q.number) = (e.file, e.number))
"""
_PAGE = """
SELECT number, line FROM requested_lines
WHERE is_changed = %(is_changed)s AND file = %(file)s AND number > %(after)s ORDER BY number LIMIT %(limit)s
"""

# Each of these uses those before it.
_PEOPLE = {
    "changed_people": f"""
        SELECT key AS person FROM changed_lines WHERE file IN ('{Kind.USERS}', '{Kind.ROLES}') AND key <> ''
        UNION SELECT sourced_id FROM stage_users
        UNION SELECT person FROM stage_roles
        UNION SELECT sourced_id FROM stage_unread WHERE kind IN ('{Kind.USERS}', '{Kind.ROLES}')
        UNION SELECT sourced_id FROM staff WHERE active AND email IN (
            SELECT lower(email) FROM stage_users
            UNION SELECT lower(email) FROM contacts JOIN stage_roles ON person = sourced_id
        )
    """,
    "changed_enrollments": f"""
        SELECT key AS sourced_id FROM changed_lines WHERE file = '{Kind.ENROLLMENTS}' AND key <> ''
        UNION SELECT sourced_id FROM stage_enrollments
        UNION SELECT sourced_id FROM stage_unread WHERE kind = '{Kind.ENROLLMENTS}'
    """,
    "affected_people": """
        SELECT person FROM changed_people
        UNION SELECT person FROM stage_enrollments
        UNION
        SELECT s.sourced_id FROM changed_enrollments JOIN class_students USING (sourced_id) JOIN students s ON s.id = student_id
        UNION
        SELECT s.sourced_id FROM changed_enrollments JOIN class_teachers USING (sourced_id) JOIN staff s ON s.id = staff_id
    """,
    "related_keys": f"""
        SELECT file, person AS key
        FROM (
            SELECT person FROM affected_people
            UNION
            SELECT a.agent FROM stage_agents a JOIN changed_people USING (person)
            UNION
            SELECT c.sourced_id FROM changed_people p JOIN students s ON s.sourced_id = p.person
            JOIN student_contacts l ON l.student_id = s.id JOIN contacts c ON c.id = l.contact_id
            UNION
            SELECT s.sourced_id FROM changed_people p JOIN contacts c ON c.sourced_id = p.person
            JOIN student_contacts l ON l.contact_id = c.id JOIN students s ON s.id = l.student_id
        ) related, (VALUES ('{Kind.USERS}'), ('{Kind.ROLES}')) AS files (file)
        UNION
        SELECT '{Kind.ENROLLMENTS}', sourced_id FROM changed_enrollments
        UNION
        SELECT '{Kind.ENROLLMENTS}', e.sourced_id FROM changed_people p
        JOIN students s ON s.sourced_id = p.person JOIN class_students e ON e.student_id = s.id AND e.active
        UNION
        SELECT '{Kind.ENROLLMENTS}', e.sourced_id FROM changed_people p
        JOIN staff s ON s.sourced_id = p.person JOIN class_teachers e ON e.staff_id = s.id AND e.active
    """,
}

_DELETE_LINKS_OUT_OF_SCOPE = """
DELETE FROM stage_agents
WHERE person NOT IN (SELECT person FROM changed_people) AND agent NOT IN (SELECT person FROM changed_people)
"""
# Of our enrollment `e` of the person `s`: the person is only affected, and this enrollment did not change.
_UNCHANGED_ENROLLMENT = """
s.sourced_id IN (SELECT person FROM affected_people EXCEPT SELECT person FROM changed_people)
AND NOT EXISTS (SELECT FROM changed_enrollments x WHERE x.sourced_id = e.sourced_id)
"""


def _stage_changes(connection: Connection, parts: Sequence[LinedPart]) -> bool:
    """Stage the changed lines, then the lines they depend on. Return False if a line cannot be read by itself."""
    execute(connection, _PREFER_INDEXES)
    execute(connection, _REQUESTED_LINES)
    _stage_requested(connection, parts, _REQUEST_CHANGED, is_changed=True)
    for table, select in _PEOPLE.items():
        execute(connection, f"CREATE TEMP TABLE {table} AS {select}")
        execute(connection, f"ANALYZE {table}")
    _stage_requested(connection, parts, _REQUEST_RELATED, is_changed=False)
    execute(connection, _DELETE_LINKS_OUT_OF_SCOPE)
    carry_over.stage_enrollments(connection, _UNCHANGED_ENROLLMENT)
    is_narrow = not any(carry_over.unread_kinds(connection).values()) and all(part.is_plain for part in parts)
    if not is_narrow:
        execute(connection, "RESET random_page_cost")
    return is_narrow


def _stage_requested(connection: Connection, parts: Sequence[LinedPart], request: str, *, is_changed: bool) -> None:
    execute(connection, request)
    execute(connection, "ANALYZE requested_lines")
    for part in parts:
        stage.stage_rows(connection, chain.from_iterable(_read_pages(connection, part, is_changed=is_changed)))


def _read_pages(connection: Connection, part: LinedPart, *, is_changed: bool) -> Iterator[Sequence[Row | Rejection]]:
    after = 0
    while True:
        with connection.begin():
            values = {"is_changed": is_changed, "file": part.kind, "after": after, "limit": CHUNK}
            page = connection.exec_driver_sql(_PAGE, values).all()
        if not page:
            return
        yield part.read_lines(*zip(*page, strict=True))
        after = page[-1].number
