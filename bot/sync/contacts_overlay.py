"""The contacts overlay: a district's own CSV of contacts, merged into the staged people, roles, and links of OneRoster.

- A row that matches a OneRoster contact of its student, by id, folded name, or an email that only this contact has, updates that
  contact: number, relationship, and order are those of the row.
- Any other row is an overlay contact of its own. Later syncs recognize it by id, or by student and folded name. Siblings share
  one overlay contact if its name and its email (or number) are the same.
- What earlier files said stays for students with an unreadable line, and for all students while there is no file.
"""

from collections.abc import Sequence

from sqlalchemy import Connection

from bot.sis.rows import CONTACT_ROLES, Kind, Part
from bot.sync import carry_over
from bot.sync.stage import execute
from bot.sync.target_tables import sql_list

_FILE = f"{Kind.CONTACTS}.csv"
# Begins the sourced_id of overlay contacts. It is stored in the database: never change it.
_PREFIX = "side-"
_CONTACT_ROLES = sql_list(CONTACT_ROLES)

# Students by sourced_id or by identifier, whichever the file uses.
_STUDENTS = (
    """
    CREATE TEMP TABLE overlay_students AS
    SELECT DISTINCT u.sourced_id, u.identifier FROM stage_users u JOIN stage_roles r ON r.person = u.sourced_id
    WHERE r.role = 'student' AND NOT r.gone AND NOT u.gone
    """,
    """
    CREATE TEMP TABLE overlay_student_keys AS
    SELECT sourced_id AS key, sourced_id FROM overlay_students
    UNION
    SELECT identifier, sourced_id FROM overlay_students
    WHERE identifier <> '' AND identifier NOT IN (SELECT sourced_id FROM overlay_students)
    """,
)

# A refusal concerns the person, whichever of their numbers it stands beside; all notes are kept.
_NOTES = """
UPDATE overlay_people p
SET phone_note = n.notes, phone_note_kind = CASE WHEN n.is_refused THEN 'refused' ELSE p.phone_note_kind END
FROM (
    SELECT k.sourced_id AS student, coalesce(nullif(c.contact, ''), nullif(c.search, ''), lower(c.email)) AS person_key,
           string_agg(DISTINCT c.phone_note, ' · ') AS notes, bool_or(c.phone_note_kind = 'refused') AS is_refused
    FROM stage_contacts c JOIN overlay_student_keys k ON k.key = c.student
    WHERE c.phone_note IS NOT NULL GROUP BY 1, 2
) n WHERE (n.student, n.person_key) = (p.student, p.person_key)
"""

# `overlay_people`: one row for each student and contact in the file, with the number that is best for texts. The other two are
# the contacts it may be: those of OneRoster tonight, and overlay contacts in our tables.
_PEOPLE = (
    """
    CREATE TEMP TABLE overlay_people AS
    SELECT DISTINCT ON (student, person_key) *, NULL::text AS sourced_id
    FROM (
        SELECT k.sourced_id AS student, coalesce(nullif(c.contact, ''), nullif(c.search, ''), lower(c.email)) AS person_key,
               c.line, c.contact AS contact_id, c.given_name, c.family_name, c.search, c.email, c.relationship, c.priority,
               c.phone, c.phone_written, c.rank, c.phone_note, c.phone_note_kind
        FROM stage_contacts c JOIN overlay_student_keys k ON k.key = c.student
    ) file_rows
    ORDER BY student, person_key, phone IS NULL, phone_note_kind IN ('dead', 'impossible') IS TRUE, rank, line
    """,
    f"""
    CREATE TEMP TABLE oneroster_contacts AS
    SELECT DISTINCT l.student, u.sourced_id, coalesce(nullif(u.search, ''), c.search) AS search, lower(u.email) AS email
    FROM (SELECT person AS student, agent AS contact FROM stage_agents UNION SELECT agent, person FROM stage_agents) l
    JOIN stage_users u ON u.sourced_id = l.contact AND NOT u.gone
    JOIN stage_roles r ON r.person = l.contact AND r.role IN {_CONTACT_ROLES} AND NOT r.gone
    LEFT JOIN contacts c ON c.sourced_id = u.sourced_id
    WHERE NOT starts_with(u.sourced_id, '{_PREFIX}')
    """,
    f"""
    CREATE TEMP TABLE earlier_overlay_contacts AS
    SELECT s.sourced_id AS student, c.sourced_id, c.search, lower(c.email) AS email, c.active AND l.active AS active
    FROM student_contacts l JOIN students s ON s.id = l.student_id JOIN contacts c ON c.id = l.contact_id
    WHERE starts_with(c.sourced_id, '{_PREFIX}')
    """,
)

