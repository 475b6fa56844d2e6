"""What a bundle does not repeat: for a delta file, and for one that is absent or cannot be read, what we hold is staged as
if the SIS had said it again. So one set of rules works out every kind of bundle, and silence changes nothing.

Our own rows stand on line 0. A row of the file always wins over ours.
"""

from collections.abc import Sequence

from sqlalchemy import Connection

from bot.sis.rows import Kind, Part
from bot.sync.stage import execute

_DISTRICT = "the district"
"""Our name for the organisation of district-wide roles; the blank keeps it apart from any sourced_id."""

_WHOLE_DISTRICT = f"INSERT INTO stage_orgs SELECT 0, '{_DISTRICT}', false, '', 'district', ''"
_MISTYPED_SCHOOLS = """
UPDATE stage_orgs o SET kind = 'school' FROM schools s WHERE s.active AND s.sourced_id = o.sourced_id AND o.kind = 'other'
"""

_ORGS = (
    """
    INSERT INTO stage_orgs
    SELECT 0, sourced_id, false, name, 'school', '' FROM schools
    WHERE active AND sourced_id NOT IN (SELECT sourced_id FROM stage_orgs) AND ({all} OR sourced_id IN {unread})
    """,
)
_CLASSES = (
    """
    INSERT INTO stage_classes
    SELECT 0, c.sourced_id, false, c.title, c.homeroom, coalesce(s.sourced_id, ''), '{{}}'
    FROM classes c LEFT JOIN schools s ON s.id = c.school_id
    WHERE c.active AND NOT EXISTS (SELECT FROM stage_classes x WHERE x.sourced_id = c.sourced_id)
      AND ({all} OR c.sourced_id IN {unread})
    """,
)
_USERS = (
    """
    INSERT INTO stage_agents
    SELECT 0, CASE WHEN from_student THEN s.sourced_id ELSE c.sourced_id END,
           CASE WHEN from_student THEN c.sourced_id ELSE s.sourced_id END
    FROM (SELECT student_id, contact_id, true AS from_student FROM student_contacts WHERE active AND from_student
          UNION ALL
          SELECT student_id, contact_id, false FROM student_contacts WHERE active AND from_contact) l
    JOIN students s ON s.id = l.student_id
    JOIN contacts c ON c.id = l.contact_id
    CROSS JOIN LATERAL (SELECT CASE WHEN l.from_student THEN s.sourced_id ELSE c.sourced_id END) AS said_by (sourced_id)
    WHERE NOT EXISTS (SELECT FROM stage_users x WHERE x.sourced_id = said_by.sourced_id)
      AND ({all} OR said_by.sourced_id IN {unread})
    """,
    """
    INSERT INTO stage_users
    SELECT 0, sourced_id, false, true, max(given_name), max(family_name), max(search), max(email), max(grade),
           max(phone), max(phone_written), NULL, NULL, '', ''
    FROM (
        SELECT sourced_id, given_name, family_name, search, NULL AS email, grade, NULL AS phone, NULL AS phone_written
        FROM students WHERE active
        UNION ALL
        SELECT sourced_id, given_name, family_name, '', email, NULL, sis_phone, sis_phone_written
        FROM contacts WHERE active
        UNION ALL
        SELECT sourced_id, given_name, family_name, '', email, NULL, NULL, NULL FROM staff WHERE active
    ) held
    WHERE NOT EXISTS (SELECT FROM stage_users x WHERE x.sourced_id = held.sourced_id)
      AND ({all} OR held.sourced_id IN {unread})
    GROUP BY sourced_id
    """,
)
_ROLES = (
    """
    INSERT INTO stage_roles
    SELECT 'roles.csv', 0, false, held.person, held.role, held.org, NULL, NULL
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
    ) held
    WHERE held.person IN (SELECT sourced_id FROM stage_users)
      AND NOT EXISTS (SELECT FROM stage_roles x WHERE x.person = held.person AND x.file = 'users.csv')
      AND NOT EXISTS (
          SELECT FROM stage_roles x
          WHERE x.person = held.person AND x.role = held.role AND x.gone AND held.org IN (x.org, '', '{district}')
      )
      AND ({all} OR held.person IN {unread_staff} OR (NOT held.as_staff AND held.person IN {unread})
           OR ({users_unread} AND held.person IN (SELECT sourced_id FROM stage_users WHERE line = 0)
               AND NOT EXISTS (SELECT FROM stage_roles x WHERE x.person = held.person AND x.line > 0)))
    """,
)
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
_HELD = {
    Kind.ORGS: _ORGS,
    Kind.CLASSES: _CLASSES,
    Kind.USERS: _USERS,
    Kind.ROLES: _ROLES,
    Kind.ENROLLMENTS: _ENROLLMENTS,
}


def carry_over_unread(connection: Connection, parts: Sequence[Part]) -> None:
    """Stage what we hold for each kind of row that the bundle does not give whole, and for lines that could not be read."""
    whole = {part.kind for part in parts if part.is_readable and not part.is_delta}
    broken = unread(connection)
    execute(connection, _WHOLE_DISTRICT)
    execute(connection, _MISTYPED_SCHOOLS)
    for kind, statements in _HELD.items():
        if kind in whole and kind not in broken and not (kind is Kind.ROLES and Kind.USERS in broken):
            continue
        said = f"SELECT sourced_id FROM stage_unread WHERE kind = '{kind}'"
        everything = kind not in whole or broken.get(kind, False)
        words = {
            "all": everything,
            "students": f"{everything} OR e.sourced_id IN ({said})",
            "teachers": f"{everything} OR e.sourced_id IN ({said} AND as_staff)",
            "unread": f"({said})",
            "unread_staff": f"({said} AND as_staff)",
            "users_unread": Kind.USERS in whole and Kind.USERS in broken,
            "district": _DISTRICT,
        }
        for statement in statements:
            execute(connection, statement.format(**words))


def stay_in_class(connection: Connection, which: str) -> None:
    """Stage the enrolments that we hold and SQL's condition says, of `e` and its person `s`, as if they had been said again."""
    for statement in _ENROLLMENTS:
        execute(connection, statement.format(students=which, teachers=which))


def unread(connection: Connection) -> dict[str, bool]:
    """The kinds with lines that could not be read, and whether one of them may be anybody's."""
    with connection.begin():
        counted = connection.exec_driver_sql("SELECT kind, bool_or(sourced_id = '') FROM stage_unread GROUP BY kind")
        return {row[0]: row[1] for row in counted}
