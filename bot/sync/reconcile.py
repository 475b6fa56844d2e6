"""What a new roster means for the edits in force: three-way, on normalised values, set-wise, with the merge of contacts.

SIS = edit: absorbed. SIS = base: pending, it has not heard yet. Anything else, a blank too: a conflict, kept beside the SIS's
value until a person chooses. Edits of contacts that have left wait, unchanged, for their return.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection

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

_NOTE_CHANGED_PHONES = """
CREATE TEMP TABLE changed_phones ON COMMIT DROP AS
SELECT c.id AS contact_id, c.sis_phone AS before, x.sis_phone AS after
FROM change_contacts x JOIN contacts c ON c.sourced_id = x.live_sourced_id
WHERE x.kind = 'changed' AND c.sis_phone IS DISTINCT FROM x.sis_phone
"""

_AUDIT_CHANGED_PHONES = """
INSERT INTO audit (at, actor, action, subject_kind, subject_id, before, after)
SELECT %(now)s, %(actor)s, 'phone.changed', 'contact', contact_id, {before}, {after} FROM changed_phones
"""

_MARK_LISTED = """
UPDATE cleanup_list l
SET updated_at = CASE WHEN l.phone IS DISTINCT FROM p.after THEN %(now)s END,
    updated_by = CASE WHEN l.phone IS DISTINCT FROM p.after THEN %(actor)s END
FROM changed_phones p
WHERE l.contact_id = p.contact_id AND NOT EXISTS (
    SELECT FROM edits e WHERE e.contact_id = p.contact_id AND e.state IN ('pending', 'conflict')
      AND (e.field = 'phone' OR e.value <> 'text')
)
"""

_SETTLE_EDITS = """
WITH settled AS (
    UPDATE edits e SET state = v.verdict,
           sis_value = CASE v.verdict WHEN 'conflict' THEN v.sis_now END,
           sis_at = CASE WHEN v.verdict <> 'pending' THEN %(now)s END
    FROM ({verdicts}) v
    WHERE e.id = v.id AND (v.verdict <> v.state OR (v.verdict = 'conflict' AND v.sis_now IS DISTINCT FROM v.sis_value))
    RETURNING v.*
)
INSERT INTO audit (at, actor, action, subject_kind, subject_id, before, after)
SELECT %(now)s, %(actor)s,
       CASE verdict WHEN 'absorbed' THEN 'edit.absorbed' WHEN 'conflict' THEN 'edit.disputed' ELSE 'edit.resumed' END,
       'contact', contact_id,
       CASE field WHEN 'phone' THEN {before} ELSE value END, CASE field WHEN 'phone' THEN {after} ELSE sis_now END
FROM settled
"""


def _masked(column: str) -> str:
    """As `bot.domain.phone.masked` writes it."""
    return f"coalesce('••• ' || right({column}, 4), %(no_number)s)"


_STANDING = "SELECT state, count(*) AS edits FROM edits WHERE state IN ('pending', 'conflict') GROUP BY state"


def count_verdicts(connection: Connection) -> dict[str, int]:
    """How many edits in force are absorbed, pending and in conflict once the difference of contacts is applied."""
    counted = connection.exec_driver_sql(f"SELECT verdict, count(*) AS edits FROM ({_VERDICTS}) v GROUP BY verdict")
    return {"absorbed": 0, "conflict": 0, "pending": 0} | {row.verdict: row.edits for row in counted}


def count_edits(connection: Connection) -> dict[str, int]:
    """The same where no difference is to be applied: the edits in force as they are."""
    counted = connection.exec_driver_sql(_STANDING)
    return {"absorbed": 0, "conflict": 0, "pending": 0} | {row.state: row.edits for row in counted}


def prepare_reconcile(connection: Connection) -> None:
    """Note which numbers the SIS changes, while the old ones are still there. Locks nothing."""
    connection.exec_driver_sql(_NOTE_CHANGED_PHONES)


def reconcile_edits(connection: Connection, *, now: datetime, actor: str) -> None:
    """Settle the edits in force. A listed contact whose number the SIS itself changed waits for the next mass message; one
    with an edit waits already, and goes on saying by whom.
    """
    values: dict[str, Any] = {"now": now, "actor": actor, "no_number": "no number"}
    audited = _AUDIT_CHANGED_PHONES.format(before=_masked("before"), after=_masked("after"))
    settled = _SETTLE_EDITS.format(verdicts=_VERDICTS, before=_masked("value"), after=_masked("sis_now"))
    for statement in (audited, _MARK_LISTED, settled):
        connection.exec_driver_sql(statement, values)
