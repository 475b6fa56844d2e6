"""Stages rows of our own tables where the export has none: for delta files, missing or unreadable files, and unreadable lines.

So the steps after it work alike for every kind of export, and what an export leaves out stays as it is. Our rows have line 0;
where the file has a row, ours is not staged.
"""

from collections.abc import Sequence

from sqlalchemy import Connection

from bot.sis.rows import LINKS, Kind, Part
from bot.sync.stage import execute

# The organization of district-wide roles. No sourced_id of an SIS has a blank in it.
_DISTRICT = "the district"
_STAGE_DISTRICT = f"INSERT INTO stage_orgs SELECT 0, '{_DISTRICT}', false, '', 'district', ''"

# A school whose type was mistyped stays a school.
_KEEP_SCHOOL_TYPES = """
UPDATE stage_orgs o SET kind = 'school' FROM schools s WHERE s.active AND s.sourced_id = o.sourced_id AND o.kind = 'other'
"""

_ENROLLMENTS = (
    """
    INSERT INTO stage_enrollments
    SELECT 0, e.sourced_id, false, c.sourced_id, s.sourced_id, 'student', false, e.begins_on, e.ends_on
    FROM class_students e JOIN classes c ON c.id = e.class_id JOIN students s ON s.id = e.student_id
    WHERE e.active AND NOT EXISTS (SELECT FROM stage_enrollments x WHERE x.sourced_id = e.sourced_id AND x.line > 0)
      AND ({students})
    """,
    """
    INSERT INTO stage_enrollments
    SELECT 0, e.sourced_id, false, c.sourced_id, s.sourced_id, 'teacher', e.is_primary, e.begins_on, e.ends_on
    FROM class_teachers e JOIN classes c ON c.id = e.class_id JOIN staff s ON s.id = e.staff_id
    WHERE e.active AND NOT EXISTS (SELECT FROM stage_enrollments x WHERE x.sourced_id = e.sourced_id AND x.line > 0)
      AND ({teachers})
    """,
)
_LINKS = """
INSERT INTO stage_agents
SELECT 0, CASE WHEN from_student THEN s.sourced_id ELSE c.sourced_id END,
       CASE WHEN from_student THEN c.sourced_id ELSE s.sourced_id END
FROM (SELECT student_id, contact_id, true AS from_student FROM student_contacts WHERE active AND from_student
      UNION ALL
      SELECT student_id, contact_id, false FROM student_contacts WHERE active AND from_contact) l
JOIN students s ON s.id = l.student_id
JOIN contacts c ON c.id = l.contact_id
CROSS JOIN LATERAL (SELECT CASE WHEN l.from_student THEN s.sourced_id ELSE c.sourced_id END) AS link_owner (sourced_id)
"""
# Of people who were read, but not the links that they name.
_KEEP_LINKS = f"{_LINKS} WHERE link_owner.sourced_id IN (SELECT sourced_id FROM stage_unread WHERE kind = '{LINKS}')"
_STATEMENTS = {
    Kind.ORGS: (
        """
        INSERT INTO stage_orgs
        SELECT 0, sourced_id, false, name, 'school', '' FROM schools
        WHERE active AND sourced_id NOT IN (SELECT sourced_id FROM stage_orgs) AND ({all} OR sourced_id IN {unread})
        """,
    ),
    Kind.CLASSES: (
        """
        INSERT INTO stage_classes
        SELECT 0, c.sourced_id, false, c.title, c.homeroom, coalesce(s.sourced_id, ''), '{{}}'
        FROM classes c LEFT JOIN schools s ON s.id = c.school_id
        WHERE c.active AND NOT EXISTS (SELECT FROM stage_classes x WHERE x.sourced_id = c.sourced_id)
          AND ({all} OR c.sourced_id IN {unread})
        """,
    ),
    # Links first: they look at who was staged from the file.
    Kind.USERS: (
        _LINKS
        + """
        WHERE NOT EXISTS (SELECT FROM stage_users x WHERE x.sourced_id = link_owner.sourced_id)
          AND ({all} OR link_owner.sourced_id IN {unread})
        """,
        """
        INSERT INTO stage_users
        SELECT 0, sourced_id, false, true, max(given_name), max(family_name), max(search), max(email), max(grade),
               max(phone), max(phone_written), NULL, NULL, '', max(identifier), max(note), max(note_kind)
        FROM (
            SELECT sourced_id, given_name, family_name, search, NULL AS email, grade, NULL AS phone, NULL AS phone_written,
                   identifier, NULL AS note, NULL AS note_kind
            FROM students WHERE active
            UNION ALL
            SELECT sourced_id, given_name, family_name, '', email, NULL, sis_phone, sis_phone_written,
                   '', sis_phone_note, sis_note_kind
            FROM contacts WHERE active
            UNION ALL
            SELECT sourced_id, given_name, family_name, '', email, NULL, NULL, NULL, '', NULL, NULL FROM staff WHERE active
        ) ours
        WHERE NOT EXISTS (SELECT FROM stage_users x WHERE x.sourced_id = ours.sourced_id)
          AND ({all} OR ours.sourced_id IN {unread})
        GROUP BY sourced_id
        """,
    ),
    Kind.ROLES: (
        """
        INSERT INTO stage_roles
        SELECT 'roles.csv', 0, false, ours.person, ours.role, ours.org, NULL, NULL
        FROM (
            SELECT s.sourced_id AS person, r.role, coalesce(at.sourced_id, '{district}') AS org, true AS as_staff
            FROM staff s JOIN staff_roles r ON r.staff_id = s.id LEFT JOIN schools at ON at.id = r.school_id WHERE s.active
            UNION ALL
            SELECT s.sourced_id, 'student', coalesce(at.sourced_id, ''), false
            FROM students s
            LEFT JOIN student_schools p ON p.student_id = s.id
            LEFT JOIN schools at ON at.id = p.school_id
            WHERE s.active
            UNION ALL
            SELECT c.sourced_id, coalesce(min(l.relationship), 'guardian'), '', false
            FROM contacts c LEFT JOIN student_contacts l ON l.contact_id = c.id AND l.active WHERE c.active
            GROUP BY c.sourced_id
        ) ours
        WHERE ours.person IN (SELECT sourced_id FROM stage_users)
          AND NOT EXISTS (SELECT FROM stage_roles x WHERE x.person = ours.person AND x.file = 'users.csv')
          AND NOT EXISTS (
              SELECT FROM stage_roles x
              WHERE x.person = ours.person AND x.role = ours.role AND x.gone AND ours.org IN (x.org, '', '{district}')
          )
          AND ({all} OR ours.person IN {unread_staff} OR (NOT ours.as_staff AND ours.person IN {unread})
               OR ({users_unread} AND ours.person IN (SELECT sourced_id FROM stage_users WHERE line = 0)
                   AND NOT EXISTS (SELECT FROM stage_roles x WHERE x.person = ours.person AND x.line > 0)))
        """,
    ),
    Kind.ENROLLMENTS: _ENROLLMENTS,
}


