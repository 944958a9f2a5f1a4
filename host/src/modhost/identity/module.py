"""The host's own module: users, tokens, sessions, audit, registered the way any module does."""

from collections.abc import Sequence
from typing import ClassVar

from modhost.audit import AuditLog, AuditReader
from modhost.audit.log import DatabaseAudit
from modhost.audit.permissions import VIEW_AUDIT
from modhost.audit.recording import RefusedRequests
from modhost.audit.web import add_audit_to_menu, map_audit_endpoints, map_audit_pages
from modhost.hooks import hookimpl
from modhost.identity.access.authenticator import Authenticator
from modhost.identity.access.grants import Grants
from modhost.identity.access.roles import Roles
from modhost.identity.access.sessions import Sessions
from modhost.identity.access.tokens import Tokens
from modhost.identity.access.usage import Usage
from modhost.identity.accounts.changes import Changing
from modhost.identity.accounts.own_account import Account
from modhost.identity.accounts.passwords import Passwords
from modhost.identity.accounts.users import Users
from modhost.identity.admin.account import AccountPages
from modhost.identity.admin.roles import RolePages
from modhost.identity.admin.routes import add_to_menu, map_admin_pages
from modhost.identity.admin.tokens import TokenPages
from modhost.identity.admin.users import UserPages
from modhost.identity.contracts import (
    AccountService,
    LoginService,
    RoleService,
    SessionService,
    TokenService,
    UserService,
)
from modhost.identity.external.external_identity import LoginWays, VouchedLogins
from modhost.identity.external.external_users import VouchedUsers
from modhost.identity.login.login import Login
from modhost.identity.login.pages import map_pages
from modhost.identity.login.throttle import Throttle
from modhost.identity.permissions import MANAGE_TOKENS, MANAGE_USERS
from modhost.identity.tables import SCHEMA
from modhost.module import HostedService, Module
from modhost.permissions import Permission
from modhost.services import ServiceCollection
from modhost.web import Endpoints, Menu, Pages


class IdentityModule(Module):
    """Who may enter; the host always includes it."""

    name: ClassVar[str] = SCHEMA
    version: ClassVar[str] = "0.1.0"
    migrations: ClassVar[str] = "modhost.migrations"

    @hookimpl
    def configure_services(self, services: ServiceCollection) -> None:
        """Register the contracts of users, tokens, sessions and logins."""
        for helper in (
            Changing,
            Grants,
            Passwords,
            RefusedRequests,
            Throttle,
            Usage,
            Authenticator,
        ):
            services.add_singleton(helper)
        services.add_singleton(AuditLog, DatabaseAudit)
        services.add_singleton(AuditReader, DatabaseAudit)
        services.add_singleton(VouchedLogins, VouchedUsers)
        services.add_singleton(LoginWays)
        for shown in (AccountPages, UserPages, RolePages, TokenPages):
            services.add_singleton(shown)
        services.add_singleton(TokenService, Tokens)
        services.add_singleton(UserService, Users)
        services.add_singleton(AccountService, Account)
        services.add_singleton(RoleService, Roles)
        services.add_singleton(SessionService, Sessions)
        services.add_singleton(LoginService, Login)

    @hookimpl
    def configure_permissions(self) -> Sequence[Permission]:
        """Declare who may manage others."""
        return [MANAGE_USERS, MANAGE_TOKENS, VIEW_AUDIT]

    @hookimpl
    def map_endpoints(self, endpoints: Endpoints) -> None:
        """Map the API of the audit."""
        map_audit_endpoints(endpoints)

    @hookimpl
    def map_pages(self, pages: Pages) -> None:
        """Map the pages of the login, of the administration and of the audit."""
        map_pages(pages)
        map_admin_pages(pages)
        map_audit_pages(pages)

    @hookimpl
    def configure_menu(self, menu: Menu) -> None:
        """Show the pages of the administration to those who may open them."""
        add_to_menu(menu)
        add_audit_to_menu(menu)

    @hookimpl
    def hosted_services(self) -> Sequence[type[HostedService]]:
        """Run what writes the last use of tokens and sessions."""
        return [Usage]
