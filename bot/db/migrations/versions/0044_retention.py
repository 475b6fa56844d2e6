"""Remember when students and contacts left, and keep the opt-outs of erased numbers as hashes."""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None

# The salt is this database's own, and goes with its backups.
HASH = """
CREATE FUNCTION erased_number_hash(number text) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
    SELECT sha256(convert_to('{salt}' || number, 'UTF8'))
$$
"""
# A contact has the number again: what was known of it counts again. A START since then has ended the opt-out.
RESTORE = """
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
$$
"""
# Most districts have no erased number, and a first sync inserts millions of contacts: one look is enough for all of them.
ON_INSERT = """
CREATE FUNCTION restore_numbers_of_rows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM erased_numbers) THEN
        PERFORM restore_erased_numbers(array_agg(DISTINCT sis_phone)) FROM inserted WHERE sis_phone IS NOT NULL;
    END IF;
    RETURN NULL;
END $$
"""
ON_ROW = """
CREATE FUNCTION restore_number_of_{table}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM erased_numbers) THEN
        PERFORM restore_erased_numbers(ARRAY[new.{column}]);
    END IF;
    RETURN NULL;
END $$
"""
TRIGGERS = (
    """CREATE TRIGGER restore_numbers AFTER INSERT ON contacts REFERENCING NEW TABLE AS inserted
    FOR EACH STATEMENT EXECUTE FUNCTION restore_numbers_of_rows()""",
    """CREATE TRIGGER restore_number AFTER UPDATE OF sis_phone ON contacts FOR EACH ROW
    WHEN (new.sis_phone IS NOT NULL AND new.sis_phone IS DISTINCT FROM old.sis_phone)
    EXECUTE FUNCTION restore_number_of_contacts()""",
    """CREATE TRIGGER restore_number AFTER INSERT OR UPDATE OF state, value ON edits FOR EACH ROW
    WHEN (new.field = 'phone' AND new.value IS NOT NULL AND new.state IN ('pending', 'conflict'))
    EXECUTE FUNCTION restore_number_of_edits()""",
)


def upgrade() -> None:
    for table in ("students", "contacts"):
        op.add_column(table, sa.Column("left_at", sa.DateTime(timezone=True), nullable=True))
        left = sa.text("left_at IS NOT NULL")
        op.create_index(f"ix_{table}_left", table, ["left_at"], postgresql_where=left)
    op.create_table(
        "erased_numbers",
        sa.Column("number_hash", sa.LargeBinary(), nullable=False),
        sa.Column("opted_out_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("opted_out_by", sa.Text(), nullable=True),
        sa.Column("wrong_person_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("wrong_person_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("number_hash", name=op.f("pk_erased_numbers")),
    )
    op.execute(HASH.format(salt=secrets.token_hex(32)))
    op.execute(RESTORE)
    op.execute(ON_INSERT)
    for table, column in (("contacts", "sis_phone"), ("edits", "value")):
        op.execute(ON_ROW.format(table=table, column=column))
    for trigger in TRIGGERS:
        op.execute(trigger)
