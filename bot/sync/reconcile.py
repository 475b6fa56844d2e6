"""Reconciles the edits in force with the new SIS values: a three-way comparison of normalized values, for all edits at once.

SIS = edit: absorbed. SIS = base: pending. Anything else, blank too: a conflict, kept with the SIS value until a person chooses.
Edits of contacts that left wait unchanged for their return. An absorbed edit is reverted when the SIS goes back to the value
before it. Runs in the transaction that merges the contacts; removals end in the one that merges the links.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection

# `sis_now` is the value after the merge, before or after `change_contacts` was applied.
_VERDICTS = """
SELECT e.id, e.contact_id, e.field, e.state, e.value, e.sis_value, sis.value AS sis_now,
       CASE WHEN sis.value IS NOT DISTINCT FROM e.value THEN 'absorbed'
            WHEN sis.value IS NOT DISTINCT FROM e.base THEN 'pending'
            ELSE 'conflict' END AS verdict
FROM edits e
JOIN contacts c ON c.id = e.contact_id
LEFT JOIN change_contacts x ON x.live_sourced_id = c.sourced_id
CROSS JOIN LATERAL (
    SELECT CASE WHEN e.field = 'method' THEN c.sis_method WHEN x.kind = 'changed' THEN x.sis_phone ELSE c.sis_phone END
) AS sis (value)
WHERE e.state IN ('pending', 'conflict') AND CASE x.kind WHEN 'changed' THEN true WHEN 'inactive' THEN false ELSE c.active END
"""
_OPEN_EDITS = "SELECT state, count(*) FROM edits WHERE state IN ('pending', 'conflict') GROUP BY state"

_COLLECT_CHANGED_PHONES = """
CREATE TEMP TABLE changed_phones ON COMMIT DROP AS
SELECT c.id AS contact_id, c.sis_phone AS before, x.sis_phone AS after
FROM change_contacts x JOIN contacts c ON c.sourced_id = x.live_sourced_id
WHERE x.kind = 'changed' AND c.sis_phone IS DISTINCT FROM x.sis_phone
"""


def _masked(column: str) -> str:
    """Return SQL for the number as `bot.domain.display.masked` writes it."""
    return f"coalesce('••• ' || right({column}, 4), 'no number')"


_AUDIT_CHANGED_PHONES = f"""
INSERT INTO audit (at, actor, action, subject_kind, subject_id, before, after)
SELECT %(now)s, %(actor)s, 'phone.changed', 'contact', contact_id, {_masked("before")}, {_masked("after")} FROM changed_phones
"""
_MARK_LIST_ENTRIES = """
UPDATE cleanup_list l
SET updated_at = CASE WHEN l.phone IS DISTINCT FROM p.after THEN %(now)s END,
    updated_by = CASE WHEN l.phone IS DISTINCT FROM p.after THEN %(actor)s END
FROM changed_phones p
WHERE l.contact_id = p.contact_id AND NOT EXISTS (
    SELECT FROM edits e WHERE e.contact_id = p.contact_id AND e.state IN ('pending', 'conflict')
      AND (e.field = 'phone' OR e.value <> 'text')
)
"""
_UPDATE_EDITS = f"""
WITH updated AS (
    UPDATE edits e SET state = v.verdict,
           sis_value = CASE v.verdict WHEN 'conflict' THEN v.sis_now END,
           sis_at = CASE WHEN v.verdict <> 'pending' THEN %(now)s END
    FROM ({_VERDICTS}) v
    WHERE e.id = v.id AND (v.verdict <> v.state OR (v.verdict = 'conflict' AND v.sis_now IS DISTINCT FROM v.sis_value))
    RETURNING v.*
)
INSERT INTO audit (at, actor, action, subject_kind, subject_id, before, after)
SELECT %(now)s, %(actor)s,
       CASE verdict WHEN 'absorbed' THEN 'edit.absorbed' WHEN 'conflict' THEN 'edit.disputed' ELSE 'edit.resumed' END,
       'contact', contact_id,
       CASE field WHEN 'phone' THEN {_masked("value")} ELSE value END,
       CASE field WHEN 'phone' THEN {_masked("sis_now")} ELSE sis_now END
