"""Add the words of names: every word there is, and the words that each list entry is found by."""

from alembic import op
import sqlalchemy as sa

revision = '0018'
down_revision = '0017'
branch_labels = None
depends_on = None

# An index entry has a maximum size, so a name counts with its first 200 characters.
WORDS_OF_A_NAME = """
CREATE FUNCTION words_of_a_name(given text, family text, folded text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
left(folded, 200) || CASE WHEN given || family LIKE '%-%'
                          THEN ' ' || left(folded_name(replace(given, '-', ' '), replace(family, '-', ' ')), 200) ELSE '' END
"""
LEARN = """
INSERT INTO name_words
SELECT DISTINCT word FROM {people}, string_to_table(words_of_a_name({of}.given_name, {of}.family_name, {of}.search), ' ') AS word
WHERE word <> ''
ON CONFLICT DO NOTHING
"""
LEARN_NEW = LEARN.format(people='new_names', of='new_names')
LEARN_RENAMED = LEARN.format(people='(SELECT) AS renamed', of='new')
FUNCTION = "CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {statement}; RETURN NULL; END $$"
# A rename fires for each row: a statement trigger would join old and new rows with the plan cached from the first few rows.
LEARNS = """
CREATE TRIGGER learn_names AFTER INSERT ON {table} REFERENCING NEW TABLE AS new_names
    FOR EACH STATEMENT EXECUTE FUNCTION learn_names()
"""
LEARNS_RENAMED = """
CREATE TRIGGER learn_changed_names AFTER UPDATE ON {table}
    FOR EACH ROW WHEN ((old.given_name, old.family_name, old.search) IS DISTINCT FROM (new.given_name, new.family_name, new.search))
    EXECUTE FUNCTION learn_changed_names()
"""
NAMES = """
UPDATE cleanup_list e SET names = words_of_a_name(c.given_name, c.family_name, c.search) || coalesce((
    SELECT string_agg(' ' || words_of_a_name(s.given_name, s.family_name, s.search), '' ORDER BY s.id)
    FROM student_contacts l JOIN students s ON s.id = l.student_id WHERE l.contact_id = c.id
), '')
FROM contacts c WHERE c.id = e.contact_id
"""


def upgrade() -> None:
    op.create_table('name_words',
    sa.Column('word', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('word', name=op.f('pk_name_words'))
    )
    op.execute(WORDS_OF_A_NAME)
    op.execute(FUNCTION.format(name='learn_names', statement=LEARN_NEW))
    op.execute(FUNCTION.format(name='learn_changed_names', statement=LEARN_RENAMED))
    for table in ('students', 'contacts'):
        op.execute(LEARNS.format(table=table))
        op.execute(LEARNS_RENAMED.format(table=table))
        op.execute(LEARN.format(people=table, of=table))
    op.execute('ANALYZE students, contacts, student_contacts, cleanup_list')
    op.add_column('cleanup_list', sa.Column('names', sa.Text(), server_default=sa.text("''"), nullable=False))
    op.execute(NAMES)
    op.create_index('ix_cleanup_list_names', 'cleanup_list', [sa.literal_column("string_to_array(names, ' ')")], unique=False, postgresql_using='gin')
