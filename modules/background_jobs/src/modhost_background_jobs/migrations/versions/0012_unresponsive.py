"""How many slots of a worker are held by jobs that do not stop."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    count = sa.Column("unresponsive", sa.Integer(), nullable=False, server_default=sa.text("0"))
    op.add_column("workers", count, schema="background_jobs")
