"""Identity: users, roles, API tokens, sessions and logins."""

from modhost.identity.access.authenticator import Authenticator
from modhost.identity.contracts import (
    AccountService,
    CreatedToken,
    ForeignIdentity,
    LoginService,
    LoginWay,
    RoleInfo,
    RoleService,
    SessionInfo,
    SessionService,
    TokenInfo,
    TokenService,
    UserInfo,
    UserService,
    Visitor,
    VouchedIdentity,
    VouchedLogins,
)
from modhost.identity.errors import IdentityError
from modhost.identity.module import IdentityModule

__all__ = [
    "AccountService",
    "Authenticator",
    "CreatedToken",
    "ForeignIdentity",
    "IdentityError",
    "IdentityModule",
    "LoginService",
    "LoginWay",
    "RoleInfo",
    "RoleService",
    "SessionInfo",
    "SessionService",
    "TokenInfo",
    "TokenService",
    "UserInfo",
    "UserService",
    "Visitor",
    "VouchedIdentity",
    "VouchedLogins",
]
