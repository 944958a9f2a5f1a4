"""Create the networks from which users have logged in."""

import sqlalchemy as sa
from alembic import op

from modhost.database import Identifier, UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

SCHEMA = "modhost"


def upgrade() -> None:
    op.create_table(
        "user_networks",
        sa.Column("user_id", Identifier(), primary_key=True),
        sa.Column("network", sa.String(), primary_key=True),
        sa.Column("last_login_at", UtcDateTime(), nullable=False),
        schema=SCHEMA,
    )


def downgrade() -> None:
    op.drop_table("user_networks", schema=SCHEMA)
