"""For which due time a run is, and schedules that are named within their modules."""

import sqlalchemy as sa
from alembic import op

from modhost.database import Identifier, UtcDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

SCHEMA = "background_jobs"
NAME = "uq_background_jobs_recurring_jobs_name"


def upgrade() -> None:
    for table in ("jobs", "finished_jobs"):
        op.add_column(table, sa.Column("due_at", UtcDateTime()), schema=SCHEMA)
    if op.get_context().dialect.name == "postgresql":
        for column in _new_columns():
            op.add_column("recurring_jobs", column, schema=SCHEMA)
        op.drop_constraint("recurring_jobs_name_key", "recurring_jobs", schema=SCHEMA)
        op.create_unique_constraint(NAME, "recurring_jobs", ["module_name", "name"], schema=SCHEMA)
    else:
        _copy_recurring_jobs()


def _new_columns() -> list[sa.Column[object]]:
    return [
        sa.Column("last_due_at", UtcDateTime()),
        sa.Column("is_of_start", sa.Boolean(), nullable=False, server_default=sa.true()),
        sa.Column("left_out_since", UtcDateTime()),
    ]


def _copy_recurring_jobs() -> None:
    """Replace the table, since SQLite cannot drop a constraint; it has a row a schedule."""
    kept: list[sa.Column[object]] = [
        sa.Column("id", Identifier(), primary_key=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("job_type", sa.String(), nullable=False),
        sa.Column("module_name", sa.String(), nullable=False),
        sa.Column("cron_expression", sa.String(), nullable=False),
        sa.Column("time_zone", sa.String(), nullable=False),
        sa.Column("data", sa.Text()),
        sa.Column("overlap", sa.String(), nullable=False),
        sa.Column("catch_up", sa.String(), nullable=False),
        sa.Column("max_attempts", sa.Integer(), nullable=False),
        sa.Column("timeout_seconds", sa.Double()),
        sa.Column("is_enabled", sa.Boolean(), nullable=False),
        sa.Column("last_run_at", UtcDateTime()),
        sa.Column("next_run_at", UtcDateTime()),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("forgotten_until", UtcDateTime()),
    ]
    unique = sa.UniqueConstraint("module_name", "name", name=NAME)
    copy = op.create_table("recurring_jobs_copy", *kept, *_new_columns(), unique, schema=SCHEMA)
    names = [column.name for column in kept]
    old = sa.table("recurring_jobs", *map(sa.column, names), schema=SCHEMA)
    op.execute(copy.insert().from_select(names, sa.select(*old.c)))
    op.drop_table("recurring_jobs", schema=SCHEMA)
    op.execute(
        "ALTER TABLE background_jobs_recurring_jobs_copy RENAME TO background_jobs_recurring_jobs"
    )
