"""Target tables (`target_...`): what our tables should contain, computed from the staging tables; and the rows they left out.

A person is what their roles say: a student, a contact, staff, or several of these. Dates of terms count only while at least one
term of the export is not over: an outdated calendar must not hide every student from their teachers. They do not count for a
class with an unknown term either, because the unreadable half of the year would end it. A class staged from our own rows keeps
its dates.
"""

from collections.abc import Iterable
from datetime import date

from sqlalchemy import Connection

from bot.sis.rows import CONTACT_ROLES, STAFF_ROLES
from bot.sync.stage import execute


def sql_list(words: Iterable[str]) -> str:
    """Return constants of ours as an SQL list, for CREATE TABLE AS, which takes no parameters."""
    return "(" + ", ".join(f"'{word}'" for word in words) + ")"


# Roles that count without an organization. Any other would then reach too far, or nowhere.
_ROLES_WITHOUT_ORG = ("teacher", "districtAdministrator", "systemAdministrator")
_ROLES_WITH_ORG = [role for role in STAFF_ROLES if role not in _ROLES_WITHOUT_ORG]

_UNIQUE = {
    "stage_orgs": "orgs.csv",
    "stage_terms": "academicSessions.csv",
    "stage_classes": "classes.csv",
    "stage_users": "users.csv",
    "stage_enrollments": "enrollments.csv",
}
_DROP_DUPLICATES = """
WITH duplicates AS (
    SELECT sourced_id, coalesce(min(line) FILTER (WHERE NOT gone), min(line)) AS kept
    FROM {table} GROUP BY sourced_id HAVING count(*) > 1
), dropped AS (
    DELETE FROM {table} t USING duplicates d WHERE t.sourced_id = d.sourced_id AND t.line <> d.kept RETURNING t.line, d.kept
)
INSERT INTO stage_rejections
SELECT '{file}', line, 'sourcedId', 'is also on line ' || kept || ', which counts' FROM dropped
"""

# The school of each organization, if any. A department counts as the organization above it.
_ORG_SCHOOLS = """
CREATE TEMP TABLE org_schools AS
SELECT o.sourced_id,
       CASE WHEN o.kind = 'school' THEN o.sourced_id
            WHEN o.kind = 'department' AND parent.kind = 'school' THEN parent.sourced_id END AS school,
       (CASE WHEN o.kind = 'department' THEN parent.kind ELSE o.kind END)
           IN ('district', 'local', 'state', 'national') AS is_district_wide
FROM stage_orgs o
LEFT JOIN stage_orgs parent ON parent.sourced_id = o.parent
WHERE NOT o.gone AND NOT (o.kind = 'department' AND coalesce(parent.gone, false))
"""
_CURRENT_ROLES = """
CREATE TEMP TABLE current_roles AS
SELECT r.* FROM stage_roles r JOIN stage_users u ON u.sourced_id = r.person WHERE NOT r.gone AND NOT u.gone
"""

