"""Data that are too large for the row of their job; those that are stored stay where they are."""

import sqlalchemy as sa
from alembic import op

from modhost.database import Identifier

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "large_data",
        sa.Column("job_id", Identifier(), primary_key=True),
        sa.Column("data", sa.Text(), nullable=False),
        schema="background_jobs",
    )
