"""Live jobs, finished jobs, attempts, logs, workers and schedules."""

import sqlalchemy as sa
from alembic import op

from modhost.database import Identifier, UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SCHEMA = "background_jobs"


def upgrade() -> None:
    _create_jobs()
    _create_finished_jobs()
    _create_attempts_and_logs()
    _create_workers()
    _create_recurring_jobs()
    _create_statistics()
    if op.get_context().dialect.name == "postgresql":
        _tune_postgres()


def _job_columns() -> list[sa.Column[object]]:
    return [
        sa.Column("id", Identifier(), primary_key=True),
        sa.Column("job_type", sa.String(), nullable=False),
        sa.Column("module_name", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("data", sa.Text()),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("execute_at", UtcDateTime(), nullable=False),
        sa.Column("started_at", UtcDateTime()),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("max_attempts", sa.Integer(), nullable=False),
        sa.Column("attempts_left", sa.Integer(), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("rescues", sa.Integer(), nullable=False),
        sa.Column("worker", sa.String()),
        sa.Column("timeout_seconds", sa.Double()),
        sa.Column("progress_percentage", sa.Integer(), nullable=False),
        sa.Column("progress_message", sa.Text()),
        sa.Column("error", sa.Text()),
        sa.Column("recurring_job_id", Identifier()),
        sa.Column("enqueued_by", sa.String()),
    ]


def _create_jobs() -> None:
    op.create_table(
        "jobs",
        *_job_columns(),
        sa.Column("cancel_requested_at", UtcDateTime()),
        sa.Column("on_hold", sa.Boolean(), nullable=False),
        sa.CheckConstraint("state IN ('Pending', 'Running')", name="ck_background_jobs_jobs_state"),
        schema=SCHEMA,
    )
    _partial_index(
        "jobs",
        "claim",
        ["job_type", "execute_at", "id"],
        "state = 'Pending' AND NOT on_hold",
    )
    _partial_index("jobs", "running", ["worker"], "state = 'Running'")
    _partial_index("jobs", "recurring", ["recurring_job_id"], "recurring_job_id IS NOT NULL")


def _partial_index(table: str, name: str, columns: list[str], where: str) -> None:
    op.create_index(
        f"ix_background_jobs_{table}_{name}",
        table,
        columns,
        schema=SCHEMA,
        sqlite_where=sa.text(where),
        postgresql_where=sa.text(where),
    )


def _create_finished_jobs() -> None:
    op.create_table(
        "finished_jobs",
        *_job_columns(),
        sa.Column("completed_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "state IN ('Completed', 'Failed', 'Cancelled', 'Skipped')",
            name="ck_background_jobs_finished_jobs_state",
        ),
        schema=SCHEMA,
    )
    for what, columns in {
        "state": ["state", "id"],
        "type": ["job_type", "id"],
        "completed": ["state", "completed_at"],
    }.items():
        op.create_index(
            f"ix_background_jobs_finished_jobs_{what}", "finished_jobs", columns, schema=SCHEMA
        )
    _partial_index(
        "finished_jobs", "recurring", ["recurring_job_id", "id"], "recurring_job_id IS NOT NULL"
    )


def _create_attempts_and_logs() -> None:
    op.create_table(
        "attempts",
        sa.Column("job_id", Identifier(), primary_key=True),
        sa.Column("fence", sa.BigInteger(), primary_key=True),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=False),
        sa.Column("worker", sa.String()),
        sa.Column("error", sa.Text()),
        schema=SCHEMA,
    )
    op.create_table(
        "logs",
        sa.Column("job_id", Identifier(), primary_key=True),
        sa.Column("line", sa.BigInteger(), primary_key=True),
        sa.Column("logged_at", UtcDateTime(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        schema=SCHEMA,
        sqlite_with_rowid=False,
    )


def _create_workers() -> None:
    op.create_table(
        "workers",
        sa.Column("name", sa.String(), primary_key=True),
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("process", sa.Integer(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("heartbeat_at", UtcDateTime(), nullable=False),
        sa.Column("beats", sa.BigInteger(), nullable=False),
        sa.Column("max_concurrency", sa.Integer(), nullable=False),
        sa.Column("running", sa.Integer(), nullable=False),
        sa.Column("job_types", sa.Text(), nullable=False),
        schema=SCHEMA,
    )


def _create_recurring_jobs() -> None:
    op.create_table(
        "recurring_jobs",
        sa.Column("id", Identifier(), primary_key=True),
        sa.Column("name", sa.String(), nullable=False, unique=True),
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
        sa.Column("last_job_id", Identifier()),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        schema=SCHEMA,
    )
    op.create_table(
        "occurrences",
        sa.Column("recurring_job_id", Identifier(), primary_key=True),
        sa.Column("due_at", UtcDateTime(), primary_key=True),
        sa.Column("fired_at", UtcDateTime(), nullable=False),
        sa.Column("job_id", Identifier(), nullable=False),
        schema=SCHEMA,
    )


def _create_statistics() -> None:
    op.create_table(
        "statistics",
        sa.Column("minute", UtcDateTime(), primary_key=True),
        sa.Column("worker", sa.String(), primary_key=True),
        sa.Column("completed", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("cancelled", sa.Integer(), nullable=False),
        sa.Column("waits", sa.Text(), nullable=False),
        sa.Column("runs", sa.Text(), nullable=False),
        schema=SCHEMA,
    )


def _tune_postgres() -> None:
    # Rows of live jobs are written several times and then deleted: room for updates within the
    # page, and vacuums long before a fifth of a large table is dead.
    op.execute(
        "ALTER TABLE background_jobs.jobs SET (fillfactor = 70, "
        "autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000, "
        "autovacuum_vacuum_cost_delay = 0)"
    )
    op.execute(
        "ALTER TABLE background_jobs.workers SET (fillfactor = 50, "
        "autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200)"
    )
