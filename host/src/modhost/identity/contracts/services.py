"""The services of identity: tokens, users, roles, sessions and logins."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Protocol
from uuid import UUID

from modhost import Principal
from modhost.identity.contracts.data import (
    CreatedToken,
    RoleInfo,
    SessionInfo,
    TokenInfo,
    UserInfo,
    Visitor,
)


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
        """Create a token; without `expires` it is valid until it is revoked.

        A creator can give only what they have. Without one it is the current caller; nothing
        limits the command line.

        Raises:
            UnknownGrant: a permission, or a wildcard, covers nothing that a module declares.
            UnknownRole: there is no such role.
            NotYoursToGrant: the creator lacks what the token would have.
            NameTaken: a token of that name is in use.
            UnusableName: the name is empty or not printable.
            UnusableExpiry: `expires` is not positive, or beyond the calendar.

        """

    async def list(self) -> Sequence[TokenInfo]:
        """Return the tokens that are not revoked, the newest first."""

    async def revoke(self, id_or_name: UUID | str) -> TokenInfo:
        """End a token, at once and everywhere.

        Raises `TokenNotFound`, and `NotYoursToManage` when the caller lacks what the token may and
        has not made it.
        """


class UserService(Protocol):
    """Users who log in with a browser."""

    async def add(
        self,
        name: str,
        password: str | None,
        roles: Collection[str] = (),
        *,
        creator: Principal | None = None,
    ) -> UserInfo:
        """Add a user. A creator, else the current caller, can give only what they have.

        Raises:
            NameTaken: there is a user whose name differs at most in its letters' case.
            UnusableName: the name is empty or not printable.
            UnusablePassword: the password is too short or too long.
            UnknownRole: there is no such role.
            NotYoursToGrant: the creator lacks what the user would have.

        """

    async def check(self, name: str, roles: Collection[str] = ()) -> None:
        """Raise what `add` would, the password aside: before anybody is asked for one."""

    async def list(self) -> Sequence[UserInfo]:
        """Return all users by name."""

    async def get(self, user_id: UUID) -> UserInfo:
        """Return one user. Raises `UserNotFound`."""

    async def disable(self, user: UUID | str) -> UserInfo:
        """Log a user (by id or name) out everywhere, let them in no more, and end their tokens.

        Those are the tokens that the user has made, and those that these have made.

        Raises `UserNotFound`, and `NotYoursToManage` when the caller lacks what the user may.
        """

    async def enable(self, user: UUID | str) -> UserInfo:
        """Let a disabled user in again. Raises `UserNotFound`, `NotYoursToManage`."""

    async def set_password(self, user: UUID | str, password: str) -> None:
        """Replace a password and end all the user's sessions.

        Raises `UserNotFound`, `NotYoursToManage`, and `UnusablePassword`, also for a user whom a
        provider vouches for.
        """

    async def assign(self, user: UUID | str, role: str) -> UserInfo:
        """Give a user a role; one that they have is no error.

        Raises `UserNotFound`, `UnknownRole`, `NotYoursToGrant`, `NotYoursToManage`.
        """

    async def withdraw(self, user: UUID | str, role: str) -> UserInfo:
        """Take a role from a user; one that they lack is no error.

        Raises `UserNotFound`, `NotYoursToManage`, and `FixedRole` for the role of the built-in
        administrator.
        """


class AccountService(Protocol):
    """What users do with their own account."""

    async def change_password(self, user_id: UUID, current: str, new: str, keep: str) -> None:
        """Replace the user's password and end their sessions but the one with the secret `keep`.

        A user who has no password yet needs no current one. Raises `WrongPassword`,
        `UnusablePassword`, `TooManyFailures`, `UserNotFound`.
        """


class RoleService(Protocol):
    """Roles: those in the database, and those that permissions name as default roles."""

    async def list(self) -> Sequence[RoleInfo]:
        """Return all roles by name, `Admin` among them."""

    async def add(self, name: str, permissions: Collection[str]) -> RoleInfo:
        """Add a role. The current caller can give only what they have.

        Raises `NameTaken`, `UnusableName`, `UnknownGrant`, `NotYoursToGrant`.
        """

    async def remove(self, name: str) -> None:
        """Remove a role from all who have it.

        Raises `UnknownRole`, `NotYoursToManage`, and `FixedRole` for a role that modules bring.
        """

    async def grant(self, name: str, permission: str) -> RoleInfo:
        """Add a permission or wildcard to a role, for all who have it.

        Raises `UnknownRole`, `UnknownGrant`, `NotYoursToGrant`, `FixedRole` for `Admin`.
        """

    async def revoke(self, name: str, permission: str) -> RoleInfo:
        """Take a permission or wildcard from a role; one that it lacks is no error.

        Raises `UnknownRole`, `NotYoursToManage`, and `FixedRole` for what modules bring.
        """


class SessionService(Protocol):
    """Browser sessions."""

    async def list(self, user_id: UUID, secret: str | None = None) -> Sequence[SessionInfo]:
        """Return a user's sessions, the newest first; `secret` is that of the current one."""

    async def close(self, secret: str) -> None:
        """End the session with that secret; none is no error."""

    async def end(self, user: UUID | str, session_id: UUID) -> None:
        """End one session of a user; one that is over is no error.

        Raises `UserNotFound`, and `NotYoursToManage` when the caller is another user, and lacks
        what this one may.
        """

    async def end_all(self, user: UUID | str, keep: str | None = None) -> int:
        """End a user's sessions but the one with the secret `keep`; return how many it were.

        Raises `UserNotFound`, `NotYoursToManage`.
        """


class LoginService(Protocol):
    """Ways into a session; each returns the new session's secret, for the cookie."""

    async def with_password(self, name: str, password: str, visitor: Visitor) -> str:
        """Log in by name and password. Raises `LoginFailed`, `TooManyFailures`."""

    async def with_link(self, secret: str, visitor: Visitor) -> str:
        """Log in by a one-time link. Raises `LoginFailed`."""

    async def create_link(self) -> str:
        """Return the path of a new link that logs the built-in administrator in, once.

        Raises `UserDisabled` when the administrator is disabled.
        """
