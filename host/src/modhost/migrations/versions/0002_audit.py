"""Create the append-only audit."""

import sqlalchemy as sa
from alembic import op

from modhost.database import Identifier, UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

SCHEMA = "modhost"

_SQLITE = """
CREATE TRIGGER modhost_audit_{event} BEFORE {event} ON modhost_audit
BEGIN SELECT RAISE(ABORT, 'the audit takes new rows only'); END
"""
_POSTGRES = (
    """
CREATE FUNCTION modhost.refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'the audit takes new rows only'; END $$
""",
    """
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON modhost.audit
FOR EACH STATEMENT EXECUTE FUNCTION modhost.refuse_audit_change()
""",
)


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("id", Identifier(), primary_key=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("actor_kind", sa.String(), nullable=False),
        sa.Column("actor_id", sa.String(), nullable=False),
        sa.Column("actor_name", sa.String(), nullable=False),
        sa.Column("address", sa.String()),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        schema=SCHEMA,
    )
    for column in ("actor_id", "actor_name", "action", "subject"):
        op.create_index(f"ix_modhost_audit_{column}", "audit", [column, "id"], schema=SCHEMA)
    if op.get_context().dialect.name == "postgresql":
        for statement in _POSTGRES:
            op.execute(statement)
    else:
        for event in ("UPDATE", "DELETE"):
            op.execute(_SQLITE.format(event=event))


def downgrade() -> None:
    op.drop_table("audit", schema=SCHEMA)
    if op.get_context().dialect.name == "postgresql":
        op.execute("DROP FUNCTION modhost.refuse_audit_change()")
