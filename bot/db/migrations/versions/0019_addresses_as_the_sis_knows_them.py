"""Normalize the email addresses of Slack users as those of staff are."""

from alembic import op

revision = '0019'
down_revision = '0018'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute('UPDATE slack_users SET email = lower(btrim(email)) WHERE email <> lower(btrim(email))')
