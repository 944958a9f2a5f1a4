"""What other modules may use of the host's identity: services and plain data, no secrets."""

from modhost.identity.contracts.data import (
    CreatedToken,
    ForeignIdentity,
    RoleInfo,
    SessionInfo,
    TokenInfo,
    UserInfo,
    Visitor,
)
from modhost.identity.contracts.services import (
    AccountService,
    LoginService,
    RoleService,
    SessionService,
    TokenService,
    UserService,
)

__all__ = [
    "AccountService",
    "CreatedToken",
    "ForeignIdentity",
    "LoginService",
    "RoleInfo",
    "RoleService",
    "SessionInfo",
    "SessionService",
    "TokenInfo",
    "TokenService",
    "UserInfo",
    "UserService",
    "Visitor",
]
