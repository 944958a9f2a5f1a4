"""Create the identities of users at OpenID Connect providers."""

import sqlalchemy as sa
from alembic import op

from modhost.database import Identifier, UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

SCHEMA = "modhost"


def upgrade() -> None:
    op.create_table(
        "user_identities",
        sa.Column("issuer", sa.String(), primary_key=True),
        sa.Column("subject", sa.String(), primary_key=True),
        sa.Column("user_id", Identifier(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        schema=SCHEMA,
    )
    name = "ix_modhost_user_identities_user"
    op.create_index(name, "user_identities", ["user_id"], schema=SCHEMA)


def downgrade() -> None:
    op.drop_table("user_identities", schema=SCHEMA)
