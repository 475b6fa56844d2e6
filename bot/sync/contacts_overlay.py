"""The contacts of a file beside OneRoster, worked into what was staged: as people, roles and links that need no other rules.

A row that names a student's contact of OneRoster (by id, by folded name, or by an e-mail that only they have) is that
contact: the file wins for the number, the relationship and the order. Any other is a contact of ours, known again by id or,
for the same student, by folded name; siblings share one if name and e-mail (or number) are the same.
Without a file, and for students of a line that could not be read, what we hold of earlier files stays.
"""

from collections.abc import Sequence

from sqlalchemy import Connection

from bot.sis.rows import CONTACT_ROLES, Kind, Part
from bot.sync import carry_over
from bot.sync.stage import execute, insert_rejections
from bot.sync.target_tables import sql_list

_FILE = f"{Kind.CONTACTS}.csv"
_OURS = "side-"
"""How the sourced_id of a contact begins that only a file of contacts names."""

_CONTACT_ROLES = sql_list(CONTACT_ROLES)

_STUDENTS = (
    """
    CREATE TEMP TABLE side_students AS
    SELECT DISTINCT u.sourced_id, u.identifier FROM stage_users u JOIN stage_roles r ON r.person = u.sourced_id
    WHERE r.role = 'student' AND NOT r.gone AND NOT u.gone
    """,
    """
    CREATE TEMP TABLE student_keys AS
    SELECT sourced_id AS key, sourced_id FROM side_students
    UNION
    SELECT identifier, sourced_id FROM side_students
    WHERE identifier <> '' AND identifier NOT IN (SELECT sourced_id FROM side_students)
    """,
)

_PEOPLE = (
    """
    CREATE TEMP TABLE side_people AS
    SELECT DISTINCT ON (student, who) *, NULL::text AS sourced_id
    FROM (
        SELECT k.sourced_id AS student, coalesce(nullif(c.contact, ''), nullif(c.search, ''), lower(c.email)) AS who,
               c.line, c.contact AS contact_id, c.given_name, c.family_name, c.search, c.email, c.relationship, c.priority,
               c.phone, c.phone_written, c.rank
        FROM stage_contacts c JOIN student_keys k ON k.key = c.student
    ) said
    ORDER BY student, who, phone IS NULL, rank, line
    """,
    f"""
    CREATE TEMP TABLE side_known AS
    SELECT DISTINCT l.student, u.sourced_id, coalesce(nullif(u.search, ''), c.search) AS search, lower(u.email) AS email
    FROM (SELECT person AS student, agent AS contact FROM stage_agents UNION SELECT agent, person FROM stage_agents) l
    JOIN stage_users u ON u.sourced_id = l.contact AND NOT u.gone
    JOIN stage_roles r ON r.person = l.contact AND r.role IN {_CONTACT_ROLES} AND NOT r.gone
    LEFT JOIN contacts c ON c.sourced_id = u.sourced_id
    WHERE NOT starts_with(u.sourced_id, '{_OURS}')
    """,
    f"""
    CREATE TEMP TABLE side_held AS
    SELECT s.sourced_id AS student, c.sourced_id, c.search, lower(c.email) AS email, c.active AND l.active AS active
    FROM student_contacts l JOIN students s ON s.id = l.student_id JOIN contacts c ON c.id = l.contact_id
    WHERE starts_with(c.sourced_id, '{_OURS}')
    """,
)

