"""Who is asking, and what they may: users, roles, API tokens, sessions, login."""

from modhost.identity.access.authenticator import Authenticator
from modhost.identity.contracts import (
    AccountService,
    CreatedToken,
    ForeignIdentity,
    LoginService,
    RoleInfo,
    RoleService,
    SessionInfo,
    SessionService,
    TokenInfo,
    TokenService,
    UserInfo,
    UserService,
    Visitor,
)
from modhost.identity.errors import IdentityError
from modhost.identity.external.external_identity import LoginWay, VouchedIdentity, VouchedLogins
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
