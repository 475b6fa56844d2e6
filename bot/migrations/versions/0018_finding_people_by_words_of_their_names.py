"""Finding people by words of their names: all that there are, and those that each entry of the list is found by"""

from alembic import op
import sqlalchemy as sa

revision = '0018'
down_revision = '0017'
branch_labels = None
depends_on = None

WORDS_OF_A_NAME = """
CREATE FUNCTION words_of_a_name(given text, family text, folded text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
folded || CASE WHEN given || family LIKE '%-%'
               THEN ' ' || folded_name(replace(given, '-', ' '), replace(family, '-', ' ')) ELSE '' END
"""
LEARN = """
INSERT INTO name_words
SELECT DISTINCT word FROM {people}, string_to_table(words_of_a_name(given_name, family_name, search), ' ') AS word
WHERE word <> ''
ON CONFLICT DO NOTHING
"""
RENAMED = """(
    SELECT n.* FROM new_names n JOIN old_names o ON o.id = n.id
    WHERE (n.given_name, n.family_name) IS DISTINCT FROM (o.given_name, o.family_name)
) AS renamed"""
FUNCTION = "CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {statement}; RETURN NULL; END $$"
TRIGGER = "CREATE TRIGGER {name} AFTER {event} ON {table} REFERENCING {rows} FOR EACH STATEMENT EXECUTE FUNCTION {name}()"
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
    op.execute(FUNCTION.format(name='learn_names', statement=LEARN.format(people='new_names')))
    op.execute(FUNCTION.format(name='learn_changed_names', statement=LEARN.format(people=RENAMED)))
    for table in ('students', 'contacts'):
        op.execute(LEARN.format(people=table))
        op.execute(TRIGGER.format(name='learn_names', event='INSERT', table=table, rows='NEW TABLE AS new_names'))
        op.execute(TRIGGER.format(name='learn_changed_names', event='UPDATE', table=table, rows='OLD TABLE AS old_names NEW TABLE AS new_names'))
    op.add_column('cleanup_list', sa.Column('names', sa.Text(), server_default=sa.text("''"), nullable=False))
    op.execute(NAMES)
    op.create_index('ix_cleanup_list_names', 'cleanup_list', [sa.literal_column("string_to_array(names, ' ')")], unique=False, postgresql_using='gin')
