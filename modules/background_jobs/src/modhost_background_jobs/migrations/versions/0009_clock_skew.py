"""How far the clock of a worker's host is from the shared one."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    skew = sa.Column("clock_skew", sa.Float(), nullable=False, server_default=sa.text("0"))
    op.add_column("workers", skew, schema="background_jobs")
