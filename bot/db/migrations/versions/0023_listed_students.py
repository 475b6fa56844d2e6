"""Keep a row for each student with a contact on the list, updated by the database when a transaction commits;
and find the people who have left without reading all others.

Triggers mark what a statement changed. The first mark of a transaction has the marked students updated at its end. The marks are in
a temporary table, so they cost no WAL and no vacuum.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

PREPARE_MARKS = """
CREATE FUNCTION prepare_stale_marks() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF to_regclass('pg_temp.stale_marks') IS NULL THEN
        CREATE TEMPORARY TABLE stale_marks (student_id bigint, contact_id bigint, phone text, is_first boolean)
            ON COMMIT DELETE ROWS;
        CREATE CONSTRAINT TRIGGER refresh_listed_students AFTER INSERT ON stale_marks DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW WHEN (new.is_first) EXECUTE FUNCTION refresh_listed_students();
    END IF;
END $$
"""
MARK_ROW = """
CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM prepare_stale_marks();
    INSERT INTO stale_marks ({mark}, is_first)
    SELECT coalesce(new.{column}, old.{column}), NOT EXISTS (SELECT FROM stale_marks);
    RETURN NULL;
END $$
"""
# A first sync inserts millions of links, and a mass message thousands of entries and numbers: one statement marks them all.
MARK_INSERTED = """
CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM prepare_stale_marks();
    INSERT INTO stale_marks ({mark}, is_first)
    SELECT {column}, row_number() OVER () = 1 AND NOT EXISTS (SELECT FROM stale_marks) FROM inserted;
    RETURN NULL;
END $$
"""
# Everything is looked up row by row, whether one contact was changed or thousands: the planner knows nothing of the marks, and would
# read whole tables for a single one.
# One transaction at a time, so that the second of two people who change contacts of one student sees what the first has changed.
# A transaction takes this lock when it commits, and no other lock after it.
REFRESH = """
CREATE FUNCTION refresh_listed_students() RETURNS trigger LANGUAGE plpgsql
SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    stale bigint[];
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('listed students', 0));
    WITH contact AS (
        SELECT contact_id FROM stale_marks WHERE contact_id IS NOT NULL
        UNION
        SELECT c.id FROM stale_marks m JOIN contacts c ON c.sis_phone = m.phone
        UNION
        SELECT e.contact_id FROM stale_marks m JOIN edits e ON e.value = m.phone AND e.state IN ('pending', 'conflict')
    ),
    student AS MATERIALIZED (
        SELECT student_id FROM stale_marks WHERE student_id IS NOT NULL
        UNION
        SELECT l.student_id FROM contact JOIN student_contacts l ON l.contact_id = contact.contact_id
    ),
    -- Most students have no contact on the list, before or after.
    relevant AS (
        SELECT k.student_id FROM student s JOIN listed_students k ON k.student_id = s.student_id
        UNION
        SELECT l.student_id FROM student s JOIN student_contacts l ON l.student_id = s.student_id
        JOIN cleanup_list e ON e.contact_id = l.contact_id
    )
    SELECT array_agg(student_id ORDER BY student_id) INTO stale FROM relevant;
    DELETE FROM stale_marks;

    MERGE INTO listed_students k
    USING (
        SELECT stale_student.id AS stale_id, listed.* FROM unnest(stale) AS stale_student (id) LEFT JOIN LATERAL (
            SELECT s.id AS student_id, s.given_name, s.family_name, s.grade,
                   coalesce(array_position(ARRAY[
                       'PK', 'TK', 'K', '1', '2', '3', '4', '5', '6', '7', '8', '9', '10', '11', '12', '13', 'UG', 'Other'
                   ], s.grade), 19) AS grade_order,
                   adults.*
            FROM students s CROSS JOIN LATERAL (
                SELECT count(*) FILTER (WHERE a.is_textable) AS textable,
                       bool_or(a.has_other_way) AS other_ways,
                       array_agg(e.contact_id ORDER BY e.contact_id) FILTER (WHERE e.contact_id IS NOT NULL) AS contact_ids,
                       array_agg(e.status ORDER BY e.contact_id) FILTER (WHERE e.contact_id IS NOT NULL) AS statuses,
                       min(array_position(ARRAY[
                           'opt_out', 'inactive', 'blocked', 'no_number', 'landline', 'turned_off', 'unconfirmed'
                       ], e.status)) AS worst
                FROM (
                    SELECT contact_id,
                           method = 'text' AND phone IS NOT NULL AND sms_status IS NULL AND NOT opted_out AS is_textable,
                           (method = 'call' AND phone IS NOT NULL AND sms_status IS DISTINCT FROM 'inactive')
                           OR (method = 'email' AND email IS NOT NULL) AS has_other_way
                    FROM effective_contacts WHERE student_id = s.id
                    OFFSET 0  -- Looked up student by student, also for many: joined, it would be all contacts of the district.
                ) a LEFT JOIN cleanup_list e ON e.contact_id = a.contact_id
            ) adults
            WHERE s.id = stale_student.id AND s.active AND adults.contact_ids IS NOT NULL
        ) listed ON true
    ) now ON k.student_id = now.stale_id
    WHEN MATCHED AND now.student_id IS NULL THEN DELETE
    WHEN MATCHED AND (k.given_name, k.family_name, k.grade, k.textable, k.other_ways, k.contact_ids, k.statuses)
        IS DISTINCT FROM (
            now.given_name, now.family_name, now.grade, now.textable, now.other_ways, now.contact_ids, now.statuses
        ) THEN
        UPDATE SET given_name = now.given_name, family_name = now.family_name, grade = now.grade,
                   grade_order = now.grade_order, textable = now.textable, other_ways = now.other_ways,
                   contact_ids = now.contact_ids, statuses = now.statuses, worst = now.worst
    WHEN NOT MATCHED AND now.student_id IS NOT NULL THEN
        INSERT (student_id, given_name, family_name, grade, grade_order, textable, other_ways, contact_ids, statuses, worst)
        VALUES (now.student_id, now.given_name, now.family_name, now.grade, now.grade_order, now.textable,
                now.other_ways, now.contact_ids, now.statuses, now.worst);
    RETURN NULL;
