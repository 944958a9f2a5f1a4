"""What workers say of themselves, who has quieted them, and how those left that are gone."""

import sqlalchemy as sa
from alembic import op

from modhost.database import UtcDateTime

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

SCHEMA = "background_jobs"


def upgrade() -> None:
    for column in (
        sa.Column("app_version", sa.String(), nullable=False, server_default=""),
        sa.Column("memory", sa.BigInteger()),
        sa.Column("blocked_since", UtcDateTime()),
        sa.Column("stopping_since", UtcDateTime()),
        sa.Column("quiet_since", UtcDateTime()),
        sa.Column("quieted_by", sa.String()),
    ):
        op.add_column("workers", column, schema=SCHEMA)
    op.create_table(
        "departed_workers",
        sa.Column("name", sa.String(), primary_key=True),
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("process", sa.Integer(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("app_version", sa.String(), nullable=False),
        sa.Column("queues", sa.String(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("heartbeat_at", UtcDateTime(), nullable=False),
        sa.Column("quiet_since", UtcDateTime()),
        sa.Column("quieted_by", sa.String()),
        sa.Column("left_at", UtcDateTime(), nullable=False),
        sa.Column("departure", sa.String(), nullable=False),
        sa.Column("jobs", sa.Integer(), nullable=False),
        schema=SCHEMA,
    )
    op.create_index(
        "ix_background_jobs_departed_workers_left", "departed_workers", ["left_at"], schema=SCHEMA
    )
