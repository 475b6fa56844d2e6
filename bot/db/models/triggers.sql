-- The functions and triggers of the database as they are now; `folded_name` is in folding.py. The migrations made them piece by
-- piece: read them here. A test compares this file with a migrated database, so a migration that changes one changes both.


-- listed_students (listed_students.py): a row for each student with a contact on the list, updated when a transaction commits.
--
-- Triggers mark what a statement changed, in a temporary table, which costs no WAL and no vacuum. The first mark of a transaction
-- has the marked students updated at its end.

CREATE FUNCTION prepare_stale_marks() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF to_regclass('pg_temp.stale_marks') IS NULL THEN
        CREATE TEMPORARY TABLE stale_marks (student_id bigint, contact_id bigint, phone text, is_first boolean)
            ON COMMIT DELETE ROWS;
        CREATE CONSTRAINT TRIGGER refresh_listed_students AFTER INSERT ON stale_marks DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW WHEN (new.is_first) EXECUTE FUNCTION refresh_listed_students();
    END IF;
END $$;

-- Everything is looked up row by row, whether one contact was changed or thousands: the planner has no statistics of the marks,
-- and would read whole tables for a single one. The plan is made once for each connection.
-- One transaction at a time, so that the second of two people who change contacts of one student sees what the first has changed.
-- A transaction takes this lock when it commits, and no other lock after it.
CREATE FUNCTION refresh_listed_students() RETURNS trigger LANGUAGE plpgsql
SET enable_hashjoin = off SET enable_mergejoin = off SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
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
                       array_agg(e.updated_at IS NOT NULL ORDER BY e.contact_id)
                           FILTER (WHERE e.contact_id IS NOT NULL) AS waits,
                       min(CASE WHEN e.updated_at IS NOT NULL THEN 9 ELSE array_position(ARRAY[
                           'no_number', 'inactive', 'wrong_person', 'landline', 'blocked', 'turned_off', 'unconfirmed', 'opt_out'
                       ], e.status) END) AS worst
                FROM (
                    SELECT contact_id,
                           method = 'text' AND phone IS NOT NULL AND sms_status IS NULL AS is_textable,
                           (method = 'call' AND phone IS NOT NULL AND (sms_status IN ('inactive', 'wrong_person')) IS NOT TRUE)
                           OR (method = 'email' AND email IS NOT NULL) AS has_other_way
                    FROM effective_contacts WHERE student_id = s.id
                    OFFSET 0  -- Looked up student by student, also for many: joined, it would be all contacts of the district.
                ) a LEFT JOIN cleanup_list e ON e.contact_id = a.contact_id
            ) adults
            WHERE s.id = stale_student.id AND s.active AND adults.contact_ids IS NOT NULL
        ) listed ON true
    ) now ON k.student_id = now.stale_id
    WHEN MATCHED AND now.student_id IS NULL THEN DELETE
    WHEN MATCHED AND (k.given_name, k.family_name, k.grade, k.textable, k.other_ways, k.contact_ids, k.statuses, k.waits)
        IS DISTINCT FROM (
            now.given_name, now.family_name, now.grade, now.textable, now.other_ways, now.contact_ids, now.statuses, now.waits
        ) THEN
        UPDATE SET given_name = now.given_name, family_name = now.family_name, grade = now.grade,
                   grade_order = now.grade_order, textable = now.textable, other_ways = now.other_ways,
                   contact_ids = now.contact_ids, statuses = now.statuses, waits = now.waits, worst = now.worst
    WHEN NOT MATCHED AND now.student_id IS NOT NULL THEN
        INSERT (student_id, given_name, family_name, grade, grade_order, textable, other_ways, contact_ids, statuses, waits, worst)
        VALUES (now.student_id, now.given_name, now.family_name, now.grade, now.grade_order, now.textable,
                now.other_ways, now.contact_ids, now.statuses, now.waits, now.worst);
    RETURN NULL;
END $$;

CREATE FUNCTION mark_student() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM prepare_stale_marks();
    INSERT INTO stale_marks (student_id, is_first)
    SELECT coalesce(new.id, old.id), NOT EXISTS (SELECT FROM stale_marks);
    RETURN NULL;
END $$;

CREATE FUNCTION mark_contact() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM prepare_stale_marks();
    INSERT INTO stale_marks (contact_id, is_first)
    SELECT coalesce(new.id, old.id), NOT EXISTS (SELECT FROM stale_marks);
    RETURN NULL;
