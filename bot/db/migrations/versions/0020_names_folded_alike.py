"""Names of every script are folded by the database as by us: Greek to the last letter, and without the signs over and under others

The names that the list is searched by follow with the next sync.
"""

from alembic import op

from bot.db.models.folding import folded_name_sql

revision = '0020'
down_revision = '0019'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(folded_name_sql())
    for table in ('staff', 'contacts'):
        op.execute(f'UPDATE {table} SET family_name = family_name WHERE search <> folded_name(given_name, family_name)')
    op.execute('UPDATE students SET search = folded_name(given_name, family_name) WHERE search <> folded_name(given_name, family_name)')
