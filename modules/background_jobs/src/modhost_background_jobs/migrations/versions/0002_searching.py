"""Indexes by which jobs of a type and a state, and jobs with an error, are found."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

SCHEMA = "background_jobs"
HAS_ERROR = sa.text("error IS NOT NULL")


def upgrade() -> None:
    by_type = "ix_background_jobs_finished_jobs_type"
    # SQLite's indexes have no schema in their names.
    is_postgres = op.get_context().dialect.name == "postgresql"
    op.drop_index(by_type, "finished_jobs", schema=SCHEMA if is_postgres else None)
    op.create_index(by_type, "finished_jobs", ["job_type", "state", "id"], schema=SCHEMA)
    _index_errors("finished_jobs", ["state", "id"])
    _index_errors("jobs", ["id"])


def _index_errors(table: str, columns: list[str]) -> None:
    op.create_index(
        f"ix_background_jobs_{table}_error",
        table,
        columns,
        schema=SCHEMA,
        sqlite_where=HAS_ERROR,
        postgresql_where=HAS_ERROR,
    )
