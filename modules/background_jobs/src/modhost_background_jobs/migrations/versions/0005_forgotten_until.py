"""Up to which due time a schedule's occurrences were deleted, so that none of them fires again."""

import sqlalchemy as sa
from alembic import op

from modhost.database import UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "recurring_jobs", sa.Column("forgotten_until", UtcDateTime()), schema="background_jobs"
    )
