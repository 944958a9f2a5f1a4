"""What the services of identity tell, as plain data without secrets."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from starlette.requests import Request

from modhost import Principal, Scope


@dataclass(frozen=True, slots=True)
class CreatedToken:
    """A new token; `token` is the only time that its secret is shown."""

    id: UUID
    name: str
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class TokenInfo:
    """A token, without its secret. `permissions` may hold wildcards."""

    id: UUID
    name: str
    permissions: tuple[str, ...]
    roles: tuple[str, ...]
    created_at: datetime
    created_by: str | None
    expires_at: datetime | None
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class UserInfo:
    """A user; without a password only a one-time link logs them in."""

    id: UUID
    name: str
    roles: tuple[str, ...]
    created_at: datetime
    has_password: bool
    is_disabled: bool


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """A browser that is logged in; `is_current` is that of the request."""

    id: UUID
    address: str
    agent: str
    created_at: datetime
    last_seen_at: datetime
    is_current: bool


@dataclass(frozen=True, slots=True)
class RoleInfo:
    """A role, with what it grants; `fixed` is what modules bring, which nobody can take away."""

    name: str
    grants: frozenset[str]
    fixed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Visitor:
    """The browser that logs in, as far as the request tells.

    Args:
        address: where the connection comes from; empty when it is not known.
        agent: how the browser names itself.
        session: the secret of the session that it brings, which the login replaces.

    """

    address: str = ""
    agent: str = ""
    session: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class ForeignIdentity:
    """A module's `authenticate` hook, contributed by the host for each module that has one."""

    module: str
    authenticate: Callable[[Request, Scope], Awaitable[Principal | None]]