_REJECT_UNKNOWN_STUDENTS = f"""
INSERT INTO stage_rejections
SELECT DISTINCT '{_FILE}', line, 'student', 'is not a student of the roster; the row was left out'
FROM stage_contacts c WHERE NOT EXISTS (SELECT FROM overlay_student_keys k WHERE k.key = c.student)
"""

_MATCH_BY_ID = """
UPDATE overlay_people p SET sourced_id = u.sourced_id
FROM stage_users u WHERE u.sourced_id = p.contact_id AND NOT u.gone
"""
_MATCH_BY_NAME = """
UPDATE overlay_people p SET sourced_id = k.sourced_id
FROM (SELECT student, search, min(sourced_id) AS sourced_id FROM {contacts} WHERE search <> '' GROUP BY student, search) k
WHERE p.sourced_id IS NULL AND (k.student, k.search) = (p.student, p.search)
"""
_MATCH_BY_EMAIL = """
UPDATE overlay_people p SET sourced_id = k.sourced_id
FROM (SELECT student, email, min(sourced_id) AS sourced_id FROM {contacts} WHERE email <> ''
      GROUP BY student, email HAVING count(DISTINCT sourced_id) = 1) k
WHERE p.sourced_id IS NULL AND (k.student, k.email) = (p.student, lower(p.email))
  AND NOT EXISTS (SELECT FROM overlay_people o WHERE o.student = p.student AND o.person_key <> p.person_key
                  AND (lower(o.email) = k.email OR o.sourced_id = k.sourced_id))
"""
_ASSIGN_ID = f"""
UPDATE overlay_people SET sourced_id = '{_PREFIX}' || md5('id ' || contact_id) WHERE sourced_id IS NULL AND contact_id <> ''
"""
# The rest are new. Siblings share a contact with the same name and the same email or number, and an id if one has it already.
_ASSIGN_NEW_ID = f"""
UPDATE overlay_people p SET sourced_id = g.sourced_id
FROM (
    SELECT search, address, coalesce(
        min(sourced_id) FILTER (WHERE starts_with(sourced_id, '{_PREFIX}')),
        '{_PREFIX}' || md5(min(student || ' ' || person_key))
    ) AS sourced_id
    FROM (SELECT *, coalesce(lower(email), phone, student) AS address FROM overlay_people) x
    GROUP BY search, address
) g
WHERE p.sourced_id IS NULL AND g.search = p.search AND g.address = coalesce(lower(p.email), p.phone, p.student)
"""
_MATCH = (
    _MATCH_BY_ID,
    *(match.format(contacts="oneroster_contacts") for match in (_MATCH_BY_NAME, _MATCH_BY_EMAIL)),
    _ASSIGN_ID,
    *(match.format(contacts="earlier_overlay_contacts") for match in (_MATCH_BY_NAME, _MATCH_BY_EMAIL)),
    _ASSIGN_NEW_ID,
)

_REJECT_NAMELESS = f"""
WITH nameless AS (
    DELETE FROM overlay_people WHERE search = '' AND email IS NULL AND starts_with(sourced_id, '{_PREFIX}') RETURNING line
)
INSERT INTO stage_rejections
SELECT '{_FILE}', line, 'name', 'is blank, and the id is not in users.csv; the row was left out' FROM nameless
"""
_REPORT_LANDLINES = f"""
INSERT INTO stage_rejections
SELECT '{_FILE}', line, 'phone', 'is a home or work number; it was kept because there is no other'
FROM overlay_people WHERE phone IS NOT NULL AND rank = 3
"""

