"""Create the first tables, the folding of names, and the views of effective contacts."""

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

revision = '0001'
down_revision = None
branch_labels = None
depends_on = None

# NFKD first, so that accents become marks; the second pattern drops marks, apostrophes, hyphens, and hidden characters.
FOLDED_NAME = r"""
CREATE FUNCTION folded_name(given text, family text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
trim(
    regexp_replace(
        regexp_replace(
            replace(replace(replace(
                translate(lower(normalize(given || ' ' || family, NFKD)), 'đðøłħıŧ', 'ddolhit'),
            'æ', 'ae'), 'œ', 'oe'), 'ß', 'ss'),
            '[,;/()\s]+', ' ', 'g'
        ),
        '[!-.:-@\[-`{-~\u00a1-\u00bf\u0300-\u036f\u200b-\u200f\u2010-\u206f\ufeff]', '', 'g'
    )
)
"""
CONTACT_REACH = """
CREATE VIEW contact_reach AS
SELECT c.id AS contact_id,
       CASE WHEN p.id IS NULL THEN c.sis_phone ELSE p.value END AS phone,
       CASE WHEN m.id IS NULL THEN c.sis_method ELSE m.value END AS method,
       p.id AS phone_edit_id,
       m.id AS method_edit_id
FROM contacts c
LEFT JOIN edits p ON p.contact_id = c.id AND p.field = 'phone' AND p.state IN ('pending', 'conflict')
LEFT JOIN edits m ON m.contact_id = c.id AND m.field = 'method' AND m.state IN ('pending', 'conflict')
WHERE c.active
"""
EFFECTIVE_CONTACTS = """
CREATE VIEW effective_contacts AS
SELECT s.id AS student_id,
       s.sourced_id AS student_sourced_id,
       c.id AS contact_id,
       c.sourced_id AS contact_sourced_id,
       c.given_name,
       c.family_name,
       c.email,
       l.relationship,
       l.priority,
       r.phone,
       r.method,
       n.status AS sms_status,
       n.opted_out_at IS NOT NULL AS opted_out
FROM student_contacts l
JOIN students s ON s.id = l.student_id AND s.active
JOIN contacts c ON c.id = l.contact_id
JOIN contact_reach r ON r.contact_id = c.id
LEFT JOIN phone_numbers n ON n.phone = r.phone
WHERE l.active
  AND NOT EXISTS (
      SELECT FROM removals x
      WHERE x.contact_id = c.id AND (x.student_id = s.id OR x.student_id IS NULL) AND x.undone_at IS NULL
  )
"""


