"""Columns that nothing reads: a worker's `running` and a schedule's `last_job_id`."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_column("workers", "running", schema="background_jobs")
    op.drop_column("recurring_jobs", "last_job_id", schema="background_jobs")
