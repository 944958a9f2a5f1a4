"""Flow control: queues, priorities, limits, pauses, unique jobs, turns and tags."""

import sqlalchemy as sa
from alembic import op

from modhost.database import Identifier, UtcDateTime

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

SCHEMA = "background_jobs"
PLACE = "coalesce(place_at, execute_at)"


def _key_text() -> sa.String:
    """Return a text whose beginnings are ranges of an index, as they always are on SQLite."""
    return sa.String().with_variant(sa.String(collation="C"), "postgresql")


def _index(
    name: str, table: str, columns: list[str], where: str | None = None, *, unique: bool = False
) -> None:
    condition = None if where is None else sa.text(where)
    op.create_index(
        f"ix_background_jobs_{name}",
        table,
        [sa.text(each) if "(" in each else each for each in columns],
        schema=SCHEMA,
        unique=unique,
        sqlite_where=condition,
        postgresql_where=condition,
    )


def upgrade() -> None:
    for table in ("jobs", "finished_jobs"):
        columns: list[sa.Column[object]] = [
            sa.Column("queue", sa.String(), nullable=False, server_default="default"),
            sa.Column("priority", sa.SmallInteger(), nullable=False, server_default=sa.text("0")),
            sa.Column("tags", sa.String()),
            sa.Column("lane", sa.String()),
            sa.Column("limits", sa.String()),
            sa.Column("unique_key", sa.String()),
            sa.Column("fair_key", sa.String()),
        ]
        for column in columns:
            op.add_column(table, column, schema=SCHEMA)
    op.add_column("jobs", sa.Column("place_at", UtcDateTime()), schema=SCHEMA)
    op.add_column("jobs", sa.Column("held_by", _key_text()), schema=SCHEMA)
    op.add_column("recurring_jobs", sa.Column("flow", sa.String()), schema=SCHEMA)
    queues: sa.Column[object] = sa.Column("queues", sa.String(), nullable=False, server_default="*")
    op.add_column("workers", queues, schema=SCHEMA)
    _create_indexes()
    _create_tables()


def _create_indexes() -> None:
    pending = "state = 'Pending' AND NOT on_hold"
    op.drop_index("ix_background_jobs_jobs_claim", table_name="jobs", schema=SCHEMA)
    _index("jobs_claim", "jobs", ["job_type", "execute_at", "id"], f"{pending} AND lane IS NULL")
    in_lane = f"{pending} AND lane IS NOT NULL AND held_by IS NULL"
    _index("jobs_lane", "jobs", ["lane", PLACE, "id"], in_lane)
    in_any_lane = "state = 'Pending' AND lane IS NOT NULL"
    _index("jobs_lane_type", "jobs", ["job_type", "queue", "execute_at", "id"], in_any_lane)
    _index("jobs_held", "jobs", ["held_by", "lane", PLACE, "id"], "held_by IS NOT NULL")
    _index("jobs_fair", "jobs", ["lane", "fair_key", "place_at"], "fair_key IS NOT NULL")
    is_unique = "unique_key IS NOT NULL AND substr(unique_key, 1, 2) <> 'r:'"
    _index("jobs_unique", "jobs", ["unique_key"], is_unique, unique=True)
    has_queue = "queue <> 'default'"
    _index("jobs_queue", "jobs", ["queue", "id"], has_queue)
    _index("finished_jobs_queue", "finished_jobs", ["queue", "state", "id"], has_queue)


def _create_tables() -> None:
    op.create_table(
        "limits",
        sa.Column("name", sa.String(), primary_key=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("default_limit", sa.Integer(), nullable=False),
        sa.Column("period_seconds", sa.Float()),
        sa.Column("limit_override", sa.Integer()),
        sa.Column("changed_by", sa.String()),
        sa.Column("changed_at", UtcDateTime()),
        schema=SCHEMA,
    )
    op.create_table(
        "limit_keys",
        sa.Column("limit_name", sa.String(), primary_key=True),
        sa.Column("key", sa.String(), primary_key=True),
        sa.Column("opens_at", UtcDateTime()),
        schema=SCHEMA,
    )
    _index("limit_keys_opening", "limit_keys", ["opens_at"], "opens_at IS NOT NULL")
    op.create_table(
        "limit_grants",
        sa.Column("limit_name", sa.String(), primary_key=True),
        sa.Column("key", sa.String(), primary_key=True),
        sa.Column("job_id", Identifier(), primary_key=True),
        sa.Column("fence", sa.BigInteger(), primary_key=True),
        sa.Column("granted_at", UtcDateTime(), nullable=False),
        schema=SCHEMA,
    )
    op.create_table(
        "pauses",
        sa.Column("kind", sa.String(), primary_key=True),
        sa.Column("name", sa.String(), primary_key=True),
        sa.Column("paused_at", UtcDateTime(), nullable=False),
        sa.Column("paused_by", sa.String()),
        sa.Column("paused_until", UtcDateTime()),
        sa.Column("reason", sa.String(), nullable=False),
        schema=SCHEMA,
    )
    op.create_table(
        "job_tags",
        sa.Column("tag", sa.String(), primary_key=True),
        sa.Column("job_id", Identifier(), primary_key=True),
        schema=SCHEMA,
    )
    _index("job_tags_job", "job_tags", ["job_id"])
    op.create_table(
        "unique_periods",
        sa.Column("unique_key", sa.String(), primary_key=True),
        sa.Column("job_id", Identifier(), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=False),
        schema=SCHEMA,
    )
    _index("unique_periods_end", "unique_periods", ["ends_at"])
