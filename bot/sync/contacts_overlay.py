"""The contacts overlay: a district's own CSV of contacts, merged into the staged people, roles, and links of OneRoster.

- A row that matches a OneRoster contact of its student, by id, folded name, or an email that only this contact has, updates that
  contact: number, relationship, and order are those of the row.
- Any other row is an overlay contact of its own. Later syncs recognize it by id, or by student and folded name. Siblings share
  one overlay contact if its name and its email (or number) are the same.
- Two adults of one name are two if their relationships say so. An adult without a name is the `Mother of Ada Lee`.
- Of several numbers the best for texts is the contact's; the others are kept beside it (`other_numbers`).
- What earlier files said stays for students with an unreadable line, and for all students while there is no file.
"""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import Connection

from bot.domain.names import DESCRIBED
from bot.sis.rows import CONTACT_ROLES, Kind, Part
from bot.sync import carry_over
from bot.sync.overlay_rows import build_overlay_rows
from bot.sync.stage import execute
from bot.sync.target_tables import sql_list

_FILE = f"{Kind.CONTACTS}.csv"
# Begins the sourced_id of overlay contacts. It is stored in the database: never change it.
_PREFIX = "side-"
_CONTACT_ROLES = sql_list(CONTACT_ROLES)
# The order of a contact's numbers: the best for texts comes first.
_BEST_FIRST = "phone IS NULL, phone_note_kind IN ('dead', 'impossible') IS TRUE, rank, phone_order, line"

# A refusal concerns the person, whichever of their numbers it stands beside; all notes are kept.
_NOTES = """
UPDATE overlay_people p
SET phone_note = n.notes, phone_note_kind = CASE WHEN n.is_refused THEN 'refused' ELSE p.phone_note_kind END
FROM (
    SELECT student, person_key, string_agg(DISTINCT phone_note, ' · ') AS notes,
           bool_or(phone_note_kind = 'refused') AS is_refused
    FROM overlay_rows WHERE phone_note IS NOT NULL GROUP BY 1, 2
) n WHERE (n.student, n.person_key) = (p.student, p.person_key)
"""

# `overlay_people`: one row for each student and contact in the file, with the number that is best for texts. The other two are
# the contacts it may be: those of OneRoster tonight, and overlay contacts in our tables.
_PEOPLE = (
    f"""
    CREATE TEMP TABLE overlay_people AS
    SELECT DISTINCT ON (student, person_key) *, NULL::text AS sourced_id
    FROM overlay_rows ORDER BY student, person_key, {_BEST_FIRST}
    """,
    # A further number may be in a row without the rest.
    """
    UPDATE overlay_people p
    SET email = coalesce(p.email, r.email), relationship = coalesce(p.relationship, r.relationship),
        priority = coalesce(p.priority, r.priority)
    FROM (SELECT student, person_key, min(email) AS email, min(relationship) AS relationship, min(priority) AS priority
          FROM overlay_rows GROUP BY student, person_key HAVING count(*) > 1) r
    WHERE (r.student, r.person_key) = (p.student, p.person_key)
    """,
    f"""
    CREATE TEMP TABLE oneroster_contacts AS
    SELECT DISTINCT l.student, u.sourced_id, coalesce(nullif(u.search, ''), c.search) AS search, lower(u.email) AS email, u.phone,
           (SELECT min(x.relationship) FROM student_contacts x JOIN students s ON s.id = x.student_id
            WHERE x.contact_id = c.id AND s.sourced_id = l.student) AS relationship
    FROM (SELECT person AS student, agent AS contact FROM stage_agents UNION SELECT agent, person FROM stage_agents) l
    JOIN stage_users u ON u.sourced_id = l.contact AND NOT u.gone
    JOIN stage_roles r ON r.person = l.contact AND r.role IN {_CONTACT_ROLES} AND NOT r.gone
    LEFT JOIN contacts c ON c.sourced_id = u.sourced_id
    WHERE l.student IN (SELECT student FROM overlay_people) AND NOT starts_with(u.sourced_id, '{_PREFIX}')
    """,
    f"""
    CREATE TEMP TABLE earlier_overlay_contacts AS
    SELECT s.sourced_id AS student, c.sourced_id, c.search, lower(c.email) AS email, l.relationship,
           c.active AND l.active AS active
    FROM student_contacts l JOIN students s ON s.id = l.student_id JOIN contacts c ON c.id = l.contact_id
    WHERE starts_with(c.sourced_id, '{_PREFIX}')
    """,
)
# A number without a name is kept as that of the `Mother of Ada Lee`.
_DESCRIBE_NAMELESS = f"""
UPDATE overlay_people p SET given_name = d.given_name, family_name = d.name, search = folded_name(d.given_name, d.name)
FROM (
    SELECT o.student, o.person_key, s.name,
           upper(left(w.word, 1)) || substr(w.word, 2) || '{DESCRIBED}' AS given_name
    FROM overlay_people o JOIN overlay_students s ON s.sourced_id = o.student
    CROSS JOIN LATERAL (SELECT coalesce(o.relationship, 'contact') AS word) w
    WHERE o.is_nameless
) d WHERE (d.student, d.person_key) = (p.student, p.person_key)
"""

