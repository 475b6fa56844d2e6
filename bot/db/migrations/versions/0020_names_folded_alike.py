"""Fold names of every script in the database as `bot.domain.names.fold` does.

The names that the list is searched by follow with the next sync.
"""

from pathlib import Path

from alembic import op

revision = '0020'
down_revision = '0019'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(Path(__file__).with_suffix('.sql').read_text(encoding='utf-8'))
    for table in ('staff', 'contacts'):
        op.execute(f'UPDATE {table} SET family_name = family_name WHERE search <> folded_name(given_name, family_name)')
    op.execute('UPDATE students SET search = folded_name(given_name, family_name) WHERE search <> folded_name(given_name, family_name)')
