"""Finds people who came back under another sourced_id, so that they stay the same rows with all that staff did for them.

Some SIS issue new ids: with a new version of OneRoster, when contacts are consolidated, or whenever a contact without an id of
their own changes. A student gone tonight and one new tonight are one row if identifier and folded name are the same. A contact is,
within one student, if the folded name is the same, and the email or the number, as the SIS had it or as staff edited it. Where
anyone has two candidates, nothing is guessed.

The target tables then use the ids that we have, so that every later step compares and merges these people as usual. The new ids
are written at the end, in one transaction; a sync that is killed before finds the same pairs again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from bot.domain.display import plural
from bot.sync.diff_merge import SyncScope
from bot.sync.stage import execute

# As many ids as a person may look up one by one.
_MAX_IDS = 10

_GONE_STUDENTS = """
CREATE TEMP TABLE gone_students AS
SELECT s.sourced_id, s.identifier, s.search FROM students s
WHERE s.active AND s.identifier <> '' AND ({scope})
  AND NOT EXISTS (SELECT FROM target_students t WHERE t.sourced_id = s.sourced_id)
"""
_STUDENT_PAIRS = """
CREATE TEMP TABLE student_pairs AS
SELECT g.sourced_id AS old, t.sourced_id AS new
FROM gone_students g JOIN target_students t ON t.identifier = g.identifier AND t.search = g.search
WHERE NOT EXISTS (SELECT FROM students s WHERE s.sourced_id = t.sourced_id)
"""

# A removed contact stays linked: the removal goes with it.
_GONE_CONTACTS = """
CREATE TEMP TABLE gone_contacts AS
SELECT c.id, c.sourced_id, c.search, lower(c.email) AS email, c.sis_phone AS phone FROM contacts c
WHERE c.active AND ({scope}) AND NOT EXISTS (SELECT FROM target_contacts t WHERE t.sourced_id = c.sourced_id)
"""
_CONTACT_PAIRS = (
    """
    CREATE TEMP TABLE gone_phones AS
    SELECT id, phone FROM gone_contacts WHERE phone IS NOT NULL
    UNION
    SELECT g.id, edited.phone
    FROM gone_contacts g
    JOIN edits e ON e.contact_id = g.id AND e.field = 'phone' AND e.state IN ('pending', 'conflict')
    CROSS JOIN LATERAL (VALUES (e.base), (e.value)) AS edited (phone)
    WHERE edited.phone IS NOT NULL
    """,
    """
    CREATE TEMP TABLE new_contacts AS
    SELECT t.sourced_id, folded_name(t.given_name, t.family_name) AS search, lower(t.email) AS email, t.sis_phone AS phone
    FROM target_contacts t WHERE NOT EXISTS (SELECT FROM contacts c WHERE c.sourced_id = t.sourced_id)
    """,
    "ANALYZE gone_contacts, gone_phones, new_contacts",
    """
    CREATE TEMP TABLE contact_pairs AS
    SELECT DISTINCT g.sourced_id AS old, n.sourced_id AS new
    FROM gone_contacts g
    JOIN student_contacts l ON l.contact_id = g.id AND l.active
    JOIN students s ON s.id = l.student_id
    JOIN target_student_contacts t ON t.student = s.sourced_id
    JOIN new_contacts n ON n.sourced_id = t.contact AND n.search = g.search
    WHERE n.email = g.email OR (g.id, n.phone) IN (SELECT id, phone FROM gone_phones)
    """,
)
_UNAMBIGUOUS = """
CREATE TEMP TABLE rekeyed_{people} AS
SELECT old, new
FROM (SELECT old, new, count(*) OVER (PARTITION BY old) AS of_old, count(*) OVER (PARTITION BY new) AS of_new FROM {pairs}) p
WHERE of_old = 1 AND of_new = 1
"""
_NOBODY = "CREATE TEMP TABLE rekeyed_{people} (old text, new text)"
_TARGET_COLUMNS = {
    "students": (
        ("target_students", "sourced_id"),
        ("target_student_contacts", "student"),
        ("target_class_students", "student"),
        ("target_student_schools", "student"),
    ),
    "contacts": (
        ("target_contacts", "sourced_id"),
        ("target_student_contacts", "contact"),
        ("target_other_numbers", "contact"),
    ),
}
_USE_OUR_IDS = "UPDATE {table} t SET {column} = r.old FROM rekeyed_{people} r WHERE t.{column} = r.new"
_USE_NEW_IDS = "UPDATE {table} t SET {column} = r.new FROM rekeyed_{people} r WHERE t.{column} = r.old"

# Contacts who left with edits, removals or claims, and who may be one of those who came tonight: to a student of theirs with the
# same name, number or email, or anywhere with the same name and number or email.
_AT_RISK = """
CREATE TEMP TABLE changes_at_risk AS
WITH leaving AS MATERIALIZED (
    SELECT * FROM (
        SELECT g.*,
               (SELECT count(*) FROM edits e WHERE e.contact_id = g.id AND e.state IN ('pending', 'conflict')) AS edits,
               (SELECT count(*) FROM removals x WHERE x.contact_id = g.id AND x.undone_at IS NULL) AS removals,
               (SELECT count(*) FROM cleanup_list l WHERE l.contact_id = g.id AND l.claimed_by IS NOT NULL) AS claims
        FROM gone_contacts g WHERE NOT EXISTS (SELECT FROM rekeyed_contacts r WHERE r.old = g.sourced_id)
    ) counted WHERE edits + removals + claims > 0
),
arriving AS (
    SELECT g.id, t.contact AS sourced_id
    FROM leaving g
    JOIN student_contacts l ON l.contact_id = g.id AND l.active
    JOIN students s ON s.id = l.student_id
    JOIN target_student_contacts t ON t.student = s.sourced_id
    JOIN target_contacts n ON n.sourced_id = t.contact
    WHERE (lower(n.email) = g.email OR (g.id, n.sis_phone) IN (SELECT id, phone FROM gone_phones)
           OR (g.search <> '' AND folded_name(n.given_name, n.family_name) = g.search))
      AND NOT EXISTS (
          SELECT FROM student_contacts x JOIN contacts c ON c.id = x.contact_id
          WHERE x.student_id = s.id AND x.active AND c.sourced_id = t.contact
      )
    UNION
    SELECT g.id, n.sourced_id FROM leaving g JOIN new_contacts n ON n.search = g.search AND g.search <> ''
    WHERE (n.email = g.email OR (g.id, n.phone) IN (SELECT id, phone FROM gone_phones))
      AND NOT EXISTS (SELECT FROM rekeyed_contacts r WHERE r.new = n.sourced_id)
)
SELECT g.sourced_id, g.edits, g.removals, g.claims, string_agg(a.sourced_id, ' or ' ORDER BY a.sourced_id) AS candidates
FROM leaving g JOIN arriving a ON a.id = g.id
GROUP BY g.id, g.sourced_id, g.edits, g.removals, g.claims
"""
_NOTHING_AT_RISK = """
CREATE TEMP TABLE changes_at_risk (sourced_id text, edits bigint, removals bigint, claims bigint, candidates text)
"""

# Students who are new or changed tonight, each with the first other record of the same identifier and name.
_SECOND_RECORDS = """
SELECT DISTINCT least(c.sourced_id, o.sourced_id) || ' and ' || greatest(c.sourced_id, o.sourced_id) AS ids
FROM change_students c
JOIN (
    SELECT sourced_id, identifier, search FROM students s
    WHERE active AND NOT EXISTS (SELECT FROM change_students x WHERE x.live_sourced_id = s.sourced_id)
    UNION ALL
    SELECT sourced_id, identifier, search FROM change_students WHERE kind <> 'inactive'
) o ON o.identifier = c.identifier AND o.search = c.search AND o.sourced_id <> c.sourced_id
WHERE c.kind <> 'inactive' AND c.identifier <> ''
ORDER BY ids
"""

_STORE_IDS = (
    # An id that another person has now finds that person.
    "DELETE FROM former_contact_ids WHERE sourced_id IN (SELECT sourced_id FROM change_contacts WHERE kind = 'added')",
    "DELETE FROM former_contact_ids WHERE sourced_id IN (SELECT new FROM rekeyed_contacts)",
    """
    INSERT INTO former_contact_ids (sourced_id, contact_id)
    SELECT r.old, c.id FROM rekeyed_contacts r JOIN contacts c ON c.sourced_id = r.old
    """,
    """
    WITH updated AS (
        UPDATE contacts c SET sourced_id = r.new FROM rekeyed_contacts r WHERE c.sourced_id = r.old RETURNING c.id, r.old, r.new
    )
    INSERT INTO audit (at, actor, action, subject_kind, subject_id, before, after)
    SELECT %(now)s, %(actor)s, 'contact.new_id', 'contact', id, old, new FROM updated
    """,
    """
    WITH updated AS (
        UPDATE students s SET sourced_id = r.new FROM rekeyed_students r WHERE s.sourced_id = r.old RETURNING s.id, r.old, r.new
    )
    INSERT INTO audit (at, actor, action, subject_kind, subject_id, before, after)
    SELECT %(now)s, %(actor)s, 'student.new_id', 'student', id, old, new FROM updated
    """,
)


@dataclass(frozen=True)
class IdentityReport:
    """How many students and contacts came back under other ids.

    `second_records` are pairs of sourced_ids ("S1 and S9") of students with two records, one of which is new or changed.
    `at_risk` says what would be lost with contacts who may have come back, but cannot be matched; it is empty if nothing would.
    """

    students: int = 0
    contacts: int = 0
    second_records: tuple[str, ...] = ()
    at_risk: str = ""


def match_people(connection: Connection, scope: SyncScope) -> None:
    """Write the ids of people who came back to `rekeyed_...`, and use our ids for them in the target tables."""
    execute(connection, _GONE_STUDENTS.format(scope=scope.covers("s.sourced_id")))
    _match(connection, "students", "student_pairs", (_STUDENT_PAIRS,))
    execute(connection, _GONE_CONTACTS.format(scope=scope.covers("c.sourced_id")))
    if _match(connection, "contacts", "contact_pairs", _CONTACT_PAIRS):
        execute(connection, _AT_RISK)
    else:
        execute(connection, _NOTHING_AT_RISK)


def _match(connection: Connection, people: str, pairs: str, find_pairs: tuple[str, ...]) -> bool:
    """Return whether anyone is gone; on most nights it is False, and nothing else is read."""
    with connection.begin():
        is_anyone_gone = connection.exec_driver_sql(f"SELECT EXISTS (SELECT FROM gone_{people})").scalar_one()
    if not is_anyone_gone:
        execute(connection, _NOBODY.format(people=people))
        return False
    for statement in find_pairs:
        execute(connection, statement)
    if execute(connection, _UNAMBIGUOUS.format(people=people, pairs=pairs)):
        execute(connection, f"ANALYZE rekeyed_{people}")
        for table, column in _TARGET_COLUMNS[people]:
            execute(connection, _USE_OUR_IDS.format(table=table, column=column, people=people))
    return True


def load_report(connection: Connection) -> IdentityReport:
    """Describe the matches in the caller's transaction; call it once the differences of students are known."""
    counts = connection.exec_driver_sql(
        "SELECT (SELECT count(*) FROM rekeyed_students), (SELECT count(*) FROM rekeyed_contacts)"
    ).one()
    pairs = connection.exec_driver_sql(_SECOND_RECORDS).scalars().all()
    return IdentityReport(counts[0], counts[1], tuple(pairs), _describe_at_risk(connection))


