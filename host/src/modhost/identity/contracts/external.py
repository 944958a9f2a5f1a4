"""Identities of external providers, and the logins that they offer."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from starlette.requests import Request

from modhost import Principal, Scope
from modhost.identity.contracts.sessions import Visitor


@dataclass(frozen=True, slots=True)
class ForeignIdentity:
    """A module's `authenticate` hook, contributed by the host for each module that has one."""

    module: str
    authenticate: Callable[[Request, Scope], Awaitable[Principal | None]]


@dataclass(frozen=True, slots=True)
class VouchedIdentity:
    """A person or program, as a provider describes it now.

    Args:
        provider: the kind of provider, e.g. `oidc`; part of the principal's id and of the audit.
        issuer: the provider itself; issuer and subject identify somebody permanently.
        subject: the provider's own id of them.
        name: their name there, for display only; it never decides who somebody is.
        roles: the roles that the provider grants them now.
        managed_roles: all roles that the provider can grant: whoever holds one of them without
            the provider granting it loses it at the next login.

    """

    provider: str
    issuer: str
    subject: str
    name: str
    roles: frozenset[str] = frozenset()
    managed_roles: frozenset[str] = frozenset()


class VouchedLogins(Protocol):
    """Logins of external identities."""

    async def log_in(self, identity: VouchedIdentity, visitor: Visitor) -> str:
        """Open a session, and return its secret; the first login adds the user.

        Args:
            identity: the identity that the provider has confirmed.
            visitor: the browser that logs in.

        Raises:
            UserDisabled: the user was disabled here.
            UnusableName: it is the first login, and no name like theirs is free.

        """

    async def refused(self, provider: str, reason: str, visitor: Visitor) -> None:
        """Record in the audit a login that failed before its user was known.

        Args:
            provider: the kind of provider, e.g. `oidc`.
            reason: a short sentence without secrets.
            visitor: the browser that logs in.

        """

    async def principal(self, identity: VouchedIdentity) -> Principal | None:
        """Return the identity with its rights, without a session; None for a disabled user.

        Args:
            identity: the identity that the provider has confirmed.

        """


@dataclass(frozen=True, slots=True)
class LoginWay:
    """An alternative to the password, offered on the login page; modules contribute it.

    Args:
        label: the text of the link, e.g. `Log in with Example`.
        path: the address of the link; `?next=` is appended.

    """

    label: str
    path: str
