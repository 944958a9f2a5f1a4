"""The audit refuses to have a row replaced, which SQLite takes for a new one."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_SQLITE = """
CREATE TRIGGER modhost_audit_REPLACE BEFORE INSERT ON modhost_audit
WHEN EXISTS (SELECT 1 FROM modhost_audit WHERE id = NEW.id OR rowid = NEW.rowid)
BEGIN SELECT RAISE(ABORT, 'the audit takes new rows only'); END
"""


def upgrade() -> None:
    # On PostgreSQL to replace a row is to update it, which is refused already.
    if op.get_context().dialect.name == "sqlite":
        op.execute(_SQLITE)


def downgrade() -> None:
    if op.get_context().dialect.name == "sqlite":
        op.execute("DROP TRIGGER modhost_audit_REPLACE")
