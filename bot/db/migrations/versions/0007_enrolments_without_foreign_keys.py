"""Drop the foreign keys of student enrollments."""

from alembic import op

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_constraint(op.f('fk_class_students_class_id'), 'class_students', type_='foreignkey')
    op.drop_constraint(op.f('fk_class_students_student_id'), 'class_students', type_='foreignkey')
