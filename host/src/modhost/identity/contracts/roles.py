"""The contract of roles."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class RoleInfo:
    """A role with its grants; `fixed` are those that modules declare, which cannot be revoked."""

    name: str
    grants: frozenset[str]
    fixed: frozenset[str] = frozenset()


class RoleService(Protocol):
    """Roles: those in the database, and those that permissions name as default roles."""

    async def list(self) -> Sequence[RoleInfo]:
        """Return all roles by name, `Admin` among them."""

    async def add(self, name: str, permissions: Collection[str]) -> RoleInfo:
        """Add a role. The current caller can give it only permissions that they have.

        Args:
            name: up to 100 printable characters, which differ from other roles by more than case.
            permissions: the permissions of the role, wildcards such as `Reports.*` among them.

        Raises:
            NameTaken: there is a role of this name.
            UnusableName: the name is empty, too long or not printable.
            UnknownGrant: a permission, or a wildcard, covers nothing that a module declares.
            NotYoursToGrant: the caller lacks a permission of the role.

        """

    async def remove(self, name: str) -> None:
        """Remove a role, also from all users and tokens that have it.

        Args:
            name: the role to remove.

        Raises:
            UnknownRole: there is no such role.
            FixedRole: modules declare the role.
            NotYoursToManage: the caller lacks a permission of the role.

        """

    async def grant(self, name: str, permission: str) -> RoleInfo:
        """Add a permission to a role, for all users and tokens that have the role.

        Args:
            name: the role to change.
            permission: a permission, or a wildcard such as `Reports.*`.

        Raises:
            UnknownRole: there is no such role.
            FixedRole: the role is `Admin`, which has every permission.
            UnknownGrant: the permission covers nothing that a module declares.
            NotYoursToGrant: the caller lacks the permission.

        """

    async def revoke(self, name: str, permission: str) -> RoleInfo:
        """Take a permission from a role; nothing happens if the role does not have it.

        Args:
            name: the role to change.
            permission: a permission or wildcard, as the role has it.

        Raises:
            UnknownRole: there is no such role.
            FixedRole: modules declare this permission for the role.
            NotYoursToManage: the caller lacks a permission of the role.

        """
