"""The trace that a job belongs to."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("jobs", "finished_jobs"):
        op.add_column(table, sa.Column("traceparent", sa.String()), schema="background_jobs")