# The same id may be another person's elsewhere in the SIS: name or student has to agree.
_MATCH_BY_ID = f"""
UPDATE overlay_people p SET sourced_id = u.sourced_id
FROM stage_users u
WHERE u.sourced_id = p.contact_id AND NOT u.gone
  AND EXISTS (SELECT FROM stage_roles r WHERE r.person = u.sourced_id AND r.role IN {_CONTACT_ROLES} AND NOT r.gone)
  AND (p.search = u.search OR p.is_nameless
       OR p.twin = '' AND EXISTS (SELECT FROM oneroster_contacts o WHERE (o.student, o.sourced_id) = (p.student, u.sourced_id)))
"""
# Of two adults of one name, the same relationship finds the same one again; what is left is matched in order.
_MATCH_BY_NAME = """
UPDATE overlay_people p SET sourced_id = k.sourced_id
FROM (
    SELECT student, person_key, search, relationship,
           row_number() OVER (PARTITION BY student, search, {relationship} ORDER BY line) AS place
    FROM overlay_people WHERE sourced_id IS NULL AND search <> ''
) o
JOIN (
    SELECT student, search, relationship, sourced_id,
           row_number() OVER (PARTITION BY student, search, {relationship} ORDER BY sourced_id) AS place
    FROM {contacts} c WHERE search <> ''
      AND NOT EXISTS (SELECT FROM overlay_people x WHERE (x.student, x.sourced_id) = (c.student, c.sourced_id))
) k ON (k.student, k.search, k.place) = (o.student, o.search, o.place) AND k.{relationship} = o.{relationship}
WHERE (p.student, p.person_key) = (o.student, o.person_key)
"""
_MATCH_BY_EMAIL = """
UPDATE overlay_people p SET sourced_id = k.sourced_id
FROM (SELECT student, email, min(sourced_id) AS sourced_id FROM {contacts} WHERE email <> ''
      GROUP BY student, email HAVING count(DISTINCT sourced_id) = 1) k
WHERE p.sourced_id IS NULL AND (k.student, k.email) = (p.student, lower(p.email))
  AND NOT EXISTS (SELECT FROM overlay_people o WHERE o.student = p.student AND o.person_key <> p.person_key
                  AND (lower(o.email) = k.email OR o.sourced_id = k.sourced_id))
"""
# A number without a name is the adult's of the student who has it, if there is only one.
_MATCH_NAMELESS = """
UPDATE overlay_people p SET sourced_id = k.sourced_id
FROM (SELECT student, phone, min(sourced_id) AS sourced_id FROM oneroster_contacts
      GROUP BY student, phone HAVING count(*) = 1) k
WHERE p.sourced_id IS NULL AND p.is_nameless AND (k.student, k.phone) = (p.student, p.phone)
  AND NOT EXISTS (SELECT FROM overlay_people o WHERE (o.student, o.sourced_id) = (p.student, k.sourced_id))
"""
_ASSIGN_ID = f"""
UPDATE overlay_people SET sourced_id = '{_PREFIX}' || md5(concat_ws(' ', 'id', contact_id, nullif(twin, '')))
WHERE sourced_id IS NULL AND contact_id <> ''
"""
# The rest are new. Siblings share a contact with the same name and the same email or number, and an id if one has it already.
_ASSIGN_NEW_ID = f"""
UPDATE overlay_people p SET sourced_id = g.sourced_id
FROM (
    SELECT search, twin, address, coalesce(
        min(sourced_id) FILTER (WHERE starts_with(sourced_id, '{_PREFIX}')),
        '{_PREFIX}' || md5(min(student || ' ' || person_key))
    ) AS sourced_id
    FROM (SELECT *, coalesce(lower(email), phone, student) AS address FROM overlay_people) x
    GROUP BY search, twin, address
) g
WHERE p.sourced_id IS NULL AND (g.search, g.twin) = (p.search, p.twin)
  AND g.address = coalesce(lower(p.email), p.phone, p.student)
"""


def _match_with(contacts: str) -> tuple[str, ...]:
    by_name = (_MATCH_BY_NAME.format(contacts=contacts, relationship=column) for column in ("relationship", "search"))
    return (*by_name, _MATCH_BY_EMAIL.format(contacts=contacts))


_MATCH = (
    _MATCH_BY_ID,
    *_match_with("oneroster_contacts"),
    _MATCH_NAMELESS,
    _ASSIGN_ID,
    *_match_with("earlier_overlay_contacts"),
    _ASSIGN_NEW_ID,
)

