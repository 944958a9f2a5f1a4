"""Bring each module's tables to its newest revision, by alembic."""

from modhost.database.migrations.histories import newest_of
from modhost.database.migrations.rights import rights_to_migrate
from modhost.database.migrations.running import migrate, pending, rehearse

__all__ = ["migrate", "newest_of", "pending", "rehearse", "rights_to_migrate"]
