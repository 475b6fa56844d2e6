"""Use the sourced_id of an enrollment as its primary key."""

from alembic import op

revision = '0016'
down_revision = '0015'
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ('class_students', 'class_teachers'):
        op.drop_column(table, 'id')
        op.drop_constraint(op.f(f'uq_{table}_sourced_id'), table, type_='unique')
        op.create_primary_key(op.f(f'pk_{table}'), table, ['sourced_id'])
