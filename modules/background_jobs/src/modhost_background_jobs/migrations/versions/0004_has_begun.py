"""Whether a job that was rescued before has begun again: its worker's death speaks against it."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "jobs",
        sa.Column("has_begun", sa.Boolean(), nullable=False, server_default=sa.false()),
        schema="background_jobs",
    )
