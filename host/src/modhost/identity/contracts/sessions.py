"""The contracts of browser sessions, and of the logins that open them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """A browser that is logged in; `is_current` marks that of the request."""

    id: UUID
    address: str
    agent: str
    created_at: datetime
    last_seen_at: datetime
    is_current: bool


@dataclass(frozen=True, slots=True)
class Visitor:
    """The browser that logs in, as the request describes it.

    Args:
        address: the address of the connection; empty when it is unknown.
        agent: the browser's name for itself.
        session: the secret of the session that the browser brings, which the login replaces.

    """

    address: str = ""
    agent: str = ""
    session: str | None = field(default=None, repr=False)


class SessionService(Protocol):
    """Browser sessions."""

    async def list(self, user_id: UUID, secret: str | None = None) -> Sequence[SessionInfo]:
        """Return the sessions of a user, the newest first.

        Args:
            user_id: the id of the user.
            secret: the secret of the current session; None by default, when none is current.

        """

    async def close(self, secret: str) -> None:
        """End a session; nothing happens if it has ended.

        Args:
            secret: the secret of the session.

        """

    async def end(self, user: UUID | str, session_id: UUID) -> None:
        """End one session of a user; nothing happens if it has ended.

        Args:
            user: the id or the name of the user.
            session_id: the id of the session.

        Raises:
            UserNotFound: there is no such user.
            NotYoursToManage: the caller is another user, and lacks a right of this one.

        """

    async def end_all(self, user: UUID | str, keep: str | None = None) -> int:
        """End the sessions of a user.

        Args:
            user: the id or the name of the user.
            keep: the secret of a session that stays; none by default.

        Returns:
            The number of sessions that were ended.

        Raises:
            UserNotFound: there is no such user.
            NotYoursToManage: the caller is another user, and lacks a right of this one.

        """


class LoginService(Protocol):
    """Ways to log in; each returns the secret of a new session, for the cookie."""

    async def with_password(self, name: str, password: str, visitor: Visitor) -> str:
        """Log in by name and password.

        Args:
            name: the name of the user, in any case.
            password: the password of the user.
            visitor: the browser that logs in.

        Raises:
            LoginFailed: the name or the password is wrong, or the user is disabled.
            TooManyFailures: too many logins have failed; the next attempt has to wait.

        """

    async def with_link(self, secret: str, visitor: Visitor) -> str:
        """Log in by a one-time link.

        Args:
            secret: the secret of the link.
            visitor: the browser that logs in.

        Raises:
            LoginFailed: the link is unknown, used or expired, or the user is disabled.

        """

    async def create_link(self) -> str:
        """Return the path of a new link that logs the built-in administrator in, once.

        Raises:
            UserDisabled: the administrator is disabled.

        """