_SAME_ID = """
UPDATE side_people p SET sourced_id = u.sourced_id FROM stage_users u WHERE u.sourced_id = p.contact_id AND NOT u.gone
"""
_SAME_NAME = """
UPDATE side_people p SET sourced_id = k.sourced_id
FROM (SELECT student, search, min(sourced_id) AS sourced_id FROM {known} WHERE search <> '' GROUP BY student, search) k
WHERE p.sourced_id IS NULL AND (k.student, k.search) = (p.student, p.search)
"""
_SAME_EMAIL = """
UPDATE side_people p SET sourced_id = k.sourced_id
FROM (SELECT student, email, min(sourced_id) AS sourced_id FROM {known} WHERE email <> ''
      GROUP BY student, email HAVING count(DISTINCT sourced_id) = 1) k
WHERE p.sourced_id IS NULL AND (k.student, k.email) = (p.student, lower(p.email))
  AND NOT EXISTS (SELECT FROM side_people o WHERE o.student = p.student AND o.who <> p.who
                  AND (lower(o.email) = k.email OR o.sourced_id = k.sourced_id))
"""
_OWN_ID = f"""
UPDATE side_people SET sourced_id = '{_OURS}' || md5('id ' || contact_id) WHERE sourced_id IS NULL AND contact_id <> ''
"""
_NEW = f"""
UPDATE side_people p SET sourced_id = g.sourced_id
FROM (
    SELECT search, reached, coalesce(
        min(sourced_id) FILTER (WHERE starts_with(sourced_id, '{_OURS}')), '{_OURS}' || md5(min(student || ' ' || who))
    ) AS sourced_id
    FROM (SELECT *, coalesce(lower(email), phone, student) AS reached FROM side_people) x
    GROUP BY search, reached
) g
WHERE p.sourced_id IS NULL AND g.search = p.search AND g.reached = coalesce(lower(p.email), p.phone, p.student)
"""

_NAMELESS = f"""
WITH nameless AS (
    DELETE FROM side_people WHERE search = '' AND email IS NULL AND starts_with(sourced_id, '{_OURS}') RETURNING line
)
INSERT INTO stage_rejections
SELECT '{_FILE}', line, 'name', %(nameless_contact)s FROM nameless
"""

_BEST = """
CREATE TEMP TABLE side_contacts AS
SELECT DISTINCT ON (sourced_id) sourced_id, given_name, family_name, search, email, phone, phone_written
FROM side_people ORDER BY sourced_id, phone IS NULL, rank, priority NULLS LAST, line
"""
_LINKS = """
CREATE TEMP TABLE side_links AS
SELECT DISTINCT ON (student, sourced_id) student, sourced_id AS contact, relationship, priority
FROM side_people ORDER BY student, sourced_id, priority NULLS LAST, line
"""

_KEPT = f"""
CREATE TEMP TABLE side_kept AS
SELECT s.sourced_id AS student FROM side_students s
WHERE {{all}} OR s.sourced_id IN (
    SELECT k.sourced_id FROM stage_unread u JOIN student_keys k ON k.key = u.sourced_id WHERE u.kind = '{Kind.CONTACTS}'
)
"""
_KEEP_CONTACTS = """
INSERT INTO side_contacts
SELECT DISTINCT c.sourced_id, c.given_name, c.family_name, c.search, c.email, c.sis_phone, c.sis_phone_written
FROM side_held h JOIN side_kept k ON k.student = h.student JOIN contacts c ON c.sourced_id = h.sourced_id
WHERE h.active AND NOT EXISTS (SELECT FROM side_contacts x WHERE x.sourced_id = c.sourced_id)
"""
_KEEP_NUMBERS = """
UPDATE stage_users u SET phone = c.sis_phone, phone_written = c.sis_phone_written
FROM contacts c
WHERE c.sourced_id = u.sourced_id AND c.active AND c.sis_phone IS NOT NULL AND {is_given}
  AND NOT EXISTS (SELECT FROM side_contacts x WHERE x.sourced_id = c.sourced_id AND x.phone IS NOT NULL)
  AND c.id IN (SELECT l.contact_id FROM student_contacts l JOIN students s ON s.id = l.student_id AND l.active
               JOIN side_kept k ON k.student = s.sourced_id)
"""
_KEEP_LINKS = f"""
INSERT INTO side_links
SELECT s.sourced_id, c.sourced_id, l.relationship, l.priority
FROM student_contacts l
JOIN students s ON s.id = l.student_id
JOIN contacts c ON c.id = l.contact_id
JOIN side_kept k ON k.student = s.sourced_id
WHERE l.active AND c.active AND ({{is_given}} OR starts_with(c.sourced_id, '{_OURS}') OR l.priority IS NOT NULL)
  AND NOT EXISTS (SELECT FROM side_links x WHERE x.student = s.sourced_id AND x.contact = c.sourced_id)
  AND (starts_with(c.sourced_id, '{_OURS}') OR EXISTS (SELECT FROM stage_users u WHERE u.sourced_id = c.sourced_id AND NOT u.gone))
"""