_REJECT_NAMELESS = f"""
WITH nameless AS (
    DELETE FROM overlay_people
    WHERE is_nameless AND email IS NULL AND phone IS NULL AND starts_with(sourced_id, '{_PREFIX}') RETURNING line
)
INSERT INTO stage_rejections
SELECT '{_FILE}', line, 'name', 'is blank, and there is no number that can be read; the row was left out' FROM nameless
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
    FROM overlay_people ORDER BY sourced_id, phone IS NULL, rank, phone_order, priority NULLS LAST, line
    """,
    """
    CREATE TEMP TABLE overlay_ids AS
    SELECT DISTINCT ON (sourced_id) sourced_id, contact_id, is_powerschool
    FROM overlay_people WHERE contact_id <> '' ORDER BY sourced_id, phone IS NULL, rank, phone_order, line
    """,
    # The further numbers of a person, the best first; none beside a refusal, and none that is dead.
    """
    CREATE TEMP TABLE overlay_numbers AS
    SELECT sourced_id, phone, row_number() OVER (PARTITION BY sourced_id ORDER BY rank, phone_order, line) AS position
    FROM (
        SELECT DISTINCT ON (p.sourced_id, r.phone) p.sourced_id, r.phone, r.rank, r.phone_order, r.line
        FROM overlay_rows r JOIN overlay_people p ON (p.student, p.person_key) = (r.student, r.person_key)
        JOIN overlay_contacts c ON c.sourced_id = p.sourced_id
        WHERE r.phone <> c.phone AND r.phone_note_kind IS NULL AND c.phone_note_kind IS DISTINCT FROM 'refused'
        ORDER BY p.sourced_id, r.phone, r.rank, r.phone_order, r.line
    ) numbers
    """,
    """
    CREATE TEMP TABLE overlay_links AS
    SELECT DISTINCT ON (student, sourced_id) student, sourced_id AS contact, relationship, priority
    FROM overlay_people ORDER BY student, sourced_id, priority NULLS LAST, line
    """,
)
# Without an overlay, for the target tables.
_NOTHING = (
    "CREATE TEMP TABLE overlay_links (student text, contact text, relationship text, priority int)",
    "CREATE TEMP TABLE overlay_ids (sourced_id text, contact_id text, is_powerschool boolean)",
    "CREATE TEMP TABLE overlay_numbers (sourced_id text, phone text, position bigint)",
)

# Students whose earlier overlay data stays ({keep_all}: everyone's), and that data. {has_file}: there is a file tonight.
_KEEP = (
    f"""
    CREATE TEMP TABLE overlay_kept_students AS
    SELECT s.sourced_id AS student FROM overlay_students s
    WHERE {{keep_all}} OR s.sourced_id IN (
        SELECT k.sourced_id FROM stage_unread u JOIN overlay_student_keys k ON k.key = u.sourced_id
        WHERE u.kind = '{Kind.CONTACTS}'
        UNION ALL SELECT k.sourced_id FROM overlay_student_keys k WHERE k.is_ambiguous
    )
    """,
    """
    CREATE TEMP TABLE overlay_kept_contacts AS
    SELECT DISTINCT c.id, c.sourced_id, c.sis_contact_id, c.is_powerschool_id
    FROM contacts c JOIN student_contacts l ON l.contact_id = c.id AND l.active
    JOIN students s ON s.id = l.student_id JOIN overlay_kept_students k ON k.student = s.sourced_id
    WHERE c.active AND NOT EXISTS (SELECT FROM overlay_contacts x WHERE x.sourced_id = c.sourced_id)
    """,
    """
    INSERT INTO overlay_ids
    SELECT sourced_id, sis_contact_id, is_powerschool_id FROM overlay_kept_contacts WHERE sis_contact_id IS NOT NULL
    """,
    """
    INSERT INTO overlay_numbers
    SELECT k.sourced_id, n.phone, n.position FROM overlay_kept_contacts k JOIN other_numbers n ON n.contact_id = k.id
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
    # Without a file the number is that of OneRoster again, but who must not be texted stays so.
    f"""
    UPDATE stage_users u
    SET phone_note = concat_ws(' · ', u.phone_note, nullif(c.sis_phone_note, u.phone_note)), phone_note_kind = 'refused'
    FROM contacts c
    WHERE NOT {{has_file}} AND c.sourced_id = u.sourced_id AND c.active AND c.sis_note_kind = 'refused'
      AND u.phone_note_kind IS DISTINCT FROM 'refused' AND NOT starts_with(c.sourced_id, '{_PREFIX}')
      AND (c.sis_contact_id IS NOT NULL
           OR EXISTS (SELECT FROM student_contacts l WHERE l.contact_id = c.id AND l.active AND l.priority IS NOT NULL))
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
SELECT EXISTS (SELECT FROM contacts WHERE active AND (starts_with(sourced_id, '{_PREFIX}') OR sis_contact_id IS NOT NULL))
    OR EXISTS (SELECT FROM student_contacts WHERE active AND priority IS NOT NULL)
"""


def overlay_contacts(connection: Connection, parts: Sequence[Part], *, had_overlay: bool, today: date) -> None:
    """Merge the contacts file, or without one the earlier overlay data (`has_overlay`), into the staged people, roles and links.

    Creates `overlay_links`, `overlay_ids` and `overlay_numbers`, which the target tables need, in any case.
    """
    part = next((part for part in parts if part.kind is Kind.CONTACTS), None)
    if part is None and not had_overlay:
        for statement in _NOTHING:
            execute(connection, statement)
        return
    unknown_students = build_overlay_rows(connection, today=today)
    for statement in (*_PEOPLE, _NOTES, _DESCRIBE_NAMELESS):
        execute(connection, statement)
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
