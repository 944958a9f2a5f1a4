"""Bring each module's tables to its newest revision, by alembic."""

from modhost.database.migrations.rights import rights_to_migrate
from modhost.database.migrations.running import migrate, pending, rehearse

__all__ = ["migrate", "pending", "rehearse", "rights_to_migrate"]
