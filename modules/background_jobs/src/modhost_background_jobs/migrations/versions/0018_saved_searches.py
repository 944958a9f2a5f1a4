"""Searches that people keep."""

import sqlalchemy as sa
from alembic import op

from modhost.database import UtcDateTime

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "saved_searches",
        sa.Column("owner", sa.String(), primary_key=True),
        sa.Column("name", sa.String(), primary_key=True),
        sa.Column("query", sa.String(), nullable=False),
        sa.Column("saved_at", UtcDateTime(), nullable=False),
        schema="background_jobs",
    )
