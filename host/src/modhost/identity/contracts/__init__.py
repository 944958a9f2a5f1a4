"""The identity contracts for other modules: services and plain data, without secrets."""

from modhost.identity.contracts.data import (
    CreatedToken,
    ForeignIdentity,
    RoleInfo,
    SessionInfo,
    TokenInfo,
    UserInfo,
    Visitor,
)
from modhost.identity.contracts.external import LoginWay, VouchedIdentity, VouchedLogins
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
