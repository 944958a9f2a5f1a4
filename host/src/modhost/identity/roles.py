"""The roles that there are."""

from collections.abc import Sequence

from modhost.database import Database
from modhost.identity.contracts import RoleInfo
from modhost.identity.grants import Grants


class Roles:
    """Implements `RoleService`."""

    def __init__(self, database: Database, grants: Grants) -> None:
        self._database = database
        self._grants = grants

    async def list(self) -> Sequence[RoleInfo]:
        """Return all roles by name."""
        async with self._database.reading() as session:
            roles = await self._grants.of_roles(session)
        return [RoleInfo(name, granted) for name, granted in roles.items()]
