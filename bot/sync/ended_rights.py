"""Ends rights that ended in the SIS, although the sync that read it is held.

A held sync may wait for days, and meanwhile people who left, or who lost a role, a class, or an email address, would still see
families. Only rights end here; new ones wait for the sync. What a damaged export takes away, the next complete sync gives back.
Where it takes as much as would hold a sync, or the sync is held because staff disappear, only people that it marks as deleted or
disabled lose their rights.
"""

from collections.abc import Mapping, Sequence
from datetime import date

from sqlalchemy import Connection

from bot.domain.display import plural
from bot.sis.rows import Part
from bot.sync.diff_merge import TableChanges
from bot.sync.hold import is_empty
from bot.sync.hold_checks import is_too_many
from bot.sync.stage import execute

_TABLES = {
    # Not those who only have a new sourced_id.
    "staff": """
        SELECT s.id AS staff_id, s.id::text AS key, coalesce(u.gone OR NOT u.enabled, false) AS is_marked
        FROM change_staff c
        JOIN staff s ON s.sourced_id = c.live_sourced_id
        LEFT JOIN stage_users u ON u.sourced_id = s.sourced_id
        WHERE c.kind = 'inactive' AND NOT EXISTS (
            SELECT FROM change_staff n
            WHERE n.kind = 'added' AND n.email = s.email AND folded_name(n.given_name, n.family_name) = s.search
        )
    """,
    "emails": """
        SELECT s.id AS staff_id, s.id::text AS key, false AS is_marked
        FROM change_staff c JOIN staff s ON s.sourced_id = c.live_sourced_id
        WHERE c.kind = 'changed' AND s.active AND s.email IS NOT NULL AND s.email IS DISTINCT FROM c.email
    """,
    "staff_roles": """
        SELECT r.staff_id, r.id::text AS key, false AS is_marked
        FROM change_staff_roles c
        JOIN staff_roles r ON r.staff_id = c.live_staff_id AND r.role = c.live_role
                          AND coalesce(r.school_id, 0) = c.live_school_id
        JOIN staff s ON s.id = r.staff_id
        WHERE c.kind = 'inactive' AND EXISTS (SELECT FROM target_staff t WHERE t.sourced_id = s.sourced_id)
    """,
    # Not enrollments that only have a new sourced_id.
    "class_teachers": """
        SELECT e.staff_id, e.sourced_id AS key, false AS is_marked
        FROM change_class_teachers c
        JOIN class_teachers e ON e.sourced_id = c.live_sourced_id AND e.active
        JOIN classes ON classes.id = e.class_id
        JOIN staff s ON s.id = e.staff_id
        WHERE EXISTS (SELECT FROM target_staff t WHERE t.sourced_id = s.sourced_id) AND NOT EXISTS (
            SELECT FROM target_class_teachers t
            WHERE t.class = classes.sourced_id AND t.staff = s.sourced_id
              AND coalesce(t.begins_on, %(today)s) <= %(today)s AND coalesce(t.ends_on > %(today)s, true)
        )
    """,
}
_FIND = "CREATE TEMP TABLE ended_{table} AS {select}"
_COUNT = "SELECT count(*) FILTER (WHERE NOT is_marked) FROM ended_{table}"
_KEEP_UNMARKED = "DELETE FROM ended_{table} WHERE NOT is_marked"
# In the order in which a sync locks these tables.
_END = (
    "UPDATE staff t SET active = false FROM ended_staff e WHERE t.id = e.staff_id",
    "UPDATE staff t SET email = NULL FROM ended_emails e WHERE t.id = e.staff_id",
    "DELETE FROM staff_roles t USING ended_staff_roles e WHERE t.id = e.key::bigint",
    "UPDATE class_teachers t SET active = false FROM ended_class_teachers e WHERE t.sourced_id = e.key",
)
_PEOPLE = f"SELECT count(*) FROM ({' UNION '.join(f'SELECT staff_id FROM ended_{table}' for table in _TABLES)}) people"


def end_rights(
    connection: Connection,
    changes: Mapping[str, TableChanges],
    *,
    parts: Sequence[Part],
    percent: float,
    today: date,
    doubts_staff: bool,
) -> str:
    """End what ended, and return a sentence about it, blank if nothing did. `doubts_staff`: the sync is held because of staff."""
    for table, select in _TABLES.items():
        execute(connection, _FIND.format(table=table, select=select), today=today)
    with connection.begin():
        if doubts_staff or not _is_plausible(connection, changes, parts, percent):
            for table in _TABLES:
                connection.exec_driver_sql(_KEEP_UNMARKED.format(table=table))
        for statement in _END:
            connection.exec_driver_sql(statement)
        people = connection.exec_driver_sql(_PEOPLE).scalar_one()
    if not people:
        return ""
    return (
        f" Access ended at once for {plural(people, 'staff member')} who left, or lost a role, a class, or an address."
    )


def _is_plausible(
    connection: Connection, changes: Mapping[str, TableChanges], parts: Sequence[Part], percent: float
) -> bool:
    """Return whether the export may be right about rights that it only does not mention anymore."""
    if any(is_empty(part) for part in parts):
        return False
    for table in _TABLES:
        ended = connection.exec_driver_sql(_COUNT.format(table=table)).scalar_one()
        before = changes["staff" if table == "emails" else table].before
        if is_too_many(ended, before, percent) or (table in {"staff", "staff_roles"} and ended == before > 0):
            return False
    return True
