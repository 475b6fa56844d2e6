"""The checks of a sync that is about to write: what would disappear, and what would change as on no school day.

Each check is a query on the differences of tonight (`change_...`), so that a night that changes little costs little. They see people as
`identity` left them: a person under a new sourced_id neither left nor came. Examples name people by sourced_id only.
"""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import Connection

from bot.domain.display import plural
from bot.sync.diff_merge import TableChanges
from bot.sync.stage import execute

# Fewer rows than this never hold a sync, or a small school could not graduate a class.
MIN_ROWS = 20
# A number or a child shown to the wrong family is worse than a missing one, and on a school day it is a few typing errors.
_MIN_CROSSED = 10
_CROSSED_SHARE = 0.1
# A family, or a group home, shares a number; not this many adults since yesterday.
_MANY_ADULTS = 10
# A column that is blank for everyone is no coincidence from here on.
_ALL_OF = 5
_FEW = 2
_MAX_EXAMPLES = 10


@dataclass(frozen=True)
class Reason:
    """Why a sync is held: a clause for a sentence, what to check, and examples by sourced_id. `doubts_staff`: it is staff who disappear."""

    clause: str
    advice: str = ""
    examples: tuple[str, ...] = ()
    doubts_staff: bool = False


@dataclass(frozen=True)
class _Check:
    """`select` returns (weight, example), one row for each case, those with the greatest weight first.

    It holds at `least` cases that are more than `share` of the setting's percent of `table` (numbers: of contacts with a
    number, refusals: of contacts with a note against texts), or at all rows of `table`. `clause` has {count} and {before}.
    `is_for_new_year`: it counts in the night of a roll-over, too.
    """

    select: str
    table: str
    clause: str
    advice: str
    least: int = MIN_ROWS
    share: float = 1.0
    all_of: int = MIN_ROWS
    is_for_new_year: bool = True
    doubts_staff: bool = False

    def holds(self, count: int, before: int, percent: float) -> bool:
        if percent >= 100:  # noqa: PLR2004 - the setting that turns the hold off.
            return False
        is_over_share = count >= self.least and count * 100 > percent * self.share * before
        return is_over_share or (count >= self.all_of and count == before)


def is_too_many(gone: int, before: int, percent: float) -> bool:
    """Return whether more disappears than a district loses in one night."""
    return gone >= MIN_ROWS and gone * 100 > percent * before


# Tonight's changes of people who are here already. An edit of ours that the SIS took over changes a number as it should.
_TABLES = (
    """
    CREATE TEMP TABLE hold_numbers AS
    SELECT c.id, c.sourced_id, c.search, c.sis_phone AS before, CASE x.kind WHEN 'changed' THEN x.sis_phone END AS after,
           x.kind = 'changed' AS stays,
           EXISTS (SELECT FROM edits e WHERE e.contact_id = c.id AND e.field = 'phone' AND e.value = x.sis_phone
                   AND e.state IN ('pending', 'conflict')) AS is_ours
    FROM change_contacts x JOIN contacts c ON c.sourced_id = x.live_sourced_id
    WHERE c.active AND x.kind IN ('changed', 'inactive')
      AND (x.kind = 'inactive' OR c.sis_phone IS DISTINCT FROM x.sis_phone)
    """,
    """
    CREATE TEMP TABLE hold_leavers AS
    SELECT s.id, s.sourced_id, s.grade FROM change_students x JOIN students s ON s.sourced_id = x.live_sourced_id WHERE x.kind = 'inactive'
    """,
)