def stage_missing_rows(connection: Connection, parts: Sequence[Part]) -> None:
    """Stage our rows of each kind that the export does not hold completely, and our rows for unreadable lines."""
    complete = {part.kind for part in parts if part.is_readable and not part.is_delta}
    unread = unread_kinds(connection)
    execute(connection, _STAGE_DISTRICT)
    execute(connection, _KEEP_SCHOOL_TYPES)
    if LINKS in unread:
        execute(connection, _KEEP_LINKS)
    for kind, statements in _STATEMENTS.items():
        if kind in complete and kind not in unread and not (kind is Kind.ROLES and Kind.USERS in unread):
            continue
        stage_all = kind not in complete or unread.get(kind, False)
        unread_ids = f"SELECT sourced_id FROM stage_unread WHERE kind = '{kind}'"
        values = {
            "all": stage_all,
            "students": f"{stage_all} OR e.sourced_id IN ({unread_ids})",
            "teachers": f"{stage_all} OR e.sourced_id IN ({unread_ids} AND as_staff)",
            "unread": f"({unread_ids})",
            "unread_staff": f"({unread_ids} AND as_staff)",
            "users_unread": Kind.USERS in complete and Kind.USERS in unread,
            "district": _DISTRICT,
        }
        for statement in statements:
            execute(connection, statement.format(**values))


def stage_enrollments(connection: Connection, condition: str) -> None:
    """Stage our enrollments (`e`, of the person `s`) that meet an SQL condition."""
    for statement in _ENROLLMENTS:
        execute(connection, statement.format(students=condition, teachers=condition))


def unread_kinds(connection: Connection) -> dict[str, bool]:
    """Return the kinds with unreadable lines; True where the line of one may belong to any row."""
    with connection.begin():
        kinds = connection.exec_driver_sql("SELECT kind, bool_or(sourced_id = '') FROM stage_unread GROUP BY kind")
        return {row[0]: row[1] for row in kinds}
