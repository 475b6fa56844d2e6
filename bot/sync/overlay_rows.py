"""The rows of the contacts file, completed: whose contacts they are, although PowerSchool writes a student and a name only once and
spreadsheets take the leading zeros from student numbers.

Creates `overlay_students`, `overlay_student_keys` (a student as the file writes them, and the sourced_ids), and `overlay_rows`.
"""

from datetime import date

from sqlalchemy import Connection

from bot.sis.rows import Kind
from bot.sync.stage import execute

_FILE = f"{Kind.CONTACTS}.csv"

# Words that do not say which of two adults of the same name it is.
_UNSPECIFIC = """('parent', 'guardian', 'parent/guardian', 'parent guardian', 'legal guardian', 'family', 'relative', 'contact',
    'emergency', 'emergency contact', 'other', 'self', 'unknown', 'not set')"""

# A blank student or name of a contact is that of the row above of the same contact, or of the first below. A contact without an id
# is the same only on consecutive lines.
_HAS_BLANK = "SELECT EXISTS (SELECT FROM stage_contacts WHERE {column} = '')"
_FILL_DOWN = """
UPDATE stage_contacts c SET {assign}
FROM (
    SELECT line, coalesce(max(line) FILTER (WHERE {column} <> '') OVER (PARTITION BY person ORDER BY line),
                          min(line) FILTER (WHERE {column} <> '') OVER (PARTITION BY person)) AS source
    FROM (
        SELECT line, {column}, CASE WHEN contact <> '' THEN contact ELSE
                   search || ' ' || line - dense_rank() OVER (PARTITION BY contact, search ORDER BY line) END AS person
        FROM stage_contacts WHERE contact <> '' OR search <> ''
    ) lines
) f JOIN stage_contacts s ON s.line = f.source
WHERE f.line = c.line AND c.{column} = ''
"""
_STUDENT_COLUMNS = """student = s.student, student_number = s.student_number, ends_on = coalesce(c.ends_on, s.ends_on),
    relationship = coalesce(c.relationship, s.relationship), priority = coalesce(c.priority, s.priority)"""
_NAME_COLUMNS = (
    "given_name = s.given_name, family_name = s.family_name, search = s.search, email = coalesce(c.email, s.email)"
)
_REJECT_WITHOUT_STUDENT = (
    f"""
    INSERT INTO stage_unread SELECT line, '{Kind.CONTACTS}', '', true FROM stage_contacts WHERE student = ''
    """,
    f"""
    INSERT INTO stage_rejections
    SELECT DISTINCT '{_FILE}', line, 'student', 'is blank, and no other row of this contact has a student; the row was left out'
    FROM stage_contacts WHERE student = ''
    """,
    "DELETE FROM stage_contacts WHERE student = ''",
)

_PLAIN_NUMBER = r"CASE WHEN {0} ~ '^[0-9]+(\.0+)?$' THEN ltrim(split_part({0}, '.', 1), '0') ELSE '' END"
_STUDENTS = f"""
CREATE TEMP TABLE overlay_students AS
SELECT *, {_PLAIN_NUMBER.format("sourced_id")} AS sourced_id_number, {_PLAIN_NUMBER.format("identifier")} AS identifier_number
FROM (
    SELECT DISTINCT u.sourced_id, u.identifier, trim(u.given_name || ' ' || u.family_name) AS name
    FROM stage_users u JOIN stage_roles r ON r.person = u.sourced_id
    WHERE r.role = 'student' AND NOT r.gone AND NOT u.gone
) students
"""
# A file writes sourced_ids or identifiers, and one student's sourced_id may be another's identifier: the kind counts that more
# of its rows have. Whole ones come before those without leading zeros. Of the latter, and where the whole file has lost them, a number
# that fits several students is none of them.
_USES_IDENTIFIERS = """
SELECT count(*) FILTER (WHERE student IN (SELECT identifier FROM overlay_students WHERE identifier <> ''))
     > count(*) FILTER (WHERE student IN (SELECT sourced_id FROM overlay_students)) FROM stage_contacts
"""
_KEYS = """
CREATE TEMP TABLE overlay_student_keys AS
WITH written AS (
    SELECT DISTINCT student AS key, student_number AS number FROM stage_contacts
    UNION SELECT sourced_id, '' FROM stage_unread u
    WHERE kind = 'contacts' AND sourced_id <> '' AND NOT EXISTS (SELECT FROM stage_contacts c WHERE c.student = u.sourced_id)
),
places AS (
    SELECT key, 1 AS place, sourced_id FROM written JOIN overlay_students ON {first} = key
    UNION ALL
    SELECT key, 2, sourced_id FROM written JOIN overlay_students ON {first}_number = number AND number <> ''
    UNION ALL
    SELECT key, 3, sourced_id FROM written JOIN overlay_students ON {second} = key
    UNION ALL
    SELECT key, 4, sourced_id FROM written JOIN overlay_students ON {second}_number = number AND number <> ''
),
matches AS (SELECT key, place, array_agg(DISTINCT sourced_id) AS students FROM places GROUP BY key, place),
best AS (SELECT DISTINCT ON (key) key, place, students FROM matches ORDER BY key, place)
SELECT key, unnest(students) AS sourced_id,
       (place IN (2, 4) AND cardinality(students) > 1)
       OR (place IN (1, 3) AND NOT EXISTS (SELECT FROM written WHERE starts_with(written.key, '0'))
           AND EXISTS (SELECT FROM matches m WHERE m.key = best.key AND m.place = best.place + 1
                       AND NOT m.students <@ best.students)) AS is_ambiguous
FROM best
"""
_REJECT_STUDENTS = f"""
INSERT INTO stage_rejections
SELECT DISTINCT '{_FILE}', line, 'student',
       CASE WHEN k.key IS NOT NULL THEN 'fits several students, because leading zeros are missing; the row was left out'
            WHEN c.student ~ '^[0-9](\\.[0-9]+)?[eE]\\+?[0-9]+$' AND c.student_number = ''
            THEN 'was rounded by a spreadsheet, and its last digits are lost; the row was left out'
            ELSE 'is not a student of the roster; the row was left out' END
FROM stage_contacts c LEFT JOIN overlay_student_keys k ON k.key = c.student AND k.is_ambiguous
WHERE NOT EXISTS (SELECT FROM overlay_student_keys x WHERE x.key = c.student AND NOT x.is_ambiguous)
"""

