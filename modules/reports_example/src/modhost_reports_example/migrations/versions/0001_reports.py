"""Reports, and what was seeded."""

import sqlalchemy as sa
from alembic import op

from modhost.database import Identifier, UtcDateTime

revision = "0001"
down_revision = None

SCHEMA = "reports_example"


def upgrade() -> None:
    op.create_table(
        "reports",
        sa.Column("job_id", Identifier(), primary_key=True),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("completed_at", UtcDateTime()),
        sa.Column("records", sa.Integer()),
        sa.Column("rows", sa.Text()),
        schema=SCHEMA,
    )
    op.create_table(
        "seeds",
        sa.Column("name", sa.String(), primary_key=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        schema=SCHEMA,
    )