# The contacts and links of students who leave go with them, and are not asked about twice.
_STUDENTS = "SELECT 0, 'student ' || sourced_id || ' leaves' || coalesce(' from grade ' || grade, '') FROM hold_leavers"
_CONTACTS = """
SELECT count(l.student_id), 'contact ' || n.sourced_id || ' leaves' FROM hold_numbers n
LEFT JOIN student_contacts l ON l.contact_id = n.id AND l.active
LEFT JOIN hold_leavers gone ON gone.id = l.student_id
WHERE NOT n.stays GROUP BY n.sourced_id HAVING count(l.student_id) = 0 OR count(*) > count(gone.id)
"""
_LINKS = """
SELECT 0, 'student ' || s.sourced_id || ' loses contact ' || c.sourced_id
FROM change_student_contacts x JOIN students s ON s.id = x.live_student_id JOIN contacts c ON c.id = x.live_contact_id
WHERE x.kind = 'inactive' AND NOT EXISTS (SELECT FROM hold_leavers gone WHERE gone.id = s.id)
"""
_NUMBERS = """
SELECT 0, 'contact ' || sourced_id || ' would have no number' FROM hold_numbers
WHERE stays AND before IS NOT NULL AND after IS NULL
"""
# Of contacts who stay. A court order is rarely lifted, and a column of notes that is missing from an export would lift them all.
_REFUSALS = """
SELECT 0, 'contact ' || c.sourced_id || ' would have no note against texts'
FROM change_contacts x JOIN contacts c ON c.sourced_id = x.live_sourced_id
WHERE x.kind = 'changed' AND c.active AND c.sis_note_kind = 'refused' AND x.sis_note_kind IS DISTINCT FROM 'refused'
"""
_CHECK_LEAVERS = "whether they really left, for example as graduates; if not, the export is incomplete"
_CHECK_COLUMN = "whether the column is still in the export, and under the same title"
_CHECK_ROWS = (
    "whether the columns of the export are still in line with the right people, for example after sorting or pasting"
)

