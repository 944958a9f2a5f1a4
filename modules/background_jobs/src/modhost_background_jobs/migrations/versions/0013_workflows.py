"""Results, steps and workflows, and the turns that jobs have had."""

import sqlalchemy as sa
from alembic import op

from modhost.database import Identifier, UtcDateTime

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

SCHEMA = "background_jobs"


def _index(name: str, table: str, columns: list[str], where: str | None = None) -> None:
    condition = None if where is None else sa.text(where)
    op.create_index(
        f"ix_background_jobs_{name}",
        table,
        columns,
        schema=SCHEMA,
        sqlite_where=condition,
        postgresql_where=condition,
    )


def upgrade() -> None:
    indexed = {
        "jobs": ["workflow_id", "id"],
        "finished_jobs": ["workflow_id", "state", "id"],
    }
    for table, columns in indexed.items():
        op.add_column(table, sa.Column("workflow_id", Identifier()), schema=SCHEMA)
        op.add_column(table, sa.Column("checkpoint", sa.String()), schema=SCHEMA)
        _index(f"{table}_workflow", table, columns, "workflow_id IS NOT NULL")
    awaited: sa.Column[bool] = sa.Column(
        "is_awaited", sa.Boolean(), nullable=False, server_default=sa.false()
    )
    op.add_column("jobs", awaited, schema=SCHEMA)
    is_waiting = "on_hold AND recurring_job_id IS NULL"
    _index("jobs_waiting", "jobs", ["job_type", "id"], is_waiting)
    op.drop_index("ix_background_jobs_jobs_lane_type", table_name="jobs", schema=SCHEMA)
    in_lane = "state = 'Pending' AND NOT on_hold AND lane IS NOT NULL"
    _index("jobs_lane_type", "jobs", ["job_type", "queue", "execute_at", "id"], in_lane)
    op.add_column("finished_jobs", sa.Column("result", sa.String()), schema=SCHEMA)
    _add_turns()
    _create_tables()


def _add_turns() -> None:
    for table in ("jobs", "finished_jobs"):
        op.add_column(table, sa.Column("turn_at", UtcDateTime()), schema=SCHEMA)
    op.drop_index("ix_background_jobs_jobs_fair", table_name="jobs", schema=SCHEMA)
    by_key = ["lane", "fair_key", "turn_at"]
    _index("jobs_fair", "jobs", by_key, "fair_key IS NOT NULL")
    had_turn = "turn_at IS NOT NULL AND started_at IS NOT NULL"
    _index("finished_jobs_fair", "finished_jobs", by_key, had_turn)
    _index("finished_jobs_turn", "finished_jobs", ["lane", "turn_at"], had_turn)


def _create_tables() -> None:
    op.create_table(
        "workflows",
        sa.Column("id", Identifier(), primary_key=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("created_by", sa.String()),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("unfinished", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("cancelled", sa.Integer(), nullable=False),
        sa.Column("stopped", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String()),
        sa.Column("completed_at", UtcDateTime()),
        schema=SCHEMA,
    )
    _index("workflows_outcome", "workflows", ["outcome", "id"])
    op.create_table(
        "job_dependencies",
        sa.Column("job_id", Identifier(), primary_key=True),
        sa.Column("position", sa.Integer(), primary_key=True),
        sa.Column("after_id", Identifier(), nullable=False),
        schema=SCHEMA,
    )
    _index("job_dependencies_after", "job_dependencies", ["after_id"])
    op.create_table(
        "job_conditions",
        sa.Column("job_id", Identifier(), primary_key=True),
        sa.Column("run_when", sa.String(), nullable=False),
        sa.Column("unfinished", sa.Integer(), nullable=False),
        sa.Column("verdict", sa.String()),
        schema=SCHEMA,
    )
    op.create_table(
        "job_steps",
        sa.Column("job_id", Identifier(), primary_key=True),
        sa.Column("name", sa.String(), primary_key=True),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=False),
        sa.Column("result", sa.String()),
        schema=SCHEMA,
    )
