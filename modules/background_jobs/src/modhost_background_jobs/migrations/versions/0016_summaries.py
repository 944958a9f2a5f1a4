"""What a job is about: a line that its type gives, and the words that it is found by."""

import sqlalchemy as sa
from alembic import op

from modhost.database import Identifier

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

SCHEMA = "background_jobs"


def upgrade() -> None:
    for table in ("jobs", "finished_jobs", "recurring_jobs"):
        op.add_column(table, sa.Column("summary", sa.String()), schema=SCHEMA)
    op.create_table(
        "job_words",
        sa.Column("word", sa.String(), primary_key=True),
        sa.Column("job_id", Identifier(), primary_key=True),
        schema=SCHEMA,
    )
    op.create_index("ix_background_jobs_job_words_job", "job_words", ["job_id"], schema=SCHEMA)
