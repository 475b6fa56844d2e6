"""The rejections that no single row shows: links to nobody, enrolments in no class, people without a role.

What points at somebody who has left (`tobedeleted`) is no mistake and is not reported. Rows on line 0 are our own.
"""

from sqlalchemy import Connection

from bot.sis.rows import CONTACT_ROLES, STAFF_ROLES
from bot.sync.stage import execute, insert_rejections
from bot.sync.target_tables import ANYWHERE, sql_list

_NO_ROLE = """
SELECT 'users.csv', u.line, 'role', %(no_role)s
FROM stage_users u
WHERE NOT u.gone AND NOT EXISTS (SELECT FROM stage_roles r WHERE r.person = u.sourced_id)
  AND NOT EXISTS (SELECT FROM stage_rejections j WHERE (j.file, j.line, j.column_name) = ('users.csv', u.line, 'role'))
"""

_ROLE_OF_NOBODY = """
SELECT r.file, r.line, 'userSourcedId', %(role_of_nobody)s
FROM stage_roles r
WHERE NOT r.gone AND NOT EXISTS (SELECT FROM stage_users u WHERE u.sourced_id = r.person)
"""

_ROLE_AT_NO_ORG = """
SELECT r.file, r.line, CASE r.file WHEN 'users.csv' THEN 'orgSourcedIds' ELSE 'orgSourcedId' END,
       CASE r.org WHEN '' THEN %(role_at_no_place)s ELSE %(role_at_no_org)s END
FROM held_roles r
WHERE (r.org <> '' AND r.role NOT IN {contact_roles} AND NOT EXISTS (SELECT FROM stage_orgs o WHERE o.sourced_id = r.org))
   OR (r.org = '' AND r.role IN {bound_roles})
"""

_CELL_OF_CONTACT = """
SELECT 'users.csv', u.line, '{column}', u.{column}_problem
FROM stage_users u JOIN wanted_contacts c USING (sourced_id) WHERE u.{column}_problem IS NOT NULL
"""

_LINK = """
SELECT 'users.csv', a.line, 'agentSourcedIds',
       CASE WHEN a.person = a.agent THEN %(link_to_self)s
            WHEN agent.sourced_id IS NULL THEN %(link_to_nobody)s
            ELSE %(link_of_others)s END
FROM unheld_agents a
JOIN stage_users person ON person.sourced_id = a.person AND NOT person.gone
LEFT JOIN stage_users agent ON agent.sourced_id = a.agent
WHERE agent.gone IS NOT TRUE
"""

_CLASS_AT_NO_SCHOOL = """
SELECT 'classes.csv', c.line, 'schoolSourcedId', %(class_at_no_school)s
FROM stage_classes c
WHERE NOT c.gone AND c.school <> '' AND NOT EXISTS (SELECT FROM stage_orgs o WHERE o.sourced_id = c.school)
"""

_ENROLLMENT = """
SELECT 'enrollments.csv', e.line,
       CASE WHEN c.sourced_id IS NULL THEN 'classSourcedId' ELSE 'userSourcedId' END,
       CASE WHEN c.sourced_id IS NULL THEN %(no_class)s
            WHEN u.sourced_id IS NULL THEN %(enrolled_nobody)s
            ELSE %(enrolled_as_other)s END
FROM unheld_enrollments e
LEFT JOIN stage_classes c ON c.sourced_id = e.class_id
LEFT JOIN stage_users u ON u.sourced_id = e.person
WHERE NOT e.gone AND c.gone IS NOT TRUE AND u.gone IS NOT TRUE
  AND (e.role = 'student' OR (e.role = 'teacher' AND u.enabled IS NOT FALSE))
"""

_DOUBTS = (
    _NO_ROLE,
    _ROLE_OF_NOBODY,
    _ROLE_AT_NO_ORG.format(
        contact_roles=sql_list(CONTACT_ROLES),
        bound_roles=sql_list(role for role in STAFF_ROLES if role not in ANYWHERE),
    ),
    _CELL_OF_CONTACT.format(column="sms"),
    _CELL_OF_CONTACT.format(column="phone"),
    _LINK,
    _CLASS_AT_NO_SCHOOL,
    _ENROLLMENT,
)


def report(connection: Connection) -> None:
    """Add to `stage_rejections` what the `wanted_…` tables left out and why."""
    for select in _DOUBTS:
        insert_rejections(connection, f"INSERT INTO stage_rejections {select}")
    execute(connection, "DELETE FROM stage_rejections WHERE line = 0")