END $$;

CREATE FUNCTION mark_student_of_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM prepare_stale_marks();
    INSERT INTO stale_marks (student_id, is_first)
    SELECT coalesce(new.student_id, old.student_id), NOT EXISTS (SELECT FROM stale_marks);
    RETURN NULL;
END $$;

CREATE FUNCTION mark_contact_of_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM prepare_stale_marks();
    INSERT INTO stale_marks (contact_id, is_first)
    SELECT coalesce(new.contact_id, old.contact_id), NOT EXISTS (SELECT FROM stale_marks);
    RETURN NULL;
END $$;

CREATE FUNCTION mark_phone_of_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM prepare_stale_marks();
    INSERT INTO stale_marks (phone, is_first)
    SELECT coalesce(new.phone, old.phone), NOT EXISTS (SELECT FROM stale_marks);
    RETURN NULL;
END $$;

-- A first sync inserts millions of links, and a mass message thousands of entries and numbers: one statement marks them all.
CREATE FUNCTION mark_students_of_rows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM prepare_stale_marks();
    INSERT INTO stale_marks (student_id, is_first)
    SELECT student_id, row_number() OVER () = 1 AND NOT EXISTS (SELECT FROM stale_marks) FROM inserted;
    RETURN NULL;
END $$;

CREATE FUNCTION mark_contacts_of_rows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM prepare_stale_marks();
    INSERT INTO stale_marks (contact_id, is_first)
    SELECT contact_id, row_number() OVER () = 1 AND NOT EXISTS (SELECT FROM stale_marks) FROM inserted;
    RETURN NULL;
END $$;

CREATE FUNCTION mark_phones_of_rows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM prepare_stale_marks();
    INSERT INTO stale_marks (phone, is_first)
    SELECT phone, row_number() OVER () = 1 AND NOT EXISTS (SELECT FROM stale_marks) FROM inserted;
    RETURN NULL;
END $$;

-- New students and contacts are not listed before they have links.
CREATE TRIGGER listed_students_changed AFTER UPDATE ON students FOR EACH ROW
    WHEN ((old.given_name, old.family_name, old.grade, old.active)
        IS DISTINCT FROM (new.given_name, new.family_name, new.grade, new.active))
    EXECUTE FUNCTION mark_student();
CREATE TRIGGER listed_students_changed AFTER UPDATE ON contacts FOR EACH ROW
    WHEN ((old.sis_phone, old.sis_method, old.email IS NULL, old.active)
        IS DISTINCT FROM (new.sis_phone, new.sis_method, new.email IS NULL, new.active))
    EXECUTE FUNCTION mark_contact();
CREATE TRIGGER listed_students_changed AFTER UPDATE ON student_contacts FOR EACH ROW
    WHEN ((old.active) IS DISTINCT FROM (new.active)) EXECUTE FUNCTION mark_student_of_row();
CREATE TRIGGER listed_students_inserted AFTER INSERT ON student_contacts REFERENCING NEW TABLE AS inserted
    FOR EACH STATEMENT EXECUTE FUNCTION mark_students_of_rows();
CREATE TRIGGER listed_students_deleted AFTER DELETE ON student_contacts FOR EACH ROW EXECUTE FUNCTION mark_student_of_row();
CREATE TRIGGER listed_students_changed AFTER UPDATE ON cleanup_list FOR EACH ROW
    WHEN ((old.status, old.updated_at IS NULL)
        IS DISTINCT FROM (new.status, new.updated_at IS NULL))
    EXECUTE FUNCTION mark_contact_of_row();
CREATE TRIGGER listed_students_inserted AFTER INSERT ON cleanup_list REFERENCING NEW TABLE AS inserted
    FOR EACH STATEMENT EXECUTE FUNCTION mark_contacts_of_rows();
CREATE TRIGGER listed_students_deleted AFTER DELETE ON cleanup_list FOR EACH ROW EXECUTE FUNCTION mark_contact_of_row();
CREATE TRIGGER listed_students_changed AFTER UPDATE ON phone_numbers FOR EACH ROW
    WHEN ((old.status, old.opted_out_at IS NULL, old.wrong_person_at IS NULL, old.noted)
        IS DISTINCT FROM (new.status, new.opted_out_at IS NULL, new.wrong_person_at IS NULL, new.noted))
    EXECUTE FUNCTION mark_phone_of_row();
