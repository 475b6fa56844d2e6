"""From what was staged to what our tables should hold: the `wanted_…` tables, and what none of them holds.

A person is what their roles say: a student, a contact, staff, or several at once. Dates of a term count only while at
least one term of the bundle is not over: a calendar that nobody renewed must not hide every student from their teachers.
Nor do they for a class of which one term is not known, or the half of a year that could not be read would end it. A class
that is staged from what we hold lasts as long as it did.
"""

from collections.abc import Iterable
from datetime import date

from sqlalchemy import Connection

from bot.sis.rows import CONTACT_ROLES, STAFF_ROLES
from bot.sync.stage import execute

ANYWHERE = ("teacher", "districtAdministrator", "systemAdministrator")
"""Roles that mean something without an organisation; any other would reach too far or nowhere."""

_KEYED = {
    "stage_orgs": "orgs.csv",
    "stage_terms": "academicSessions.csv",
    "stage_classes": "classes.csv",
    "stage_users": "users.csv",
    "stage_enrollments": "enrollments.csv",
}

_DROP_REPEATS = """
WITH repeated AS (
    SELECT sourced_id, coalesce(min(line) FILTER (WHERE NOT gone), min(line)) AS kept
    FROM {table} GROUP BY sourced_id HAVING count(*) > 1
), dropped AS (
    DELETE FROM {table} t USING repeated r WHERE t.sourced_id = r.sourced_id AND t.line <> r.kept RETURNING t.line, r.kept
)
INSERT INTO stage_rejections
SELECT '{file}', line, 'sourcedId', replace(%(reason)s, '{{line}}', kept::text) FROM dropped
"""
"""Only the database knows the line that counts, and puts it into the reason."""

_PLACES = """
CREATE TEMP TABLE places AS
SELECT o.sourced_id,
       CASE WHEN o.kind = 'school' THEN o.sourced_id
            WHEN o.kind = 'department' AND above.kind = 'school' THEN above.sourced_id END AS school,
       (CASE WHEN o.kind = 'department' THEN above.kind ELSE o.kind END)
           IN ('district', 'local', 'state', 'national') AS is_district_wide
FROM stage_orgs o
LEFT JOIN stage_orgs above ON above.sourced_id = o.parent
WHERE NOT o.gone AND NOT (o.kind = 'department' AND coalesce(above.gone, false))
"""

_HELD_ROLES = """
CREATE TEMP TABLE held_roles AS
SELECT r.* FROM stage_roles r JOIN stage_users u ON u.sourced_id = r.person WHERE NOT r.gone AND NOT u.gone
"""

