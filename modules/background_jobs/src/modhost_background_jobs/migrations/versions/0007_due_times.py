"""For which due time a run is, and schedules that are named within their modules."""

import sqlalchemy as sa
from alembic import op

from modhost.database import UtcDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

SCHEMA = "background_jobs"
NAME = "uq_background_jobs_recurring_jobs_name"


def upgrade() -> None:
    for table in ("jobs", "finished_jobs"):
        op.add_column(table, sa.Column("due_at", UtcDateTime()), schema=SCHEMA)
    # SQLite copies the table for each of its constraints; it has a row a schedule.
    op.drop_constraint("recurring_jobs_name_key", "recurring_jobs", schema=SCHEMA)
    op.create_unique_constraint(NAME, "recurring_jobs", ["module_name", "name"], schema=SCHEMA)
    columns: list[sa.Column[object]] = [
        sa.Column("last_due_at", UtcDateTime()),
        sa.Column("is_of_start", sa.Boolean()),
        sa.Column("left_out_since", UtcDateTime()),
    ]
    for column in columns:
        op.add_column("recurring_jobs", column, schema=SCHEMA)
