"""The contracts of users: their management, and what they do with their own account."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from modhost import Principal


@dataclass(frozen=True, slots=True)
class UserInfo:
    """A user; without a password they log in with a one-time link or at a provider only."""

    id: UUID
    name: str
    roles: tuple[str, ...]
    created_at: datetime
    has_password: bool
    is_disabled: bool


class UserService(Protocol):
    """Users who log in with a browser. Names of users are the same in any case."""

    async def add(
        self,
        name: str,
        password: str | None,
        roles: Collection[str] = (),
        *,
        creator: Principal | None = None,
    ) -> UserInfo:
        """Add a user. Their creator can give them only roles whose rights they have.

        Args:
            name: up to 100 printable characters.
            password: 8 to 1,024 printable characters; None for a user without a password.
            roles: the user's roles; none by default.
            creator: whose rights limit those of the user; the current caller by default. Commands
                are not limited.

        Raises:
            NameTaken: there is a user of this name.
            UnusableName: the name is empty, too long, not printable or reserved.
            UnusablePassword: the password is too short, too long, not printable or a common one.
            UnknownRole: there is no such role.
            NotYoursToGrant: the creator lacks a right of the user.

        """

    async def check(self, name: str, roles: Collection[str] = ()) -> None:
        """Check the arguments of `add`, before anybody is asked for a password.

        Args:
            name: the name of the new user.
            roles: the roles of the new user; none by default.

        Raises:
            NameTaken: there is a user of this name.
            UnusableName: the name is empty, too long, not printable or reserved.
            UnknownRole: there is no such role.
            NotYoursToGrant: the caller lacks a right of the user.

        """

    async def list(self) -> Sequence[UserInfo]:
        """Return all users by name."""

    async def get(self, user_id: UUID) -> UserInfo:
        """Return one user.

        Args:
            user_id: the id of the user.

        Raises:
            UserNotFound: there is no such user.

        """

    async def disable(self, user: UUID | str) -> UserInfo:
        """Log a user out everywhere, refuse their logins, and revoke their tokens.

        Those are the tokens that the user has made, and those that these have made.

        Args:
            user: the id or the name of the user.

        Raises:
            UserNotFound: there is no such user.
            NotYoursToManage: the caller lacks a right of the user.

        """

    async def enable(self, user: UUID | str) -> UserInfo:
        """Let a disabled user log in again.

        Args:
            user: the id or the name of the user.

        Raises:
            UserNotFound: there is no such user.
            NotYoursToManage: the caller lacks a right of the user.

        """

    async def set_password(self, user: UUID | str, password: str) -> None:
        """Replace a password, and end all sessions of the user.

        Args:
            user: the id or the name of the user.
            password: 8 to 1,024 printable characters.

        Raises:
            UserNotFound: there is no such user.
            NotYoursToManage: the caller lacks a right of the user.
            UnusablePassword: the password is too short, too long, not printable or a common one,
                or the user logs in at a provider.

        """

    async def assign(self, user: UUID | str, role: str) -> UserInfo:
        """Give a user a role; nothing happens if they have it.

        Args:
            user: the id or the name of the user.
            role: the name of the role.

        Raises:
            UserNotFound: there is no such user.
            UnknownRole: there is no such role.
            NotYoursToGrant: the caller lacks a right of the role.
            NotYoursToManage: the caller lacks a right of the user.

        """

    async def withdraw(self, user: UUID | str, role: str) -> UserInfo:
        """Take a role from a user; nothing happens if they do not have it.

        Args:
            user: the id or the name of the user.
            role: the name of the role.

        Raises:
            UserNotFound: there is no such user.
            NotYoursToManage: the caller lacks a right of the user.
            FixedRole: it is the role `Admin` of the built-in administrator.

        """


class AccountService(Protocol):
    """What users do with their own account."""

    async def change_password(self, user_id: UUID, current: str, new: str, keep: str) -> None:
        """Replace the user's password, and end all their sessions but one.

        Args:
            user_id: the id of the user.
            current: the current password; ignored for a user who has none yet.
            new: 8 to 1,024 printable characters.
            keep: the secret of the session that stays.

        Raises:
            UserNotFound: there is no such user.
            WrongPassword: `current` is wrong.
            UnusablePassword: `new` is too short, too long, not printable or a common one, or the
                user logs in at a provider.
            TooManyFailures: `current` was wrong too often; the next attempt has to wait.

        """
