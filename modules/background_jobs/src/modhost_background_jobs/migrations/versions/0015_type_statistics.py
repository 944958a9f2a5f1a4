"""What finished of each job type, by the minute and by the hour, and the application's versions."""

import sqlalchemy as sa
from alembic import op

from modhost.database import UtcDateTime

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

SCHEMA = "background_jobs"
OF_WORKER = sa.text("worker <> ''")


def upgrade() -> None:
    op.create_table(
        "type_statistics",
        sa.Column("job_type", sa.String(), primary_key=True),
        sa.Column("width", sa.Integer(), primary_key=True),
        sa.Column("start", UtcDateTime(), primary_key=True),
        sa.Column("queue", sa.String(), primary_key=True),
        sa.Column("app_version", sa.String(), primary_key=True),
        sa.Column("worker", sa.String(), primary_key=True),
        sa.Column("completed", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("cancelled", sa.Integer(), nullable=False),
        sa.Column("waits", sa.String(), nullable=False),
        sa.Column("runs", sa.String(), nullable=False),
        schema=SCHEMA,
    )
    op.create_index(
        "ix_background_jobs_type_statistics_start",
        "type_statistics",
        ["width", "start"],
        schema=SCHEMA,
    )
    op.create_index(
        "ix_background_jobs_type_statistics_worker",
        "type_statistics",
        ["start"],
        schema=SCHEMA,
        sqlite_where=OF_WORKER,
        postgresql_where=OF_WORKER,
    )
    op.create_table(
        "app_versions",
        sa.Column("version", sa.String(), primary_key=True),
        sa.Column("first_seen_at", UtcDateTime(), nullable=False),
        schema=SCHEMA,
    )