_CONTACTS_AND_LINKS = (
    """
    CREATE TEMP TABLE overlay_contacts AS
    SELECT DISTINCT ON (sourced_id) sourced_id, given_name, family_name, search, email, phone, phone_written, phone_note,
           CASE WHEN sourced_id IN (SELECT sourced_id FROM overlay_people WHERE phone_note_kind = 'refused') THEN 'refused'
                ELSE phone_note_kind END AS phone_note_kind
    FROM overlay_people ORDER BY sourced_id, phone IS NULL, rank, priority NULLS LAST, line
    """,
    """
    CREATE TEMP TABLE overlay_links AS
    SELECT DISTINCT ON (student, sourced_id) student, sourced_id AS contact, relationship, priority
    FROM overlay_people ORDER BY student, sourced_id, priority NULLS LAST, line
    """,
)
_NO_LINKS = "CREATE TEMP TABLE overlay_links (student text, contact text, relationship text, priority int)"

# Students whose earlier overlay data stays ({keep_all}: everyone's), and that data. {has_file}: there is a file tonight.
_KEEP = (
    f"""
    CREATE TEMP TABLE overlay_kept_students AS
    SELECT s.sourced_id AS student FROM overlay_students s
    WHERE {{keep_all}} OR s.sourced_id IN (
        SELECT k.sourced_id FROM stage_unread u JOIN overlay_student_keys k ON k.key = u.sourced_id
        WHERE u.kind = '{Kind.CONTACTS}'
    )
    """,
    """
    INSERT INTO overlay_contacts
    SELECT DISTINCT c.sourced_id, c.given_name, c.family_name, c.search, c.email, c.sis_phone, c.sis_phone_written,
           c.sis_phone_note, c.sis_note_kind
    FROM earlier_overlay_contacts e
    JOIN overlay_kept_students k ON k.student = e.student
    JOIN contacts c ON c.sourced_id = e.sourced_id
    WHERE e.active AND NOT EXISTS (SELECT FROM overlay_contacts x WHERE x.sourced_id = c.sourced_id)
    """,
    """
    UPDATE stage_users u SET phone = c.sis_phone, phone_written = c.sis_phone_written, phone_note = c.sis_phone_note,
           phone_note_kind = CASE 'refused' WHEN u.phone_note_kind THEN 'refused' ELSE c.sis_note_kind END
    FROM contacts c
    WHERE c.sourced_id = u.sourced_id AND c.active AND c.sis_phone IS NOT NULL AND {has_file}
      AND NOT EXISTS (SELECT FROM overlay_contacts x WHERE x.sourced_id = c.sourced_id AND x.phone IS NOT NULL)
      AND c.id IN (SELECT l.contact_id FROM student_contacts l JOIN students s ON s.id = l.student_id AND l.active
                   JOIN overlay_kept_students k ON k.student = s.sourced_id)
    """,
    f"""
    INSERT INTO overlay_links
    SELECT s.sourced_id, c.sourced_id, l.relationship, l.priority
    FROM student_contacts l
    JOIN students s ON s.id = l.student_id
    JOIN contacts c ON c.id = l.contact_id
    JOIN overlay_kept_students k ON k.student = s.sourced_id
    WHERE l.active AND c.active
      AND ({{has_file}} OR starts_with(c.sourced_id, '{_PREFIX}') OR l.priority IS NOT NULL)
      AND NOT EXISTS (SELECT FROM overlay_links x WHERE x.student = s.sourced_id AND x.contact = c.sourced_id)
      AND (starts_with(c.sourced_id, '{_PREFIX}')
           OR EXISTS (SELECT FROM stage_users u WHERE u.sourced_id = c.sourced_id AND NOT u.gone))
    """,
)