_TARGETS = {
    "target_schools": "SELECT sourced_id, name FROM stage_orgs WHERE kind = 'school' AND NOT gone",
    "target_students": """
        SELECT sourced_id, given_name, family_name, search, grade, identifier FROM stage_users
        WHERE sourced_id IN (SELECT person FROM current_roles WHERE role = 'student')
    """,
    "target_contacts": """
        SELECT u.sourced_id, u.given_name, u.family_name, u.email, u.phone AS sis_phone,
               u.phone_written AS sis_phone_written, u.phone_note AS sis_phone_note, u.phone_note_kind AS sis_note_kind,
               i.contact_id AS sis_contact_id, coalesce(i.is_powerschool, false) AS is_powerschool_id, r.relationship
        FROM stage_users u
        JOIN (SELECT person, min(role) AS relationship FROM current_roles
              WHERE role IN {contact_roles} GROUP BY person) r ON r.person = u.sourced_id
        LEFT JOIN overlay_ids i ON i.sourced_id = u.sourced_id
    """,
    "target_other_numbers": """
        SELECT c.sourced_id AS contact, n.phone, n.position
        FROM overlay_numbers n JOIN target_contacts c ON c.sourced_id = n.sourced_id
        WHERE n.phone IS DISTINCT FROM c.sis_phone AND c.sis_note_kind IS DISTINCT FROM 'refused'
    """,
    "target_staff": """
        SELECT sourced_id, given_name, family_name, lower(email) AS email FROM stage_users
        WHERE enabled AND sourced_id IN (SELECT person FROM current_roles WHERE role IN {staff_roles})
    """,
    "target_staff_roles": """
        SELECT DISTINCT r.person AS staff, o.school, r.role
        FROM current_roles r
        JOIN target_staff t ON t.sourced_id = r.person
        LEFT JOIN org_schools o ON o.sourced_id = r.org
        WHERE r.role IN {staff_roles}
          AND coalesce(r.begins_on <= {today}, true) AND coalesce(r.ends_on > {today}, true)
          AND (o.school IS NOT NULL OR o.is_district_wide OR (r.org = '' AND r.role IN {roles_without_org}))
    """,
    "target_classes": """
        SELECT c.sourced_id, o.school, c.title, c.homeroom
        FROM stage_classes c LEFT JOIN org_schools o ON o.sourced_id = c.school WHERE NOT c.gone
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
    "target_class_students": """
        SELECT e.sourced_id, e.class_id AS class, e.person AS student,
               coalesce(e.begins_on, d.begins_on) AS begins_on, coalesce(e.ends_on, d.ends_on) AS ends_on
        FROM stage_enrollments e
        JOIN target_classes c ON c.sourced_id = e.class_id
        JOIN target_students s ON s.sourced_id = e.person
        LEFT JOIN class_dates d ON d.sourced_id = e.class_id
        WHERE e.role = 'student' AND NOT e.gone
    """,
    "target_class_teachers": """
        SELECT e.sourced_id, e.class_id AS class, e.person AS staff, e.is_primary,
               coalesce(e.begins_on, d.begins_on) AS begins_on, coalesce(e.ends_on, d.ends_on) AS ends_on
        FROM stage_enrollments e
        JOIN target_classes c ON c.sourced_id = e.class_id
        JOIN target_staff s ON s.sourced_id = e.person
        LEFT JOIN class_dates d ON d.sourced_id = e.class_id
        WHERE e.role = 'teacher' AND NOT e.gone
    """,
    "target_student_schools": """
        SELECT DISTINCT at.student, at.school
        FROM (
            SELECT r.person AS student, o.school FROM current_roles r JOIN org_schools o ON o.sourced_id = r.org
            WHERE r.role = 'student' AND coalesce(r.ends_on > {today}, true)
            UNION ALL
            SELECT u.sourced_id, o.school FROM stage_users u JOIN org_schools o ON o.sourced_id = u.primary_org
            UNION ALL
            SELECT e.student, c.school FROM target_class_students e JOIN target_classes c ON c.sourced_id = e.class
            WHERE e.ends_on IS NULL OR e.ends_on > {today}
        ) at
        JOIN target_students s ON s.sourced_id = at.student
        WHERE at.school IS NOT NULL
    """,
    # Either side may name the other; both directions are kept apart, because a delta replaces only one.
    "target_student_contacts": """
        SELECT link.student, link.contact, coalesce(o.relationship, c.relationship) AS relationship, o.priority,
               bool_or(link.from_student) AS from_student, bool_or(NOT link.from_student) AS from_contact
        FROM (
            SELECT person AS student, agent AS contact, true AS from_student FROM stage_agents
            UNION ALL
            SELECT agent, person, false FROM stage_agents
        ) link
        JOIN target_students s ON s.sourced_id = link.student
        JOIN target_contacts c ON c.sourced_id = link.contact
        LEFT JOIN overlay_links o ON o.student = link.student AND o.contact = link.contact
        WHERE link.student <> link.contact
        GROUP BY link.student, link.contact, c.relationship, o.relationship, o.priority
    """,
}

# Staged rows that are in no target table, whether by mistake or not.
_UNMATCHED = (
    """
    CREATE TEMP TABLE unmatched_agents AS
    SELECT a.* FROM stage_agents a
    WHERE NOT EXISTS (SELECT FROM target_student_contacts t WHERE t.student = a.person AND t.contact = a.agent)
      AND NOT EXISTS (SELECT FROM target_student_contacts t WHERE t.student = a.agent AND t.contact = a.person)
    """,
    """
    CREATE TEMP TABLE unmatched_enrollments AS
    SELECT e.* FROM stage_enrollments e
    WHERE NOT EXISTS (SELECT FROM target_class_students t WHERE t.sourced_id = e.sourced_id)
      AND NOT EXISTS (SELECT FROM target_class_teachers t WHERE t.sourced_id = e.sourced_id)
    """,
)


def build_target_tables(connection: Connection, *, today: date) -> None:
    """Fill the `target_...` and `unmatched_...` tables; duplicate rows go to `stage_rejections`. `today` is in the district's time zone."""
    for table, file in _UNIQUE.items():
        execute(connection, _DROP_DUPLICATES.format(table=table, file=file))
    execute(connection, _ORG_SCHOOLS)
    execute(connection, _CURRENT_ROLES)
    # The overlay is empty in most districts, and the planner would sort all links in order to join them with it.
    execute(connection, "ANALYZE org_schools, current_roles, overlay_links, overlay_ids, overlay_numbers")
    values = {
        "today": f"DATE '{today.isoformat()}'",
        "contact_roles": sql_list(CONTACT_ROLES),
        "staff_roles": sql_list(STAFF_ROLES),
        "roles_without_org": sql_list(_ROLES_WITHOUT_ORG),
    }
    for table, select in _TARGETS.items():
        execute(connection, f"CREATE TEMP TABLE {table} AS {select.format(**values)}")
        execute(connection, f"ANALYZE {table}")
    for statement in _UNMATCHED:
        execute(connection, statement)


# Mistakes that no single row shows. What refers to a deleted row (`tobedeleted`) is no mistake.
_ANOMALIES = (
    """
    SELECT 'users.csv', u.line, 'role', 'is missing for this person; the row was left out'
    FROM stage_users u
    WHERE NOT u.gone AND NOT EXISTS (SELECT FROM stage_roles r WHERE r.person = u.sourced_id)
      AND NOT EXISTS (SELECT FROM stage_rejections j WHERE (j.file, j.line, j.column_name) = ('users.csv', u.line, 'role'))
    """,
    """
    SELECT r.file, r.line, 'userSourcedId', 'is not in users.csv; the role was left out'
    FROM stage_roles r
    WHERE NOT r.gone AND NOT EXISTS (SELECT FROM stage_users u WHERE u.sourced_id = r.person)
    """,
    f"""
    SELECT r.file, r.line, CASE r.file WHEN 'users.csv' THEN 'orgSourcedIds' ELSE 'orgSourcedId' END,
           CASE r.org WHEN '' THEN 'is blank, but this role needs one; the role was left out'
                      ELSE 'is not in orgs.csv; the role was read without it' END
    FROM current_roles r
    WHERE (r.org <> '' AND r.role NOT IN {sql_list(CONTACT_ROLES)}
           AND NOT EXISTS (SELECT FROM stage_orgs o WHERE o.sourced_id = r.org))
       OR (r.org = '' AND r.role IN {sql_list(_ROLES_WITH_ORG)})
    """,
    *(
        f"""
        SELECT 'users.csv', u.line, '{column}', u.{column}_problem
        FROM stage_users u JOIN target_contacts c USING (sourced_id) WHERE u.{column}_problem IS NOT NULL
        """
        for column in ("sms", "phone")
    ),
    """
    SELECT 'users.csv', u.line, 'email',
           'is also the address of staff with another name; people who share it see only what each of them may see'
    FROM target_staff s JOIN stage_users u USING (sourced_id)
    WHERE EXISTS (SELECT FROM target_staff other WHERE other.email = s.email AND other.sourced_id <> s.sourced_id
                  AND folded_name(other.given_name, other.family_name) <> folded_name(s.given_name, s.family_name))
    """,
    """
    SELECT 'users.csv', a.line, 'agentSourcedIds',
           CASE WHEN a.person = a.agent THEN 'is the person themselves; the link was left out'
                WHEN agent.sourced_id IS NULL THEN 'is not in users.csv; the link was left out'
                ELSE 'does not link a student with a contact; the link was left out' END
    FROM unmatched_agents a
    JOIN stage_users person ON person.sourced_id = a.person AND NOT person.gone
    LEFT JOIN stage_users agent ON agent.sourced_id = a.agent
    WHERE agent.gone IS NOT TRUE
    """,
    """
    SELECT 'classes.csv', c.line, 'schoolSourcedId', 'is not in orgs.csv; the class was read without it'
    FROM stage_classes c
    WHERE NOT c.gone AND c.school <> '' AND NOT EXISTS (SELECT FROM stage_orgs o WHERE o.sourced_id = c.school)
    """,
    """
    SELECT 'enrollments.csv', e.line,
           CASE WHEN c.sourced_id IS NULL THEN 'classSourcedId' ELSE 'userSourcedId' END,
           CASE WHEN c.sourced_id IS NULL THEN 'is not in classes.csv; the row was left out'
                WHEN u.sourced_id IS NULL THEN 'is not in users.csv; the row was left out'
                ELSE 'does not have this role; the row was left out' END
    FROM unmatched_enrollments e
    LEFT JOIN stage_classes c ON c.sourced_id = e.class_id
    LEFT JOIN stage_users u ON u.sourced_id = e.person
    WHERE NOT e.gone AND c.gone IS NOT TRUE AND u.gone IS NOT TRUE
      AND (e.role = 'student' OR (e.role = 'teacher' AND u.enabled IS NOT FALSE))
    """,
)


def reject_anomalies(connection: Connection) -> None:
    """Add to `stage_rejections` what the target tables left out by mistake, and why. Our own rows (line 0) are not reported."""
    for select in _ANOMALIES:
        execute(connection, f"INSERT INTO stage_rejections {select}")
    execute(connection, "DELETE FROM stage_rejections WHERE line = 0")