_STAGE = (
    """
    UPDATE stage_users u SET phone = c.phone, phone_written = c.phone_written
    FROM side_contacts c WHERE c.sourced_id = u.sourced_id AND c.phone IS NOT NULL
    """,
    """
    INSERT INTO stage_users
    SELECT 0, c.sourced_id, false, true, c.given_name, c.family_name, c.search, c.email, NULL, c.phone, c.phone_written,
           NULL, NULL, '', ''
    FROM side_contacts c WHERE NOT EXISTS (SELECT FROM stage_users u WHERE u.sourced_id = c.sourced_id)
    """,
    f"""
    INSERT INTO stage_roles
    SELECT '{_FILE}', 0, false, c.sourced_id, 'guardian', '', NULL, NULL FROM side_contacts c
    WHERE NOT EXISTS (
        SELECT FROM stage_roles r WHERE r.person = c.sourced_id AND r.role IN {_CONTACT_ROLES} AND NOT r.gone
    )
    """,
    f"""
    INSERT INTO stage_agents
    SELECT 0, l.student, l.contact FROM side_links l
    WHERE ({{is_given}} OR starts_with(l.contact, '{_OURS}'))
      AND NOT EXISTS (SELECT FROM stage_agents a WHERE (a.person, a.agent) = (l.student, l.contact))
      AND NOT EXISTS (SELECT FROM stage_agents a WHERE (a.agent, a.person) = (l.student, l.contact))
    """,
)

_NOBODYS = f"""
INSERT INTO stage_rejections
SELECT DISTINCT '{_FILE}', line, 'student', %(contact_of_nobody)s
FROM stage_contacts c WHERE NOT EXISTS (SELECT FROM student_keys k WHERE k.key = c.student)
"""
_FIXED = f"""
INSERT INTO stage_rejections
SELECT '{_FILE}', line, 'phone', %(fixed_number)s
FROM side_people WHERE phone IS NOT NULL AND rank = 3
"""


_IS_HELD = f"""
SELECT EXISTS (SELECT FROM contacts WHERE active AND starts_with(sourced_id, '{_OURS}'))
    OR EXISTS (SELECT FROM student_contacts WHERE active AND priority IS NOT NULL)
"""
_NO_LINKS = "CREATE TEMP TABLE side_links (student text, contact text, relationship text, priority int)"

_WHO_THEY_ARE = (
    _SAME_ID,
    *(same.format(known="side_known") for same in (_SAME_NAME, _SAME_EMAIL)),
    _OWN_ID,
    *(same.format(known="side_held") for same in (_SAME_NAME, _SAME_EMAIL)),
    _NEW,
)


def overlay_contacts(connection: Connection, parts: Sequence[Part]) -> None:
    """Add the rows of a file of contacts to the staged people, roles and links; without one, what earlier files said."""
    part = next((one for one in parts if one.kind is Kind.CONTACTS), None)
    if part is None and not is_overlaid(connection):
        execute(connection, _NO_LINKS)
        return
    for statement in (*_STUDENTS, *_PEOPLE):
        execute(connection, statement)
    strangers = insert_rejections(connection, _NOBODYS)
    for statement in _WHO_THEY_ARE:
        execute(connection, statement)
    for statement in (_NAMELESS, _FIXED):
        insert_rejections(connection, statement)
    for statement in (_BEST, _LINKS):
        execute(connection, statement)
    all_stay = part is None or not part.is_readable or _may_be_anybodys(connection, parts, strangers=strangers)
    words = {"all": all_stay, "is_given": part is not None}
    for statement in (_KEPT, _KEEP_CONTACTS, _KEEP_NUMBERS, _KEEP_LINKS, *_STAGE):
        execute(connection, statement.format(**words))


def is_overlaid(connection: Connection) -> bool:
    """Whether something that we hold comes from such a file; without one, it stays."""
    with connection.begin():
        return bool(connection.exec_driver_sql(_IS_HELD).scalar_one())


def _may_be_anybodys(connection: Connection, parts: Sequence[Part], *, strangers: int) -> bool:
    """Whether some line may belong to a student whom it does not name, or whose identifier no file says tonight."""
    unread = carry_over.unread(connection)
    knows_all = any(one.kind is Kind.USERS and one.is_readable and not one.is_delta for one in parts)
    return unread.get(Kind.CONTACTS, False) or (strangers > 0 and (not knows_all or Kind.USERS in unread))
