"""Identities that somebody else vouches for: the contracts of a module that brings them."""

from dataclasses import dataclass
from typing import Protocol

from modhost.identity.contracts import Visitor
from modhost.permissions import Principal


@dataclass(frozen=True, slots=True)
class VouchedIdentity:
    """Somebody whom a provider knows, as it says just now.

    Args:
        provider: the kind of provider, e.g. `oidc`; part of the principal's id and of the audit.
        issuer: which provider; with the subject it is who this is, for ever.
        subject: the provider's own id of them.
        name: what they are called there. It is shown, and never decides who somebody is.
        roles: the roles that they have now by what the provider says.
        managed_roles: all roles that the provider decides about: whoever has one of them without
            the provider saying so loses it at the next login.

    """

    provider: str
    issuer: str
    subject: str
    name: str
    roles: frozenset[str] = frozenset()
    managed_roles: frozenset[str] = frozenset()


class VouchedLogins(Protocol):
    """Lets vouched identities in."""

    async def log_in(self, identity: VouchedIdentity, visitor: Visitor) -> str:
        """Open a session and return its secret; the first login adds the user.

        Raises `UserDisabled` for a user who was disabled here.
        """
        ...

    async def refused(self, provider: str, reason: str, visitor: Visitor) -> None:
        """Tell the audit of a login that failed before it was known whose it is."""
        ...

    async def principal(self, identity: VouchedIdentity) -> Principal | None:
        """Return the identity with its rights, without a session; None for a disabled user."""
        ...


@dataclass(frozen=True, slots=True)
class LoginWay:
    """Another way to log in, which the login page offers; modules contribute it.

    Args:
        label: what the link says, e.g. `Log in with Example`.
        path: where it leads; `?next=` is added.

    """

    label: str
    path: str


class LoginWays:
    """All ways to log in beside the password."""

    def __init__(self, ways: tuple[LoginWay, ...] = ()) -> None:
        self.all = ways
