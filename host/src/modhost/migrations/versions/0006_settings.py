"""Create the settings that administrators change while the host runs."""

import sqlalchemy as sa
from alembic import op

from modhost.database import UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

SCHEMA = "modhost"


def upgrade() -> None:
    op.create_table(
        "settings",
        sa.Column("module", sa.String(), primary_key=True),
        sa.Column("name", sa.String(), primary_key=True),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.Column("changed_by", sa.String(), nullable=False),
        schema=SCHEMA,
    )


def downgrade() -> None:
    op.drop_table("settings", schema=SCHEMA)