END $$
"""

# Function, the column of a mark, and the column of the marked row.
ROW_FUNCTIONS = (
    ("mark_student", "student_id", "id"),
    ("mark_contact", "contact_id", "id"),
    ("mark_student_of_row", "student_id", "student_id"),
    ("mark_contact_of_row", "contact_id", "contact_id"),
    ("mark_phone_of_row", "phone", "phone"),
)
INSERT_FUNCTIONS = (
    ("mark_students_of_rows", "student_id", "student_id"),
    ("mark_contacts_of_rows", "contact_id", "contact_id"),
    ("mark_phones_of_rows", "phone", "phone"),
)
# Table, function, and the values that the list of students depends on.
UPDATES = (
    ("students", "mark_student", "{0}.given_name, {0}.family_name, {0}.grade, {0}.active"),
    ("contacts", "mark_contact", "{0}.sis_phone, {0}.sis_method, {0}.email IS NULL, {0}.active"),
    ("student_contacts", "mark_student_of_row", "{0}.active"),
    ("cleanup_list", "mark_contact_of_row", "{0}.status"),
    ("phone_numbers", "mark_phone_of_row", "{0}.status, {0}.opted_out_at IS NULL"),
    ("edits", "mark_contact_of_row", "{0}.state, {0}.value"),
    ("removals", "mark_contact_of_row", "{0}.student_id, {0}.undone_at IS NULL"),
)
# New students and contacts are not listed before they have links.
INSERTS = (
    ("student_contacts", "mark_students_of_rows"),
    ("cleanup_list", "mark_contacts_of_rows"),
    ("phone_numbers", "mark_phones_of_rows"),
    ("edits", "mark_contacts_of_rows"),
    ("removals", "mark_contacts_of_rows"),
)
DELETES = (
    ("student_contacts", "mark_student_of_row"),
    ("cleanup_list", "mark_contact_of_row"),
    ("phone_numbers", "mark_phone_of_row"),
    ("edits", "mark_contact_of_row"),
    ("removals", "mark_contact_of_row"),
)
FILL = """
SELECT prepare_stale_marks();
INSERT INTO stale_marks (contact_id, is_first) SELECT contact_id, row_number() OVER () = 1 FROM cleanup_list;
SET CONSTRAINTS ALL IMMEDIATE;
ANALYZE listed_students
"""


def upgrade() -> None:
    need = "CASE WHEN textable > 0 THEN 2 WHEN other_ways THEN 1 ELSE 0 END"
    op.create_table(
        "listed_students",
        sa.Column("student_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("given_name", sa.Text(), nullable=False),
        sa.Column("family_name", sa.Text(), nullable=False),
        sa.Column("grade", sa.Text(), nullable=True),
        sa.Column("grade_order", sa.Integer(), nullable=False),
        sa.Column("textable", sa.Integer(), nullable=False),
        sa.Column("other_ways", sa.Boolean(), nullable=False),
        sa.Column("need", sa.Integer(), sa.Computed(need, persisted=True), nullable=False),
        sa.Column("contact_ids", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("statuses", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("worst", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("student_id", name=op.f("pk_listed_students")),
    )
    # Without the names, which may be longer than an index entry.
    op.create_index("ix_listed_students_rank", "listed_students", ["need", "worst", "grade_order"])
    for table in ("students", "contacts"):
        op.create_index(f"ix_{table}_inactive", table, ["id"], postgresql_where=sa.text("NOT active"))
    for name, mark, column in ROW_FUNCTIONS:
        op.execute(MARK_ROW.format(name=name, mark=mark, column=column))
    for name, mark, column in INSERT_FUNCTIONS:
        op.execute(MARK_INSERTED.format(name=name, mark=mark, column=column))
    op.execute(REFRESH)
    op.execute(PREPARE_MARKS)
    for table, function, values in UPDATES:
        changed = f"({values.format('old')}) IS DISTINCT FROM ({values.format('new')})"
        _trigger(function, f"AFTER UPDATE ON {table} FOR EACH ROW WHEN ({changed})", "changed")
    for table, function in INSERTS:
        event = f"AFTER INSERT ON {table} REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT"
        _trigger(function, event, "inserted")
    for table, function in DELETES:
        _trigger(function, f"AFTER DELETE ON {table} FOR EACH ROW", "deleted")
    op.execute(FILL)


def _trigger(function: str, event: str, what: str) -> None:
    op.execute(f"CREATE TRIGGER listed_students_{what} {event} EXECUTE FUNCTION {function}()")
