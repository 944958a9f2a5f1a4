"""The host's own module: identity, audit and settings, registered the way any module is."""

import importlib.metadata
from collections.abc import Sequence
from functools import partial
from typing import ClassVar

from modhost import (
    HostedService,
    HostInfo,
    Module,
    Permission,
    ProcessReport,
    Scope,
    ServiceCollection,
    hookimpl,
)
from modhost.administration import settings
from modhost.administration.settings import api as settings_api
from modhost.administration.settings import live as live_settings
from modhost.administration.settings import pages as settings_pages
from modhost.administration.settings.table import SettingStore
from modhost.administration.system import pages as system_pages
from modhost.administration.system.presence import Presence
from modhost.audit import AuditLog, AuditReader, log, web
from modhost.audit.recording import RefusedRequests
from modhost.identity import contracts
from modhost.identity.access import authenticator, grants, throttle, usage
from modhost.identity.accounts import passwords, roles, sessions, tokens, users
from modhost.identity.admin import account as account_page
from modhost.identity.admin import roles as role_page
from modhost.identity.admin import tokens as token_page
from modhost.identity.admin import users as user_pages
from modhost.identity.admin.actions import MANAGE_TOKENS, MANAGE_USERS
from modhost.identity.external.external_users import ExternalUsers
from modhost.identity.login import login
from modhost.identity.login import pages as login_pages
from modhost.identity.tables import SCHEMA
from modhost.web import ADMINISTRATION, Endpoints, Menu, Pages


class IdentityModule(Module):
    """Users, roles, tokens, sessions, the audit and settings; the host always includes it."""

    name: ClassVar[str] = SCHEMA
    version: ClassVar[str] = importlib.metadata.version("modhost")
    migrations: ClassVar[str] = "modhost.migrations"

    @hookimpl
    def configure_services(self, services: ServiceCollection) -> None:
        """Register the contracts of users, tokens, sessions and logins."""
        for service in (
            grants.Grants,
            passwords.Passwords,
            RefusedRequests,
            throttle.Throttle,
            usage.Usage,
            authenticator.Authenticator,
            account_page.AccountPages,
            user_pages.UserPages,
            role_page.RolePages,
            token_page.TokenPages,
            login_pages.LoginPage,
            SettingStore,
            live_settings.SettingsFollower,
            settings.SettingChanges,
            settings.SettingsReader,
            Presence,
        ):
            services.add_singleton(service)
        services.add_singleton(live_settings.LiveSettings, live_settings.open_settings)
        services.add_singleton(AuditLog, log.DatabaseAudit)
        services.add_singleton(AuditReader, log.DatabaseAudit)
        services.add_singleton(contracts.VouchedLogins, ExternalUsers)
        services.add_singleton(contracts.TokenService, tokens.Tokens)
        services.add_singleton(contracts.UserService, users.Users)
        services.add_singleton(contracts.AccountService, passwords.Account)
        services.add_singleton(contracts.RoleService, roles.Roles)
        services.add_singleton(contracts.SessionService, sessions.Sessions)
        services.add_singleton(contracts.LoginService, login.Login)

    @hookimpl
    async def report_processes(self, scope: Scope) -> Sequence[ProcessReport]:
        """Report the other web hosts."""
        return await (await scope.get(Presence)).others()

    @hookimpl
    def configure_permissions(self) -> Sequence[Permission]:
        """Declare the permissions of the administration, of the audit and of settings."""
        return [
            MANAGE_USERS,
            MANAGE_TOKENS,
            web.VIEW_AUDIT,
            system_pages.VIEW_SYSTEM,
            settings_api.VIEW_SETTINGS,
            settings_api.MANAGE_SETTINGS,
        ]

    @hookimpl
    def map_endpoints(self, endpoints: Endpoints) -> None:
        """Map the API of the audit and of settings."""
        web.map_audit_endpoints(endpoints)
        settings_api.map_settings_endpoints(endpoints)

    @hookimpl
    def map_pages(self, pages: Pages) -> None:
        """Map the pages of the login, of the administration, of the audit and of settings."""
        login_pages.map_login_pages(pages)
        account_page.map_account_pages(pages)
        user_pages.map_user_pages(pages)
        role_page.map_role_pages(pages)
        token_page.map_token_pages(pages)
        web.map_audit_pages(pages)
        settings_pages.map_settings_pages(pages)
        system_pages.map_system_pages(pages)

    @hookimpl
    def configure_menu(self, menu: Menu) -> None:
        """Show the pages of the administration to those who may open them."""
        add = partial(menu.add, group=ADMINISTRATION)
        add("Users", user_pages.PATH, MANAGE_USERS, "Who may log in, and with which roles.")
        add("Roles", role_page.PATH, MANAGE_USERS, "Sets of permissions, under a name each.")
        add("Tokens", token_page.PATH, MANAGE_TOKENS, "How programs get to the API.")
        web.add_audit_to_menu(menu)
        settings_pages.add_settings_to_menu(menu)
        system_pages.add_system_to_menu(menu)

    @hookimpl
    def hosted_services(self, host: HostInfo) -> Sequence[type[HostedService]]:
        """Run the writer of the last use of tokens and sessions, and let web hosts be known.

        Workers are reported by the module that has them.
        """
        return [usage.Usage, Presence] if host.role == "web" else [usage.Usage]
