"""The contract of API tokens."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from modhost import Principal


@dataclass(frozen=True, slots=True)
class CreatedToken:
    """A new token; `token` is its secret, which is never shown again."""

    id: UUID
    name: str
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class TokenInfo:
    """A token, without its secret. `permissions` may hold wildcards.

    `created_by` is the id of who made it, `creator_name` the name of that user or token; it is
    empty for commands.
    """

    id: UUID
    name: str
    permissions: tuple[str, ...]
    roles: tuple[str, ...]
    created_at: datetime
    created_by: str | None
    expires_at: datetime | None
    last_used_at: datetime | None
    creator_name: str = ""


class TokenService(Protocol):
    """API tokens."""

    async def create(
        self,
        name: str,
        permissions: Collection[str],
        roles: Collection[str] = (),
        expires: timedelta | None = None,
        *,
        creator: Principal | None = None,
    ) -> CreatedToken:
        """Create a token. Its creator can give it only rights that they have.

        Args:
            name: what the token is for, up to 100 printable characters, unique among the tokens
                in use, and not the text of a UUID.
            permissions: the permissions of the token, wildcards such as `Reports.*` among them.
            roles: the roles of the token; none by default.
            expires: how long the token is valid; until it is revoked by default.
            creator: whose rights limit those of the token; the current caller by default. Commands
                are not limited.

        Raises:
            UnknownGrant: a permission, or a wildcard, covers nothing that a module declares.
            UnknownRole: there is no such role.
            NotYoursToGrant: the creator lacks a right of the token.
            NameTaken: a token of that name is in use.
            UnusableName: the name is empty, too long, not printable, or reads as an id.
            UnusableExpiry: `expires` is not positive, or beyond the calendar.

        """

    async def list(self) -> Sequence[TokenInfo]:
        """Return the tokens that are not revoked, the newest first."""

    async def revoke(self, id_or_name: UUID | str) -> TokenInfo:
        """Revoke a token, at once and everywhere.

        Args:
            id_or_name: the id or the name of a token in use; an id is never taken for the name of
                another token.

        Raises:
            TokenNotFound: no token in use has this id or name.
            NotYoursToManage: the caller lacks a right of the token, and has not made it.

        """
