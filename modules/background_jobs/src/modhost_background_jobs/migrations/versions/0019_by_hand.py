"""Schedules that people created or edited by hand, and no code owns."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "recurring_jobs",
        sa.Column("is_by_hand", sa.Boolean(), nullable=False, server_default=sa.false()),
        schema="background_jobs",
    )