def _describe_at_risk(connection: Connection) -> str:
    rows = connection.exec_driver_sql("SELECT * FROM changes_at_risk ORDER BY sourced_id").all()
    if not rows:
        return ""
    counts = {noun: sum(getattr(row, f"{noun}s") for row in rows) for noun in ("edit", "removal", "claim")}
    changes = [plural(count, noun) for noun, count in counts.items() if count]
    listed = ", ".join(changes[:-1]) + " and " + changes[-1] if len(changes) > 1 else changes[0]
    people = _first_ids([f"{row.sourced_id} (now {row.candidates}?)" for row in rows])
    return f"{listed} would be lost: {people}"


def _first_ids(ids: list[str]) -> str:
    more = len(ids) - _MAX_IDS
    return ", ".join(ids[:_MAX_IDS]) + (f" and {more:,} more" if more > 0 else "")


def describe(report: IdentityReport | Mapping[str, Any]) -> list[str]:
    """Return sentences for a report, or for one as `sync_runs` has it; ids only, never names."""
    values = report if isinstance(report, Mapping) else vars(report)
    people = values.get("students", 0) + values.get("contacts", 0)
    second_records = list(values.get("second_records", ()))
    sentences = []
    if people:
        sentences.append(f"{plural(people, 'person', 'people')} came back under other ids.")
    if second_records:
        has = plural(len(second_records), "student has", "students have")
        sentences.append(f"{has} a second record in the SIS: {_first_ids(second_records)}.")
    return sentences


def store_ids(connection: Connection, **values: Any) -> None:
    """Write the new ids; call it after the merge. `values` are `now` and `actor`, for the audit."""
    with connection.begin():
        for statement in _STORE_IDS:
            connection.exec_driver_sql(statement, values)
    # What follows compares the target tables with the staged rows again.
    for people, columns in _TARGET_COLUMNS.items():
        table, column = columns[0]
        execute(connection, _USE_NEW_IDS.format(table=table, column=column, people=people))
