"""Refuse to replace rows of the audit, which SQLite treats as inserting new ones."""

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
    # PostgreSQL replaces a row by updating it, which is refused already.
    if op.get_context().dialect.name == "sqlite":
        op.execute(_SQLITE)


def downgrade() -> None:
    if op.get_context().dialect.name == "sqlite":
        op.execute("DROP TRIGGER modhost_audit_REPLACE")
