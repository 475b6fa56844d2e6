"""The list and its changes without foreign keys; the view of contacts without a second look at each"""

from alembic import op

from bot.db.models import views

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index(op.f('ix_cleanup_list_phone'), table_name='cleanup_list')
    op.drop_constraint(op.f('fk_cleanup_list_contact_id'), 'cleanup_list', type_='foreignkey')
    op.drop_index(op.f('ix_list_changes_contact_id'), table_name='list_changes')
    op.drop_constraint(op.f('fk_list_changes_mass_message_id'), 'list_changes', type_='foreignkey')
    op.drop_constraint(op.f('fk_list_changes_contact_id'), 'list_changes', type_='foreignkey')
    op.execute('DROP VIEW effective_contacts')
    op.execute('DROP VIEW contact_reach')
    op.execute(views.CONTACT_REACH)
    op.execute(views.EFFECTIVE_CONTACTS)
