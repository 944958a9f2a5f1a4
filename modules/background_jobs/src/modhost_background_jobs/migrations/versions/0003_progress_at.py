"""When a percentage was reported, for an estimate of the time left."""

import sqlalchemy as sa
from alembic import op

from modhost.database import UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("jobs", sa.Column("progress_at", UtcDateTime()), schema="background_jobs")