# Parents of one student who trade numbers are a correction.
_MOVED_NUMBERS = """
SELECT 0, 'contact ' || new.sourced_id || ' gets the number of contact ' || min(old.sourced_id)
FROM hold_numbers new JOIN hold_numbers old ON old.before = new.after AND old.search <> new.search
WHERE new.stays AND NOT new.is_ours AND NOT EXISTS (
    SELECT FROM student_contacts a JOIN student_contacts b ON b.student_id = a.student_id AND b.active
    WHERE a.active AND a.contact_id = new.id AND b.contact_id = old.id
)
GROUP BY new.sourced_id
"""
_OTHER_NAMES = """
SELECT 0, '{noun} ' || p.sourced_id || ' would be a person of another name'
FROM change_{table} x JOIN {table} p ON p.sourced_id = x.live_sourced_id
WHERE x.kind = 'changed' AND p.active AND p.search <> ''
  AND (x.given_name, x.family_name) IS DISTINCT FROM (p.given_name, p.family_name)
  AND folded_name(x.given_name, x.family_name) <> ''
  AND NOT string_to_array(folded_name(x.given_name, x.family_name), ' ') && string_to_array(p.search, ' ')
"""
_CHANGED_NUMBERS = """
SELECT 0, 'contact ' || sourced_id || ' gets another number' FROM hold_numbers
WHERE stays AND NOT is_ours AND before IS NOT NULL AND after IS NOT NULL
"""
# Not a contact with the name of one the student had: the SIS has merged the records of one person. A name of many says nothing.
_NEW_LINKS = f"""
SELECT count(*) OVER (PARTITION BY contact), 'student ' || student || ' gets contact ' || contact
FROM (
    SELECT s.sourced_id AS student, c.sourced_id AS contact, count(*) OVER (PARTITION BY c.search) AS of_name, EXISTS (
               SELECT FROM student_contacts l JOIN contacts had ON had.id = l.contact_id
               WHERE l.student_id = s.id AND l.active AND had.search = c.search
           ) AS had_name
    FROM change_student_contacts x
    JOIN students s ON s.id = x.student_id AND s.active
    JOIN contacts c ON c.id = x.contact_id AND c.active
    WHERE x.kind = 'added'
) links
WHERE NOT had_name OR of_name >= {_MANY_ADULTS}
"""
_SHARED_NUMBER = f"""
SELECT count(DISTINCT search), 'one number at ' || count(DISTINCT search) || ' more adults, for example contact ' || min(sourced_id)
FROM hold_numbers WHERE stays AND NOT is_ours AND after IS NOT NULL
GROUP BY after HAVING count(DISTINCT search) >= {_MANY_ADULTS}
"""
# A school whose students go to another one is closed or has a new id.
_SCHOOLS = f"""
WITH gone AS (
    SELECT s.id FROM change_schools x JOIN schools s ON s.sourced_id = x.live_sourced_id WHERE x.kind = 'inactive'
), concerned AS (
    SELECT id AS school_id FROM gone
    UNION SELECT m.school_id FROM student_schools m JOIN hold_leavers l ON l.id = m.student_id
), elsewhere AS (
    SELECT m.student_id FROM student_schools m
    WHERE m.student_id IN (SELECT o.student_id FROM student_schools o JOIN gone ON gone.id = o.school_id)
      AND NOT EXISTS (SELECT FROM change_student_schools x WHERE x.kind = 'inactive'
                      AND (x.live_student_id, x.live_school_id) = (m.student_id, m.school_id))
    UNION SELECT student_id FROM change_student_schools WHERE kind = 'added'
), members AS (
    SELECT school.sourced_id, gone.id IS NOT NULL AS is_gone,
           l.id IS NOT NULL OR (gone.id IS NOT NULL AND e.student_id IS NULL) AS is_lost
    FROM student_schools m
    JOIN concerned USING (school_id)
    JOIN schools school ON school.id = m.school_id
    LEFT JOIN gone ON gone.id = m.school_id
    LEFT JOIN hold_leavers l ON l.id = m.student_id
    LEFT JOIN elsewhere e ON e.student_id = m.student_id
)
SELECT count(*) FILTER (WHERE is_lost),
       'school ' || sourced_id || ' loses ' || count(*) FILTER (WHERE is_lost) || ' of ' || count(*) || ' students'
FROM members GROUP BY sourced_id, is_gone
HAVING count(*) FILTER (WHERE is_lost) * 100 > greatest(50, {{percent}}) * count(*)
   AND (is_gone OR count(*) FILTER (WHERE is_lost) >= {MIN_ROWS})
"""
# Not those who only have a new sourced_id, and not those whose role has ended on its date.
_STAFF = f"""
WITH lost AS (
    SELECT s.id FROM staff s
    WHERE s.active AND s.id IN (SELECT live_staff_id FROM change_staff_roles WHERE kind = 'inactive')
      AND NOT EXISTS (SELECT FROM change_staff_roles x WHERE x.kind = 'added' AND x.staff_id = s.id)
      AND NOT EXISTS (SELECT FROM staff_roles r WHERE r.staff_id = s.id AND NOT EXISTS (
          SELECT FROM change_staff_roles x WHERE x.kind = 'inactive' AND x.live_staff_id = s.id
            AND x.live_role = r.role AND x.live_school_id = coalesce(r.school_id, 0)))
      AND NOT EXISTS (SELECT FROM current_roles r WHERE r.person = s.sourced_id AND r.ends_on <= {{today}})
      AND NOT EXISTS (SELECT FROM change_staff n WHERE n.kind = 'added' AND n.email = s.email
                      AND folded_name(n.given_name, n.family_name) = s.search)
)
SELECT count(DISTINCT lost.id),
       'school ' || school.sourced_id || ' loses ' || count(DISTINCT lost.id) || ' of ' || count(DISTINCT r.staff_id) || ' staff'
FROM staff_roles r JOIN schools school ON school.id = r.school_id LEFT JOIN lost ON lost.id = r.staff_id
WHERE r.school_id IN (SELECT school_id FROM staff_roles JOIN lost ON lost.id = staff_id)
GROUP BY school.sourced_id
HAVING count(DISTINCT lost.id) >= {_ALL_OF} AND count(DISTINCT lost.id) * 2 > count(DISTINCT r.staff_id)
"""
_GRADES = """
SELECT 0, 'student ' || s.sourced_id || ' would have no grade, before ' || s.grade
FROM change_students x JOIN students s ON s.sourced_id = x.live_sourced_id
WHERE x.kind = 'changed' AND s.active AND s.grade IS NOT NULL AND x.grade IS NULL
"""
# Enrollments under new ids, and another term's, replace those that go. What has ended on its date is over anyway.
_CLASSES = """
WITH steps AS (
    SELECT e.{person}_id AS person, -1 AS step FROM change_{table} x JOIN {table} e ON e.sourced_id = x.live_sourced_id
    WHERE x.kind IN ('inactive', 'changed') AND e.active AND coalesce(e.ends_on > {{today}}, true)
    UNION ALL
    SELECT {person}_id, 1 FROM change_{table}
    WHERE kind IN ('added', 'changed') AND {person}_id > 0 AND coalesce(ends_on > {{today}}, true)
), fewer AS (
    SELECT person, -sum(step) AS lost FROM steps GROUP BY person HAVING sum(step) < 0
)
SELECT f.lost, '{noun} ' || p.sourced_id || ' loses ' || f.lost || ' of ' || count(*) || ' classes'
FROM fewer f
JOIN {people} p ON p.id = f.person AND p.active
JOIN {table} e ON e.{person}_id = f.person AND e.active AND coalesce(e.ends_on > {{today}}, true)
WHERE NOT EXISTS (SELECT FROM change_{people} x WHERE x.kind = 'inactive' AND x.live_sourced_id = p.sourced_id)
GROUP BY p.sourced_id, f.lost HAVING f.lost * 2 > count(*)
"""
# More than half of the students have another grade than yesterday: a new school year, often before its classes are made.
_IS_NEW_YEAR = """
SELECT count(*) * 2 > %(before)s
FROM change_students x JOIN students s ON s.sourced_id = x.live_sourced_id
WHERE x.kind = 'changed' AND s.active AND s.grade <> x.grade
"""

