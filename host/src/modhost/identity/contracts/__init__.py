"""The identity contracts for other modules: services and plain data, without secrets."""

from modhost.identity.contracts.external import (
    ForeignIdentity,
    LoginWay,
    VouchedIdentity,
    VouchedLogins,
)
from modhost.identity.contracts.roles import RoleInfo, RoleService
from modhost.identity.contracts.sessions import LoginService, SessionInfo, SessionService, Visitor
from modhost.identity.contracts.tokens import CreatedToken, TokenInfo, TokenService
from modhost.identity.contracts.users import AccountService, UserInfo, UserService

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
