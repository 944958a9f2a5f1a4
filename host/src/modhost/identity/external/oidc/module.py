"""The module of OpenID Connect: logins by a provider, and its access tokens as bearer tokens."""

import importlib.metadata
import logging
from typing import ClassVar

from pydantic import BaseModel
from starlette.requests import Request

from modhost import Module, Principal, Scope, ServiceCollection, hookimpl
from modhost.identity.contracts import LoginWay, VouchedLogins
from modhost.identity.external.oidc.options import OidcOptions
from modhost.identity.external.oidc.pages import PATH, map_pages
from modhost.identity.external.oidc.provider import InvalidToken, Provider, ProviderUnreachable
from modhost.identity.external.oidc.token_check import TokenChecker
from modhost.web import Pages

logger = logging.getLogger(__name__)


class OidcModule(Module):
    """Lets in the users and programs of an OpenID Connect provider."""

    name: ClassVar[str] = "oidc"
    version: ClassVar[str] = importlib.metadata.version("modhost")
    view_prefix: ClassVar[str] = PATH
    options: ClassVar[type[BaseModel]] = OidcOptions

    @hookimpl
    def configure_services(self, services: ServiceCollection, options: OidcOptions) -> None:
        """Register the provider, and its link on the login page."""
        services.add_singleton(Provider)
        services.add_singleton(TokenChecker)
        services.contribute(LoginWay, LoginWay(f"Log in with {options.provider_name}", PATH))

    @hookimpl
    def map_pages(self, pages: Pages) -> None:
        """Map the redirect to the provider, and its callback."""
        map_pages(pages)

    @hookimpl
    async def authenticate(self, request: Request, scope: Scope) -> Principal | None:
        """Return the holder of a bearer token of the provider."""
        kind, _, token = request.headers.get("authorization", "").strip().partition(" ")
        if kind.lower() != "bearer" or token.count(".") != 2:
            return None
        try:
            identity = await (await scope.get(TokenChecker)).bearer(token.strip())
        except InvalidToken as error:
            logger.info("A bearer token was refused: %s.", error)
            return None
        except ProviderUnreachable as error:
            logger.warning("A bearer token could not be checked: %s", error)
            return None
        return await (await scope.get(VouchedLogins)).principal(identity)
