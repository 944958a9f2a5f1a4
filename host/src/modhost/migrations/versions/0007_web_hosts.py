"""Create the list of web hosts that run."""

import sqlalchemy as sa
from alembic import op

from modhost.database import UtcDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

SCHEMA = "modhost"


def upgrade() -> None:
    op.create_table(
        "web_hosts",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("machine", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("heard_at", UtcDateTime(), nullable=False),
        sa.Column("load", sa.String(), nullable=False),
        schema=SCHEMA,
    )


def downgrade() -> None:
    op.drop_table("web_hosts", schema=SCHEMA)
