"""Which version of its module a job was enqueued by, and a schedule was put by."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("jobs", "finished_jobs", "recurring_jobs"):
        op.add_column(table, sa.Column("module_version", sa.String()), schema="background_jobs")
