"""Create users, roles, tokens and sessions."""

import sqlalchemy as sa
from alembic import op

from modhost.database import Identifier, UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SCHEMA = "modhost"


def upgrade() -> None:
    op.create_table(
        "users",
        sa.Column("id", Identifier(), primary_key=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("name_key", sa.String(), nullable=False, unique=True),
        sa.Column("password_hash", sa.String()),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("disabled_at", UtcDateTime()),
        schema=SCHEMA,
    )
    op.create_table(
        "roles",
        sa.Column("name", sa.String(), primary_key=True),
        sa.Column("permissions", sa.JSON(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        schema=SCHEMA,
    )
    op.create_table(
        "user_roles",
        sa.Column("user_id", Identifier(), primary_key=True),
        sa.Column("role", sa.String(), primary_key=True),
        schema=SCHEMA,
    )
    _create_tokens()
    _create_sessions()


def _create_tokens() -> None:
    op.create_table(
        "tokens",
        sa.Column("id", Identifier(), primary_key=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("secret_hash", sa.String(), nullable=False, unique=True),
        sa.Column("permissions", sa.JSON(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("created_by", sa.String()),
        sa.Column("expires_at", UtcDateTime()),
        sa.Column("revoked_at", UtcDateTime()),
        sa.Column("last_used_at", UtcDateTime()),
        schema=SCHEMA,
    )
    op.create_index(
        "ix_modhost_tokens_name",
        "tokens",
        ["name"],
        unique=True,
        schema=SCHEMA,
        sqlite_where=sa.text("revoked_at IS NULL"),
        postgresql_where=sa.text("revoked_at IS NULL"),
    )
    op.create_table(
        "token_roles",
        sa.Column("token_id", Identifier(), primary_key=True),
        sa.Column("role", sa.String(), primary_key=True),
        schema=SCHEMA,
    )


def _create_sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", Identifier(), primary_key=True),
        sa.Column("secret_hash", sa.String(), nullable=False, unique=True),
        sa.Column("user_id", Identifier(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("last_seen_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("address", sa.String()),
        sa.Column("agent", sa.String()),
        schema=SCHEMA,
    )
    op.create_index("ix_modhost_sessions_user", "sessions", ["user_id"], schema=SCHEMA)
    op.create_index("ix_modhost_sessions_expires", "sessions", ["expires_at"], schema=SCHEMA)
    op.create_table(
        "login_links",
        sa.Column("id", Identifier(), primary_key=True),
        sa.Column("secret_hash", sa.String(), nullable=False, unique=True),
        sa.Column("user_id", Identifier(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("used_at", UtcDateTime()),
        schema=SCHEMA,
    )


def downgrade() -> None:
    for table in ("login_links", "sessions", "token_roles", "tokens"):
        op.drop_table(table, schema=SCHEMA)
    for table in ("user_roles", "roles", "users"):
        op.drop_table(table, schema=SCHEMA)