def upgrade() -> None:
    op.execute(FOLDED_NAME)
    op.create_table('audit',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('actor', sa.Text(), nullable=False),
    sa.Column('action', sa.Text(), nullable=False),
    sa.Column('subject_kind', sa.Text(), nullable=False),
    sa.Column('subject_id', sa.BigInteger(), nullable=True),
    sa.Column('before', sa.Text(), nullable=True),
    sa.Column('after', sa.Text(), nullable=True),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_audit'))
    )
    op.create_index(op.f('ix_audit_at'), 'audit', ['at'], unique=False)
    op.create_index(op.f('ix_audit_subject_kind_subject_id'), 'audit', ['subject_kind', 'subject_id'], unique=False)
    op.create_table('contacts',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('sourced_id', sa.Text(), nullable=False),
    sa.Column('given_name', sa.Text(), nullable=False),
    sa.Column('family_name', sa.Text(), nullable=False),
    sa.Column('email', sa.Text(), nullable=True),
    sa.Column('search', sa.Text(), sa.Computed('folded_name(given_name, family_name)', persisted=True), nullable=False),
    sa.Column('sis_phone', sa.Text(), nullable=True),
    sa.Column('sis_phone_written', sa.Text(), nullable=True),
    sa.Column('sis_method', sa.Text(), server_default='text', nullable=False),
    sa.Column('active', sa.Boolean(), server_default=sa.text('true'), nullable=False),
    sa.Column('version', sa.Integer(), server_default=sa.text('1'), nullable=False),
    sa.CheckConstraint("sis_method IN ('text', 'call', 'email')", name=op.f('ck_contacts_sis_method_known')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_contacts')),
    sa.UniqueConstraint('sourced_id', name=op.f('uq_contacts_sourced_id'))
    )
    op.create_index(op.f('ix_contacts_sis_phone'), 'contacts', ['sis_phone'], unique=False)
    op.create_table('mass_messages',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('sender', sa.Text(), nullable=True),
    sa.Column('sent_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('registered_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('settles_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('settled_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('learned_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('sender_at_fault', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_mass_messages'))
    )
    op.create_index(op.f('ix_mass_messages_sent_at'), 'mass_messages', ['sent_at'], unique=False)
    op.create_index(op.f('ix_mass_messages_settles_at'), 'mass_messages', ['settles_at'], unique=False, postgresql_where=sa.text('settled_at IS NULL'))
    op.create_table('open_lists',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('user_id', sa.Text(), nullable=False),
    sa.Column('response_url', sa.Text(), nullable=True),
    sa.Column('filter_text', sa.Text(), nullable=False),
    sa.Column('opened_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_open_lists'))
    )
    op.create_index(op.f('ix_open_lists_opened_at'), 'open_lists', ['opened_at'], unique=False)
    op.create_table('opt_out_texts',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('provider', sa.Text(), nullable=False),
    sa.Column('event_key', sa.Text(), nullable=False),
    sa.Column('phone', sa.Text(), nullable=False),
    sa.Column('opted_out', sa.Boolean(), nullable=False),
    sa.Column('received_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_opt_out_texts')),
    sa.UniqueConstraint('provider', 'event_key', name=op.f('uq_opt_out_texts_provider_event_key'))
    )
    op.create_index(op.f('ix_opt_out_texts_phone'), 'opt_out_texts', ['phone'], unique=False)
    op.create_table('phone_numbers',
    sa.Column('phone', sa.Text(), nullable=False),
    sa.Column('status', sa.Text(), nullable=True),
    sa.Column('since', sa.DateTime(timezone=True), nullable=True),
    sa.Column('doubted', sa.Text(), nullable=True),
    sa.Column('opted_out_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('opted_out_by', sa.Text(), nullable=True),
    sa.Column('opted_in_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('delivery_id', sa.BigInteger(), nullable=True),
    sa.CheckConstraint("status IN ('landline', 'turned_off', 'unconfirmed', 'blocked', 'inactive', 'opt_out', 'no_number')", name=op.f('ck_phone_numbers_status_known')),
    sa.PrimaryKeyConstraint('phone', name=op.f('pk_phone_numbers'))
    )
    op.create_table('receipts',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('provider', sa.Text(), nullable=False),
    sa.Column('event_key', sa.Text(), nullable=False),
    sa.Column('provider_id', sa.Text(), nullable=False),
    sa.Column('phone', sa.Text(), nullable=True),
    sa.Column('outcome', sa.Text(), nullable=False),
    sa.Column('code', sa.Text(), nullable=True),
    sa.Column('shaky', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('reasonless', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('occurred_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('received_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('applied_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("outcome IN ('pending', 'delivered', 'not_contact_problem', 'landline', 'turned_off', 'unconfirmed', 'blocked', 'inactive', 'opt_out')", name=op.f('ck_receipts_outcome_known')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_receipts')),
    sa.UniqueConstraint('provider', 'event_key', name=op.f('uq_receipts_provider_event_key'))
    )
    op.create_index(op.f('ix_receipts_provider_provider_id'), 'receipts', ['provider', 'provider_id'], unique=False)
    op.create_index('ix_receipts_waiting', 'receipts', ['id'], unique=False, postgresql_where=sa.text('applied_at IS NULL'))
    op.create_table('schools',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('sourced_id', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('active', sa.Boolean(), server_default=sa.text('true'), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_schools')),
    sa.UniqueConstraint('sourced_id', name=op.f('uq_schools_sourced_id'))
    )
    op.create_table('slack_users',
    sa.Column('user_id', sa.Text(), nullable=False),
    sa.Column('email', sa.Text(), nullable=True),
    sa.Column('full_member', sa.Boolean(), nullable=False),
    sa.Column('time_zone', sa.Text(), nullable=True),
    sa.Column('checked_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('user_id', name=op.f('pk_slack_users'))
    )
    op.create_table('staff',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('sourced_id', sa.Text(), nullable=False),
    sa.Column('given_name', sa.Text(), nullable=False),
    sa.Column('family_name', sa.Text(), nullable=False),
    sa.Column('email', sa.Text(), nullable=True),
    sa.Column('search', sa.Text(), sa.Computed('folded_name(given_name, family_name)', persisted=True), nullable=False),
    sa.Column('active', sa.Boolean(), server_default=sa.text('true'), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_staff')),
    sa.UniqueConstraint('sourced_id', name=op.f('uq_staff_sourced_id'))
    )
    op.create_index(op.f('ix_staff_email'), 'staff', ['email'], unique=False)
    op.create_table('students',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('sourced_id', sa.Text(), nullable=False),
    sa.Column('given_name', sa.Text(), nullable=False),
    sa.Column('family_name', sa.Text(), nullable=False),
    sa.Column('search', sa.Text(), nullable=False),
    sa.Column('grade', sa.Text(), nullable=True),
    sa.Column('active', sa.Boolean(), server_default=sa.text('true'), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_students')),
    sa.UniqueConstraint('sourced_id', name=op.f('uq_students_sourced_id'))
    )
    op.create_index(op.f('ix_students_grade'), 'students', ['grade'], unique=False, postgresql_where=sa.text('active'))
    op.create_table('subscriptions',
    sa.Column('channel_id', sa.Text(), nullable=False),
    sa.Column('made_by', sa.Text(), nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('channel_id', name=op.f('pk_subscriptions'))
    )
    op.create_table('sync_runs',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('state', sa.Text(), server_default='running', nullable=False),
    sa.Column('counts', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    sa.Column('error', sa.Text(), nullable=True),
    sa.CheckConstraint("state IN ('running', 'done', 'braked', 'failed')", name=op.f('ck_sync_runs_state_known')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sync_runs'))
    )
    op.create_index(op.f('ix_sync_runs_finished_at'), 'sync_runs', ['finished_at'], unique=False)
    op.create_table('classes',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('sourced_id', sa.Text(), nullable=False),
    sa.Column('school_id', sa.BigInteger(), nullable=True),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('homeroom', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('active', sa.Boolean(), server_default=sa.text('true'), nullable=False),
    sa.ForeignKeyConstraint(['school_id'], ['schools.id'], name=op.f('fk_classes_school_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_classes')),
    sa.UniqueConstraint('sourced_id', name=op.f('uq_classes_sourced_id'))
    )
    op.create_index(op.f('ix_classes_school_id'), 'classes', ['school_id'], unique=False)
    op.create_table('cleanup_list',
    sa.Column('contact_id', sa.BigInteger(), nullable=False),
    sa.Column('status', sa.Text(), nullable=False),
    sa.Column('phone', sa.Text(), nullable=True),
    sa.Column('since', sa.DateTime(timezone=True), nullable=False),
    sa.Column('mass_message_id', sa.Text(), nullable=True),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('updated_by', sa.Text(), nullable=True),
    sa.CheckConstraint("status IN ('landline', 'turned_off', 'unconfirmed', 'blocked', 'inactive', 'opt_out', 'no_number')", name=op.f('ck_cleanup_list_status_known')),
    sa.ForeignKeyConstraint(['contact_id'], ['contacts.id'], name=op.f('fk_cleanup_list_contact_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('contact_id', name=op.f('pk_cleanup_list'))
    )
    op.create_index(op.f('ix_cleanup_list_phone'), 'cleanup_list', ['phone'], unique=False)
    op.create_index(op.f('ix_cleanup_list_status'), 'cleanup_list', ['status'], unique=False)
    op.create_table('deliveries',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('mass_message_id', sa.Text(), nullable=False),
    sa.Column('contact_sourced_id', sa.Text(), nullable=False),
    sa.Column('phone', sa.Text(), nullable=False),
    sa.Column('provider', sa.Text(), nullable=True),
    sa.Column('provider_id', sa.Text(), nullable=True),
    sa.Column('outcome', sa.Text(), server_default='pending', nullable=False),
    sa.Column('code', sa.Text(), nullable=True),
    sa.Column('shaky', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('reasonless', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('final_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("outcome IN ('pending', 'delivered', 'not_contact_problem', 'landline', 'turned_off', 'unconfirmed', 'blocked', 'inactive', 'opt_out')", name=op.f('ck_deliveries_outcome_known')),
    sa.ForeignKeyConstraint(['mass_message_id'], ['mass_messages.id'], name=op.f('fk_deliveries_mass_message_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_deliveries')),
    sa.UniqueConstraint('mass_message_id', 'contact_sourced_id', 'phone', name=op.f('uq_deliveries_mass_message_id_contact_sourced_id_phone'))
    )
    op.create_index('ix_deliveries_open', 'deliveries', ['mass_message_id'], unique=False, postgresql_where=sa.text("outcome = 'pending'"))
    op.create_index('ix_deliveries_reasonless', 'deliveries', ['mass_message_id'], unique=False, postgresql_where=sa.text('reasonless'))
    op.create_index(op.f('ix_deliveries_phone'), 'deliveries', ['phone'], unique=False)
    op.create_index(op.f('ix_deliveries_provider_provider_id'), 'deliveries', ['provider', 'provider_id'], unique=True)
    op.create_table('digest_posts',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('key', sa.Text(), server_default=sa.text('gen_random_uuid()::text'), nullable=False),
    sa.Column('mass_message_id', sa.Text(), nullable=False),
    sa.Column('channel_id', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), server_default='pending', nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('claimed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('attempts', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('ts', sa.Text(), nullable=True),
    sa.Column('shown_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('posted_text', sa.Text(), nullable=True),
    sa.Column('error', sa.Text(), nullable=True),
    sa.CheckConstraint("state IN ('pending', 'claimed', 'posted', 'ambiguous', 'failed')", name=op.f('ck_digest_posts_state_known')),
    sa.ForeignKeyConstraint(['mass_message_id'], ['mass_messages.id'], name=op.f('fk_digest_posts_mass_message_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_digest_posts')),
    sa.UniqueConstraint('key', name=op.f('uq_digest_posts_key')),
    sa.UniqueConstraint('mass_message_id', 'channel_id', name=op.f('uq_digest_posts_mass_message_id_channel_id'))
    )
    op.create_index('ix_digest_posts_due', 'digest_posts', ['due_at'], unique=False, postgresql_where=sa.text("state IN ('pending', 'claimed', 'ambiguous')"))
    op.create_table('edits',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('contact_id', sa.BigInteger(), nullable=False),
    sa.Column('field', sa.Text(), nullable=False),
    sa.Column('base', sa.Text(), nullable=True),
    sa.Column('value', sa.Text(), nullable=True),
    sa.Column('state', sa.Text(), server_default='pending', nullable=False),
    sa.Column('made_by', sa.Text(), nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('sis_value', sa.Text(), nullable=True),
    sa.Column('sis_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('replaces_id', sa.BigInteger(), nullable=True),
    sa.CheckConstraint("field IN ('phone', 'method')", name=op.f('ck_edits_field_known')),
    sa.CheckConstraint("state IN ('pending', 'conflict', 'absorbed', 'replaced', 'undone', 'sis_taken')", name=op.f('ck_edits_state_known')),
    sa.ForeignKeyConstraint(['contact_id'], ['contacts.id'], name=op.f('fk_edits_contact_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['replaces_id'], ['edits.id'], name=op.f('fk_edits_replaces_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_edits'))
    )
    op.create_index('ix_edits_value', 'edits', ['value'], unique=False, postgresql_where=sa.text("state IN ('pending', 'conflict')"))
    op.create_index(op.f('ix_edits_made_by'), 'edits', ['made_by'], unique=False)
    op.create_index('uq_edits_in_force', 'edits', ['contact_id', 'field'], unique=True, postgresql_where=sa.text("state IN ('pending', 'conflict')"))
    op.create_table('list_changes',
    sa.Column('mass_message_id', sa.Text(), nullable=False),
    sa.Column('contact_id', sa.BigInteger(), nullable=False),
    sa.Column('move', sa.Text(), nullable=False),
    sa.Column('before', sa.Text(), nullable=True),
    sa.Column('after', sa.Text(), nullable=True),
    sa.Column('fixed_by', sa.Text(), nullable=True),
    sa.CheckConstraint("move IN ('joined', 'changed', 'left')", name=op.f('ck_list_changes_move_known')),
    sa.ForeignKeyConstraint(['contact_id'], ['contacts.id'], name=op.f('fk_list_changes_contact_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['mass_message_id'], ['mass_messages.id'], name=op.f('fk_list_changes_mass_message_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('mass_message_id', 'contact_id', name=op.f('pk_list_changes'))
    )
    op.create_index(op.f('ix_list_changes_contact_id'), 'list_changes', ['contact_id'], unique=False)
    op.create_table('removals',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('contact_id', sa.BigInteger(), nullable=False),
    sa.Column('student_id', sa.BigInteger(), nullable=True),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('made_by', sa.Text(), nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('undone_by', sa.Text(), nullable=True),
    sa.Column('undone_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['contact_id'], ['contacts.id'], name=op.f('fk_removals_contact_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['student_id'], ['students.id'], name=op.f('fk_removals_student_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_removals'))
    )
    op.create_index(op.f('ix_removals_student_id'), 'removals', ['student_id'], unique=False)
    op.create_index('uq_removals_in_force', 'removals', ['contact_id', 'student_id'], unique=True, postgresql_nulls_not_distinct=True, postgresql_where=sa.text('undone_at IS NULL'))
    op.create_table('staff_roles',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('staff_id', sa.BigInteger(), nullable=False),
    sa.Column('school_id', sa.BigInteger(), nullable=True),
    sa.Column('role', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['school_id'], ['schools.id'], name=op.f('fk_staff_roles_school_id')),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], name=op.f('fk_staff_roles_staff_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_staff_roles')),
    sa.UniqueConstraint('staff_id', 'school_id', 'role', name=op.f('uq_staff_roles_staff_id_school_id_role'), postgresql_nulls_not_distinct=True)
    )
    op.create_index(op.f('ix_staff_roles_school_id'), 'staff_roles', ['school_id'], unique=False)
    op.create_table('student_contacts',
    sa.Column('student_id', sa.BigInteger(), nullable=False),
    sa.Column('contact_id', sa.BigInteger(), nullable=False),
    sa.Column('relationship', sa.Text(), nullable=True),
    sa.Column('priority', sa.SmallInteger(), nullable=True),
    sa.Column('from_student', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('from_contact', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('active', sa.Boolean(), server_default=sa.text('true'), nullable=False),
    sa.ForeignKeyConstraint(['contact_id'], ['contacts.id'], name=op.f('fk_student_contacts_contact_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['student_id'], ['students.id'], name=op.f('fk_student_contacts_student_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('student_id', 'contact_id', name=op.f('pk_student_contacts'))
    )
    op.create_index(op.f('ix_student_contacts_contact_id'), 'student_contacts', ['contact_id'], unique=False)
    op.create_table('student_schools',
    sa.Column('student_id', sa.BigInteger(), nullable=False),
    sa.Column('school_id', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['school_id'], ['schools.id'], name=op.f('fk_student_schools_school_id')),
    sa.ForeignKeyConstraint(['student_id'], ['students.id'], name=op.f('fk_student_schools_student_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('student_id', 'school_id', name=op.f('pk_student_schools'))
    )
    op.create_index(op.f('ix_student_schools_school_id_student_id'), 'student_schools', ['school_id', 'student_id'], unique=False)
    op.create_table('sync_rejections',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('sync_run_id', sa.BigInteger(), nullable=False),
    sa.Column('file', sa.Text(), nullable=False),
    sa.Column('line', sa.Integer(), nullable=True),
    sa.Column('column_name', sa.Text(), nullable=True),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['sync_run_id'], ['sync_runs.id'], name=op.f('fk_sync_rejections_sync_run_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sync_rejections'))
    )
    op.create_index(op.f('ix_sync_rejections_sync_run_id'), 'sync_rejections', ['sync_run_id'], unique=False)
    op.create_table('class_students',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('sourced_id', sa.Text(), nullable=False),
    sa.Column('class_id', sa.BigInteger(), nullable=False),
    sa.Column('student_id', sa.BigInteger(), nullable=False),
    sa.Column('begins_on', sa.Date(), nullable=True),
    sa.Column('ends_on', sa.Date(), nullable=True),
    sa.Column('active', sa.Boolean(), server_default=sa.text('true'), nullable=False),
    sa.ForeignKeyConstraint(['class_id'], ['classes.id'], name=op.f('fk_class_students_class_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['student_id'], ['students.id'], name=op.f('fk_class_students_student_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_class_students')),
    sa.UniqueConstraint('sourced_id', name=op.f('uq_class_students_sourced_id'))
    )
    op.create_index(op.f('ix_class_students_class_id'), 'class_students', ['class_id'], unique=False)
    op.create_index(op.f('ix_class_students_student_id'), 'class_students', ['student_id'], unique=False)
    op.create_table('class_teachers',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('sourced_id', sa.Text(), nullable=False),
    sa.Column('class_id', sa.BigInteger(), nullable=False),
    sa.Column('staff_id', sa.BigInteger(), nullable=False),
    sa.Column('is_primary', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('begins_on', sa.Date(), nullable=True),
    sa.Column('ends_on', sa.Date(), nullable=True),
    sa.Column('active', sa.Boolean(), server_default=sa.text('true'), nullable=False),
    sa.ForeignKeyConstraint(['class_id'], ['classes.id'], name=op.f('fk_class_teachers_class_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], name=op.f('fk_class_teachers_staff_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_class_teachers')),
    sa.UniqueConstraint('sourced_id', name=op.f('uq_class_teachers_sourced_id'))
    )
    op.create_index(op.f('ix_class_teachers_class_id'), 'class_teachers', ['class_id'], unique=False)
    op.create_index(op.f('ix_class_teachers_staff_id'), 'class_teachers', ['staff_id'], unique=False)
    op.execute(CONTACT_REACH)
    op.execute(EFFECTIVE_CONTACTS)


def downgrade() -> None:
    raise NotImplementedError("There is nothing before the first revision. Drop the database instead.")