CREATE TRIGGER listed_students_inserted AFTER INSERT ON phone_numbers REFERENCING NEW TABLE AS inserted
    FOR EACH STATEMENT EXECUTE FUNCTION mark_phones_of_rows();
CREATE TRIGGER listed_students_deleted AFTER DELETE ON phone_numbers FOR EACH ROW EXECUTE FUNCTION mark_phone_of_row();
CREATE TRIGGER listed_students_changed AFTER UPDATE ON edits FOR EACH ROW
    WHEN ((old.state, old.value) IS DISTINCT FROM (new.state, new.value)) EXECUTE FUNCTION mark_contact_of_row();
CREATE TRIGGER listed_students_inserted AFTER INSERT ON edits REFERENCING NEW TABLE AS inserted
    FOR EACH STATEMENT EXECUTE FUNCTION mark_contacts_of_rows();
CREATE TRIGGER listed_students_deleted AFTER DELETE ON edits FOR EACH ROW EXECUTE FUNCTION mark_contact_of_row();
CREATE TRIGGER listed_students_changed AFTER UPDATE ON removals FOR EACH ROW
    WHEN ((old.student_id, old.undone_at IS NULL)
        IS DISTINCT FROM (new.student_id, new.undone_at IS NULL))
    EXECUTE FUNCTION mark_contact_of_row();
CREATE TRIGGER listed_students_inserted AFTER INSERT ON removals REFERENCING NEW TABLE AS inserted
    FOR EACH STATEMENT EXECUTE FUNCTION mark_contacts_of_rows();
CREATE TRIGGER listed_students_deleted AFTER DELETE ON removals FOR EACH ROW EXECUTE FUNCTION mark_contact_of_row();
CREATE TRIGGER listed_students_changed AFTER UPDATE ON tried_numbers FOR EACH ROW
    WHEN ((old.proved_at IS NULL) IS DISTINCT FROM (new.proved_at IS NULL)) EXECUTE FUNCTION mark_contact_of_row();
CREATE TRIGGER listed_students_inserted AFTER INSERT ON tried_numbers REFERENCING NEW TABLE AS inserted
    FOR EACH STATEMENT EXECUTE FUNCTION mark_contacts_of_rows();


-- name_words (name_words.py).