_WANTED = {
    "wanted_schools": "SELECT sourced_id, name FROM stage_orgs WHERE kind = 'school' AND NOT gone",
    "wanted_students": """
        SELECT sourced_id, given_name, family_name, search, grade FROM stage_users
        WHERE sourced_id IN (SELECT person FROM held_roles WHERE role = 'student')
    """,
    "wanted_contacts": """
        SELECT u.sourced_id, u.given_name, u.family_name, u.email, u.phone AS sis_phone,
               u.phone_written AS sis_phone_written, r.relationship
        FROM stage_users u
        JOIN (SELECT person, min(role) AS relationship FROM held_roles
              WHERE role IN {contact_roles} GROUP BY person) r ON r.person = u.sourced_id
    """,
    "wanted_staff": """
        SELECT sourced_id, given_name, family_name, lower(email) AS email FROM stage_users
        WHERE enabled AND sourced_id IN (SELECT person FROM held_roles WHERE role IN {staff_roles})
    """,
    "wanted_staff_roles": """
        SELECT DISTINCT r.person AS staff, p.school, r.role
        FROM held_roles r
        JOIN wanted_staff w ON w.sourced_id = r.person
        LEFT JOIN places p ON p.sourced_id = r.org
        WHERE r.role IN {staff_roles}
          AND coalesce(r.begins_on <= {today}, true) AND coalesce(r.ends_on > {today}, true)
          AND (p.school IS NOT NULL OR p.is_district_wide OR (r.org = '' AND r.role IN {anywhere}))
    """,
    "wanted_classes": """
        SELECT c.sourced_id, p.school, c.title, c.homeroom
        FROM stage_classes c LEFT JOIN places p ON p.sourced_id = c.school WHERE NOT c.gone
    """,
    "class_dates": """
        SELECT c.sourced_id, min(t.begins_on) AS begins_on, max(t.ends_on) AS ends_on
        FROM stage_classes c
        CROSS JOIN unnest(c.terms) AS term
        LEFT JOIN stage_terms t ON t.sourced_id = term
        WHERE t.gone IS NOT TRUE AND EXISTS (SELECT FROM stage_terms WHERE ends_on > {today} AND NOT gone)
        GROUP BY c.sourced_id
        HAVING bool_and(t.begins_on IS NOT NULL AND t.ends_on IS NOT NULL)
        UNION ALL
        SELECT c.sourced_id, min(e.begins_on), max(e.ends_on)
        FROM stage_classes s
        JOIN classes c ON c.sourced_id = s.sourced_id
        JOIN class_students e ON e.class_id = c.id AND e.active
        WHERE s.line = 0
        GROUP BY c.sourced_id
    """,
    "wanted_class_students": """
        SELECT e.sourced_id, e.class_id AS class, e.person AS student,
               coalesce(e.begins_on, d.begins_on) AS begins_on, coalesce(e.ends_on, d.ends_on) AS ends_on
        FROM stage_enrollments e
        JOIN wanted_classes c ON c.sourced_id = e.class_id
        JOIN wanted_students s ON s.sourced_id = e.person
        LEFT JOIN class_dates d ON d.sourced_id = e.class_id
        WHERE e.role = 'student' AND NOT e.gone
    """,
    "wanted_class_teachers": """
        SELECT e.sourced_id, e.class_id AS class, e.person AS staff, e.is_primary,
               coalesce(e.begins_on, d.begins_on) AS begins_on, coalesce(e.ends_on, d.ends_on) AS ends_on
        FROM stage_enrollments e
        JOIN wanted_classes c ON c.sourced_id = e.class_id
        JOIN wanted_staff s ON s.sourced_id = e.person
        LEFT JOIN class_dates d ON d.sourced_id = e.class_id
        WHERE e.role = 'teacher' AND NOT e.gone
    """,
    "wanted_student_schools": """
        SELECT DISTINCT at.student, at.school
        FROM (
            SELECT r.person AS student, p.school FROM held_roles r JOIN places p ON p.sourced_id = r.org
            WHERE r.role = 'student' AND coalesce(r.ends_on > {today}, true)
            UNION ALL
            SELECT u.sourced_id, p.school FROM stage_users u JOIN places p ON p.sourced_id = u.primary_org
            UNION ALL
            SELECT e.student, c.school FROM wanted_class_students e JOIN wanted_classes c ON c.sourced_id = e.class
            WHERE e.ends_on IS NULL OR e.ends_on > {today}
        ) at
        JOIN wanted_students s ON s.sourced_id = at.student
        WHERE at.school IS NOT NULL
    """,
    "wanted_student_contacts": """
        SELECT said.student, said.contact, coalesce(beside.relationship, c.relationship) AS relationship, beside.priority,
               bool_or(said.from_student) AS from_student, bool_or(NOT said.from_student) AS from_contact
        FROM (
            SELECT person AS student, agent AS contact, true AS from_student FROM stage_agents
            UNION ALL
            SELECT agent, person, false FROM stage_agents
        ) said
        JOIN wanted_students s ON s.sourced_id = said.student
        JOIN wanted_contacts c ON c.sourced_id = said.contact
        LEFT JOIN side_links beside ON beside.student = said.student AND beside.contact = said.contact
        WHERE said.student <> said.contact
        GROUP BY said.student, said.contact, c.relationship, beside.relationship, beside.priority
    """,
}


_UNHELD = (
    """
    CREATE TEMP TABLE unheld_agents AS
    SELECT a.* FROM stage_agents a
    WHERE NOT EXISTS (SELECT FROM wanted_student_contacts x WHERE x.student = a.person AND x.contact = a.agent)
      AND NOT EXISTS (SELECT FROM wanted_student_contacts x WHERE x.student = a.agent AND x.contact = a.person)
    """,
    """
    CREATE TEMP TABLE unheld_enrollments AS
    SELECT e.* FROM stage_enrollments e
    WHERE NOT EXISTS (SELECT FROM wanted_class_students w WHERE w.sourced_id = e.sourced_id)
      AND NOT EXISTS (SELECT FROM wanted_class_teachers w WHERE w.sourced_id = e.sourced_id)
    """,
)
"""What the `wanted_…` tables left out, whether that is a mistake or not."""


def sql_list(words: Iterable[str]) -> str:
    """Words of ours as SQL's list; CREATE TABLE AS takes no parameters."""
    return "(" + ", ".join(f"'{word}'" for word in words) + ")"


def build_target_tables(connection: Connection, *, today: date) -> None:
    """Fill the `wanted_…` and `unheld_…` tables, and `stage_rejections` with rows that are repeated, from the staging tables.
    `today` is the district's date.
    """
    repeated = "is also on line {line}, which counts"
    for table, file in _KEYED.items():
        execute(connection, _DROP_REPEATS.format(table=table, file=file), reason=repeated)
    execute(connection, _PLACES)
    execute(connection, _HELD_ROLES)
    values = {
        "today": f"DATE '{today.isoformat()}'",
        "contact_roles": sql_list(CONTACT_ROLES),
        "staff_roles": sql_list(STAFF_ROLES),
        "anywhere": sql_list(ANYWHERE),
    }
    for table, select in _WANTED.items():
        execute(connection, f"CREATE TEMP TABLE {table} AS {select.format(**values)}")
        execute(connection, f"ANALYZE {table}")
    for statement in _UNHELD:
        execute(connection, statement)