# `person_key` identifies a contact within a student: an id, a folded name, an email, or what else there is.
_ROWS = """
CREATE TEMP TABLE overlay_rows AS
SELECT k.sourced_id AS student, c.search = '' AS is_nameless, '' AS twin,
       coalesce(nullif(c.contact, ''), nullif(c.search, ''), lower(c.email), 'nameless ' || coalesce(c.relationship, c.phone, ''))
           AS person_key,
       c.line, c.contact AS contact_id, c.is_powerschool, c.given_name, c.family_name, c.search, c.email, c.relationship,
       c.priority, c.phone, c.phone_written, c.rank, c.phone_order, c.phone_note, c.phone_note_kind
FROM stage_contacts c JOIN overlay_student_keys k ON k.key = c.student AND NOT k.is_ambiguous
WHERE c.ends_on IS NULL OR c.ends_on > DATE '{today}'
"""
# A father and a grandfather of the same name are two; a row that does not say which is the first of them.
_SPLIT_TWINS = f"""
UPDATE overlay_rows r
SET twin = coalesce(CASE WHEN r.relationship NOT IN {_UNSPECIFIC} THEN r.relationship END, t.first)
FROM (
    SELECT student, person_key, (array_agg(relationship ORDER BY line))[1] AS first FROM overlay_rows
    WHERE contact_id = '' AND search <> '' AND relationship NOT IN {_UNSPECIFIC}
    GROUP BY student, person_key HAVING count(DISTINCT relationship) > 1
) t WHERE (t.student, t.person_key) = (r.student, r.person_key) AND r.contact_id = ''
"""
# Some ids are those of a household.
_SPLIT_HOUSEHOLDS = """
UPDATE overlay_rows SET twin = search
WHERE search <> '' AND contact_id IN (
    SELECT contact_id FROM overlay_rows WHERE contact_id <> '' AND search <> ''
    GROUP BY student, contact_id HAVING count(DISTINCT search) > 1
)
"""
_KEY_TWINS = "UPDATE overlay_rows SET person_key = person_key || ' ' || twin WHERE twin <> ''"


def build_overlay_rows(connection: Connection, *, today: date) -> int:
    """Create the tables, and reject the rows of no student. Return how many those are."""
    for column, assign in (("student", _STUDENT_COLUMNS), ("search", _NAME_COLUMNS)):
        if _holds(connection, _HAS_BLANK.format(column=column)):
            execute(connection, _FILL_DOWN.format(column=column, assign=assign))
    for statement in (*_REJECT_WITHOUT_STUDENT, _STUDENTS):
        execute(connection, statement)
    kinds = ["sourced_id", "identifier"]
    if _holds(connection, _USES_IDENTIFIERS):
        kinds.reverse()
    execute(connection, _KEYS.format(first=kinds[0], second=kinds[1]))
    rejected = execute(connection, _REJECT_STUDENTS)
    for statement in (_ROWS.format(today=today.isoformat()), _SPLIT_TWINS, _SPLIT_HOUSEHOLDS, _KEY_TWINS):
        execute(connection, statement)
    return rejected


def _holds(connection: Connection, select: str) -> bool:
    with connection.begin():
        return bool(connection.exec_driver_sql(select).scalar_one())