-- An index entry has a maximum size, so a name counts with its first 200 characters.
CREATE FUNCTION words_of_a_name(given text, family text, folded text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
left(folded, 200) || CASE WHEN given || family LIKE '%-%'
                          THEN ' ' || left(folded_name(replace(given, '-', ' '), replace(family, '-', ' ')), 200) ELSE '' END;

CREATE FUNCTION learn_names() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO name_words
    SELECT DISTINCT word
    FROM new_names, string_to_table(words_of_a_name(new_names.given_name, new_names.family_name, new_names.search), ' ') AS word
    WHERE word <> ''
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;

-- A rename fires for each row: a statement trigger would join old and new rows with the plan cached from the first few rows.
CREATE FUNCTION learn_changed_names() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO name_words
    SELECT DISTINCT word
    FROM (SELECT) AS renamed, string_to_table(words_of_a_name(new.given_name, new.family_name, new.search), ' ') AS word
    WHERE word <> ''
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;

CREATE TRIGGER learn_names AFTER INSERT ON students REFERENCING NEW TABLE AS new_names
    FOR EACH STATEMENT EXECUTE FUNCTION learn_names();
CREATE TRIGGER learn_changed_names AFTER UPDATE ON students FOR EACH ROW
    WHEN ((old.given_name, old.family_name, old.search) IS DISTINCT FROM (new.given_name, new.family_name, new.search))
    EXECUTE FUNCTION learn_changed_names();
CREATE TRIGGER learn_names AFTER INSERT ON contacts REFERENCING NEW TABLE AS new_names
    FOR EACH STATEMENT EXECUTE FUNCTION learn_names();
CREATE TRIGGER learn_changed_names AFTER UPDATE ON contacts FOR EACH ROW
    WHEN ((old.given_name, old.family_name, old.search) IS DISTINCT FROM (new.given_name, new.family_name, new.search))
    EXECUTE FUNCTION learn_changed_names();


-- erased_numbers (erased_numbers.py).

-- In the place of `salt` each database has one of its own, which goes with its backups.
CREATE FUNCTION erased_number_hash(number text) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
    SELECT sha256(convert_to('salt' || number, 'UTF8'))
$$;

-- A contact has the number again: what was known of it counts again, unless it texted START or was verified since.
CREATE FUNCTION restore_erased_numbers(numbers text[]) RETURNS void LANGUAGE sql AS $$
    WITH known AS (
        DELETE FROM erased_numbers e USING unnest(numbers) AS number
        WHERE e.number_hash = erased_number_hash(number) RETURNING number, e.*
    ),
    still AS (
        SELECT k.number, k.opted_out_by, k.wrong_person_by,
               CASE WHEN p.opted_in_at >= k.opted_out_at THEN NULL ELSE k.opted_out_at END AS opted_out_at,
               CASE WHEN p.verified_at >= k.wrong_person_at THEN NULL ELSE k.wrong_person_at END AS wrong_person_at
        FROM known k LEFT JOIN phone_numbers p ON p.phone = k.number
    )
    INSERT INTO phone_numbers AS p (phone, status, since, opted_out_at, opted_out_by, wrong_person_at, wrong_person_by)
    SELECT number, CASE WHEN opted_out_at IS NULL THEN 'wrong_person' ELSE 'opt_out' END,
           coalesce(opted_out_at, wrong_person_at), opted_out_at, opted_out_by, wrong_person_at, wrong_person_by
    FROM still WHERE opted_out_at IS NOT NULL OR wrong_person_at IS NOT NULL
    ON CONFLICT (phone) DO UPDATE SET
        status = CASE WHEN p.opted_out_at IS NULL THEN excluded.status ELSE p.status END,
        since = CASE WHEN p.opted_out_at IS NULL THEN excluded.since ELSE p.since END,
        doubted = NULL,
        opted_out_at = coalesce(p.opted_out_at, excluded.opted_out_at),
        opted_out_by = coalesce(p.opted_out_by, excluded.opted_out_by),
        wrong_person_at = coalesce(p.wrong_person_at, excluded.wrong_person_at),
        wrong_person_by = coalesce(p.wrong_person_by, excluded.wrong_person_by)
$$;

-- Most districts have no erased number, and a first sync inserts millions of contacts: one look is enough for all of them.
CREATE FUNCTION restore_numbers_of_rows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM erased_numbers) THEN
        PERFORM restore_erased_numbers(array_agg(DISTINCT sis_phone)) FROM inserted WHERE sis_phone IS NOT NULL;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION restore_number_of_contacts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM erased_numbers) THEN
        PERFORM restore_erased_numbers(ARRAY[new.sis_phone]);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION restore_number_of_edits() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM erased_numbers) THEN
        PERFORM restore_erased_numbers(ARRAY[new.value]);
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER restore_numbers AFTER INSERT ON contacts REFERENCING NEW TABLE AS inserted
    FOR EACH STATEMENT EXECUTE FUNCTION restore_numbers_of_rows();
CREATE TRIGGER restore_number AFTER UPDATE OF sis_phone ON contacts FOR EACH ROW
    WHEN (new.sis_phone IS NOT NULL AND new.sis_phone IS DISTINCT FROM old.sis_phone)
    EXECUTE FUNCTION restore_number_of_contacts();
CREATE TRIGGER restore_number AFTER INSERT OR UPDATE OF state, value ON edits FOR EACH ROW
    WHEN (new.field = 'phone' AND new.value IS NOT NULL AND new.state IN ('pending', 'conflict'))
    EXECUTE FUNCTION restore_number_of_edits();


-- tried_numbers (edits.py).

-- A number that is recorded as Wrong person is proved for no contact, also where a version before 0062 records it.
CREATE FUNCTION end_proofs_of_number() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE tried_numbers SET proved_at = NULL WHERE phone = new.phone AND proved_at IS NOT NULL;
    RETURN NULL;
END $$;

CREATE TRIGGER end_proofs_of_inserted AFTER INSERT ON phone_numbers FOR EACH ROW
    WHEN (new.wrong_person_at IS NOT NULL)
    EXECUTE FUNCTION end_proofs_of_number();
CREATE TRIGGER end_proofs_of_parked AFTER UPDATE OF wrong_person_at ON phone_numbers FOR EACH ROW
    WHEN (new.wrong_person_at IS NOT NULL AND new.wrong_person_at IS DISTINCT FROM old.wrong_person_at)
    EXECUTE FUNCTION end_proofs_of_number();