FROM updated
"""
# Only the newest edit of a number: what staff changed since is a decision of its own.
_REVERT_EDITS = f"""
WITH updated AS (
    UPDATE edits e SET state = 'reverted', sis_value = p.after, sis_at = %(now)s
    FROM changed_phones p
    WHERE e.contact_id = p.contact_id AND e.field = 'phone' AND e.state = 'absorbed'
      AND e.value IS NOT DISTINCT FROM p.before AND e.base IS NOT DISTINCT FROM p.after
      AND NOT EXISTS (SELECT FROM edits n WHERE n.contact_id = e.contact_id AND n.field = 'phone' AND n.id > e.id)
    RETURNING e.*
)
INSERT INTO audit (at, actor, action, subject_kind, subject_id, before, after)
SELECT %(now)s, %(actor)s, 'edit.reverted', 'contact', contact_id, {_masked("value")}, {_masked("sis_value")} FROM updated
"""

# Links that ended tonight. An export may leave out a contact that the student's row still names: that is no agreement.
_COLLECT_ENDED_LINKS = """
CREATE TEMP TABLE ended_links ON COMMIT DROP AS
SELECT x.live_student_id AS student_id, x.live_contact_id AS contact_id
FROM change_student_contacts x
JOIN students s ON s.id = x.live_student_id
JOIN contacts c ON c.id = x.live_contact_id
WHERE x.kind = 'inactive' AND EXISTS (SELECT FROM removals r WHERE r.contact_id = c.id AND r.undone_at IS NULL)
  AND NOT EXISTS (SELECT FROM stage_agents a WHERE (a.person, a.agent) = (s.sourced_id, c.sourced_id))
"""
_END_REMOVALS = """
WITH ended AS (
    UPDATE removals r SET undone_by = %(actor)s, undone_at = %(now)s
    FROM contacts c
    WHERE r.undone_at IS NULL AND c.id = r.contact_id
      AND EXISTS (
          SELECT FROM student_contacts l JOIN students s ON s.id = l.student_id AND s.active
          WHERE l.contact_id = r.contact_id AND coalesce(l.student_id = r.student_id, true) AND NOT l.active
            AND (c.active OR EXISTS (
                SELECT FROM ended_links x WHERE (x.student_id, x.contact_id) = (l.student_id, l.contact_id)
            ))
      )
      AND NOT EXISTS (
          SELECT FROM student_contacts l
          WHERE l.contact_id = r.contact_id AND coalesce(l.student_id = r.student_id, true) AND l.active
      )
    RETURNING r.contact_id, r.student_id
)
INSERT INTO audit (at, actor, action, subject_kind, subject_id, after)
SELECT %(now)s, %(actor)s, 'removal.absorbed', 'contact', contact_id, coalesce('student ' || student_id, 'all students') FROM ended
"""


def count_verdicts(connection: Connection) -> dict[str, int]:
    """Count the edits in force that are absorbed, pending and in conflict once the changes of contacts are applied."""
    return _count(connection, f"SELECT verdict, count(*) FROM ({_VERDICTS}) v GROUP BY verdict")


def count_edits(connection: Connection) -> dict[str, int]:
    """Count the edits in force as they are, for a sync without changes."""
    return _count(connection, _OPEN_EDITS)


def _count(connection: Connection, statement: str) -> dict[str, int]:
    return {"absorbed": 0, "conflict": 0, "pending": 0} | {
        row[0]: row[1] for row in connection.exec_driver_sql(statement)
    }


def prepare_reconcile(connection: Connection) -> None:
    """Collect the numbers that the SIS changes; call it before the contacts are merged. Locks nothing."""
    connection.exec_driver_sql(_COLLECT_CHANGED_PHONES)


def reconcile_edits(connection: Connection, *, now: datetime, actor: str) -> None:
    """Update the edits in force; call it after the contacts are merged.

    A listed contact whose number the SIS changed waits for the next mass message. One with an edit waits already, and keeps the
    name of its editor.
    """
    values: dict[str, Any] = {"now": now, "actor": actor}
    for statement in (_AUDIT_CHANGED_PHONES, _MARK_LIST_ENTRIES, _REVERT_EDITS, _UPDATE_EDITS):
        connection.exec_driver_sql(statement, values)


def end_agreed_removals(connection: Connection, *, now: datetime, actor: str) -> None:
    """End the removals from students to which the SIS does not link the contact either; call it after the links are merged.

    A student who left is no agreement: the removal is still there when they return.
    """
    connection.exec_driver_sql(_COLLECT_ENDED_LINKS)
    connection.exec_driver_sql(_END_REMOVALS, {"now": now, "actor": actor})