_NUMBERS_CHECK = _Check(
    _NUMBERS, "numbers", "{count} of {before} phone numbers of contacts would disappear", _CHECK_COLUMN
)
_CHECKS = (
    _Check(_STUDENTS, "students", "{count} of {before} students would disappear", _CHECK_LEAVERS),
    _Check(
        _CONTACTS,
        "contacts",
        "{count} of {before} contacts would disappear",
        "whether the export still has all guardians",
    ),
    _Check(
        _LINKS,
        "student_contacts",
        "{count} of {before} links between students and contacts would disappear",
        "whether the export still says which contact belongs to which student",
    ),
    _NUMBERS_CHECK,
    _Check(
        _REFUSALS,
        "refusals",
        "{count} of {before} contacts with a note against texts would be texted again",
        "whether the notes are still in the export, and under the same title",
        least=_ALL_OF,
        all_of=_FEW,
    ),
    _Check(
        _MOVED_NUMBERS,
        "numbers",
        "{count} of {before} phone numbers would move to other people",
        _CHECK_ROWS,
        least=_MIN_CROSSED,
        share=_CROSSED_SHARE,
    ),
    *(
        _Check(
            _OTHER_NAMES.format(table=table, noun=table[:-1]),
            table,
            f"{{count}} of {{before}} {table} would become people of another name",
            _CHECK_ROWS,
            least=_MIN_CROSSED,
            share=_CROSSED_SHARE,
        )
        for table in ("students", "contacts")
    ),
    _Check(
        _CHANGED_NUMBERS,
        "numbers",
        "{count} of {before} phone numbers would change",
        "a few of these numbers in the student information system",
    ),
    _Check(
        _NEW_LINKS,
        "student_contacts",
        "{count} links would be added between students and contacts of other students, to {before} today",
        _CHECK_ROWS,
        share=_CROSSED_SHARE,
    ),
    _Check(
        _SHARED_NUMBER,
        "numbers",
        f"{{count}} of {{before}} phone numbers would be at {_MANY_ADULTS} or more other adults",
        "whether it is the school's own number, or one that was filled down a column",
        least=1,
        share=0,
    ),
    _Check(
        _SCHOOLS,
        "schools",
        "{count} of {before} schools would lose most of their students",
        "whether orgs.csv and the other files still have this school",
        least=1,
        share=0,
    ),
    _Check(
        _STAFF,
        "schools",
        "{count} of {before} schools would lose most of their staff",
        "whether the export still has all staff and their roles",
        least=1,
        share=0,
        doubts_staff=True,
    ),
    _Check(_GRADES, "students", "{count} of {before} students would have no grade", _CHECK_COLUMN, all_of=_ALL_OF),
    *(
        _Check(
            _CLASSES.format(table=table, person=person, people=people, noun=noun),
            people,
            f"{{count}} of {{before}} {people} would lose most of their classes",
            "whether the export still has all enrollments and classes",
            all_of=_ALL_OF,
            is_for_new_year=False,
            doubts_staff=people == "staff",
        )
        for table, person, people, noun in (
            ("class_students", "student", "students", "student"),
            ("class_teachers", "staff", "staff", "staff member"),
        )
    ),
)


