"""The uploaded file of a report, so that it can be deleted when no job needs it any more."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

SCHEMA = "reports_example"


def upgrade() -> None:
    op.add_column("reports", sa.Column("upload", sa.String()), schema=SCHEMA)
    op.create_index("ix_reports_example_reports_upload", "reports", ["upload"], schema=SCHEMA)