_STAGE = (
    """
    UPDATE stage_users u SET phone = coalesce(c.phone, u.phone),
           phone_written = CASE WHEN c.phone IS NULL THEN u.phone_written ELSE c.phone_written END,
           phone_note = nullif(concat_ws(' · ', u.phone_note, nullif(c.phone_note, u.phone_note)), ''),
           phone_note_kind = CASE WHEN 'refused' IN (u.phone_note_kind, c.phone_note_kind) THEN 'refused'
                                  WHEN c.phone IS NULL THEN u.phone_note_kind ELSE c.phone_note_kind END
    FROM overlay_contacts c WHERE c.sourced_id = u.sourced_id AND (c.phone IS NOT NULL OR c.phone_note IS NOT NULL)
    """,
    """
    INSERT INTO stage_users
    SELECT 0, c.sourced_id, false, true, c.given_name, c.family_name, c.search, c.email, NULL, c.phone, c.phone_written,
           NULL, NULL, '', '', c.phone_note, c.phone_note_kind
    FROM overlay_contacts c WHERE NOT EXISTS (SELECT FROM stage_users u WHERE u.sourced_id = c.sourced_id)
    """,
    f"""
    INSERT INTO stage_roles
    SELECT '{_FILE}', 0, false, c.sourced_id, 'guardian', '', NULL, NULL FROM overlay_contacts c
    WHERE NOT EXISTS (
        SELECT FROM stage_roles r WHERE r.person = c.sourced_id AND r.role IN {_CONTACT_ROLES} AND NOT r.gone
    )
    """,
    f"""
    INSERT INTO stage_agents
    SELECT 0, l.student, l.contact FROM overlay_links l
    WHERE ({{has_file}} OR starts_with(l.contact, '{_PREFIX}'))
      AND NOT EXISTS (SELECT FROM stage_agents a WHERE (a.person, a.agent) = (l.student, l.contact))
      AND NOT EXISTS (SELECT FROM stage_agents a WHERE (a.agent, a.person) = (l.student, l.contact))
    """,
)

_HAS_OVERLAY = f"""
SELECT EXISTS (SELECT FROM contacts WHERE active AND starts_with(sourced_id, '{_PREFIX}'))
    OR EXISTS (SELECT FROM student_contacts WHERE active AND priority IS NOT NULL)
"""


def overlay_contacts(connection: Connection, parts: Sequence[Part]) -> None:
    """Merge the contacts file, or without one the earlier overlay data, into the staged people, roles and links.

    Creates `overlay_links`, which the target tables need, in any case.
    """
    part = next((part for part in parts if part.kind is Kind.CONTACTS), None)
    if part is None and not has_overlay(connection):
        execute(connection, _NO_LINKS)
        return
    for statement in (*_STUDENTS, *_PEOPLE, _NOTES):
        execute(connection, statement)
    unknown_students = execute(connection, _REJECT_UNKNOWN_STUDENTS)
    for statement in (*_MATCH, _REJECT_NAMELESS, _REPORT_LANDLINES, *_CONTACTS_AND_LINKS):
        execute(connection, statement)
    keep_all = part is None or not part.is_readable or _may_miss_any_student(connection, parts, unknown_students)
    values = {"keep_all": keep_all, "has_file": part is not None}
    for statement in (*_KEEP, *_STAGE):
        execute(connection, statement.format(**values))


def has_overlay(connection: Connection) -> bool:
    """Return whether our tables hold data of an earlier contacts file."""
    with connection.begin():
        return bool(connection.exec_driver_sql(_HAS_OVERLAY).scalar_one())


def _may_miss_any_student(connection: Connection, parts: Sequence[Part], unknown_students: int) -> bool:
    """Return whether a line may belong to a student it does not name, or whose identifier is in no file tonight."""
    unread = carry_over.unread_kinds(connection)
    has_all_users = any(part.kind is Kind.USERS and part.is_readable and not part.is_delta for part in parts)
    return unread.get(Kind.CONTACTS, False) or (unknown_students > 0 and (not has_all_users or Kind.USERS in unread))