_FIRST = f"""
SELECT example, count(*) OVER () AS count FROM ({{select}}) AS cases (weight, example)
ORDER BY weight DESC, example LIMIT {_MAX_EXAMPLES}
"""
_COUNT_NUMBERS = "SELECT count(*) FROM contacts WHERE active AND sis_phone IS NOT NULL"
_COUNT_REFUSALS = "SELECT count(*) FROM contacts WHERE active AND sis_note_kind = 'refused'"
_COUNT_EMPTIED = "SELECT count(*) FROM hold_numbers WHERE stays AND before IS NOT NULL AND after IS NULL"


def find_reasons(
    connection: Connection, changes: dict[str, TableChanges], *, percent: float, today: date
) -> list[Reason]:
    """Return the reasons to hold; none at a first sync, which has nothing to compare with."""
    before = {table: change.before for table, change in changes.items()}
    if not before["students"] and not before["contacts"]:
        return []
    for statement in _TABLES:
        execute(connection, statement)
    execute(connection, "ANALYZE hold_numbers, hold_leavers")
    with connection.begin():
        before["numbers"] = connection.exec_driver_sql(_COUNT_NUMBERS).scalar_one()
        before["refusals"] = connection.exec_driver_sql(_COUNT_REFUSALS).scalar_one()
        is_new_year = connection.exec_driver_sql(_IS_NEW_YEAR, {"before": before["students"]}).scalar_one()
        checks = [check for check in _CHECKS if check.is_for_new_year or not is_new_year]
        found = [_apply(connection, check, before, percent=percent, today=today) for check in checks]
        reasons = [reason for reason in found if reason]
        emptied = connection.exec_driver_sql(_COUNT_EMPTIED).scalar_one() if reasons else 0
    # The report counts them among the changed contacts, where they would look harmless.
    if emptied and not _NUMBERS_CHECK.holds(emptied, before["numbers"], percent):
        reasons.append(Reason(f"{plural(emptied, 'contact')} would have no phone number anymore", _CHECK_COLUMN))
    return _limit_examples(reasons)


def _apply(
    connection: Connection, check: _Check, before: dict[str, int], *, percent: float, today: date
) -> Reason | None:
    select = check.select.replace("{today}", f"DATE '{today.isoformat()}'").replace("{percent}", f"{percent:g}")
    rows = connection.exec_driver_sql(_FIRST.format(select=select)).all()
    count, total = rows[0][1] if rows else 0, before[check.table]
    if not check.holds(count, total, percent):
        return None
    clause = check.clause.format(count=f"{count:,}", before=f"{total:,}")
    return Reason(clause, check.advice, tuple(row.example for row in rows), check.doubts_staff)


def _limit_examples(reasons: list[Reason]) -> list[Reason]:
    """Keep `_MAX_EXAMPLES` of all examples, the first of each reason before the second of any."""
    ranks = sorted((rank, index) for index, reason in enumerate(reasons) for rank in range(len(reason.examples)))
    kept = Counter(index for _, index in ranks[:_MAX_EXAMPLES])
    return [replace(reason, examples=reason.examples[: kept[index]]) for index, reason in enumerate(reasons)]
