"""The host's own addresses: the start page, the administration, the API's description."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from modhost import ANYONE, Clock, Principal
from modhost.clock import SystemClock
from modhost.web.access.preferences import keep_exact_times, own_path
from modhost.web.binding.parameters import Form
from modhost.web.openapi import Json, OpenApi
from modhost.web.reference import ApiReference
from modhost.web.rendering.branding import LOGO_PATH, STYLE_PATH, Branding
from modhost.web.rendering.shell import MenuEntry, Page, place_in_menu
from modhost.web.rendering.templates import HOST
from modhost.web.rendering.wording import module_title
from modhost.web.routing.module_web import ModuleWeb
from modhost.web.start_cards import StartCards

# The address of another content is another one.
_KEPT: Final = {"Cache-Control": "public, max-age=31536000, immutable"}


@dataclass(frozen=True, slots=True)
class ListedModule:
    """A module as the administration lists it."""

    name: str
    entries: Sequence[MenuEntry]

    @property
    def title(self) -> str:
        """The name as people read it: `Background jobs`."""
        return "This host" if self.name == HOST else module_title(self.name)


class TimesForm(BaseModel):
    """Whether to show moments, and where to go back to."""

    exact: Literal["yes", "no"] = "no"
    to: str = "/"


class HostPages:
    """The handlers of the host's own addresses."""

    def __init__(
        self,
        modules: Sequence[ModuleWeb],
        version: str,
        public_url: str,
        branding: Branding,
        clock: Clock,
    ) -> None:
        self.branding = branding
        base_path = urlsplit(public_url).path.rstrip("/")
        self._cards = StartCards(modules, base_path, clock)
        self._modules = modules
        self._public_url = public_url
        self._version = version

    async def start(self, request: Request, principal: Principal | None) -> Page:
        """Show where to go from here, and the cards of modules."""
        entries = [entry for module in self._listed(principal) for entry in module.entries]
        context = {
            "entries": sorted(entries, key=place_in_menu),
            "cards": await self._cards.shown_to(principal, request),
        }
        return Page("modhost/start.html", context, "Welcome")

    async def administration(self, principal: Principal) -> Page:
        """List the modules with the pages that the visitor may open."""
        context = {"modules": self._listed(principal), "version": self._version}
        return Page("modhost/admin.html", context, "Administration")

    async def choose_times(self, request: Request, form: Form[TimesForm]) -> Response:
        """Keep how times are shown; with JavaScript no request is needed for it."""
        response = RedirectResponse(own_path(form.to), 303)
        keep_exact_times(request, response, are_wanted=form.exact == "yes")
        return response

    async def style(self) -> Response:
        """Send the stylesheet of the accent colour."""
        return Response(self.branding.style, headers=_KEPT, media_type="text/css")

    async def logo(self) -> Response:
        """Send the logo."""
        return Response(self.branding.logo, headers=_KEPT, media_type=self.branding.logo_kind)

    async def openapi(self) -> Response:
        """Describe the API, in the words of OpenAPI 3.1."""
        return Response(self._description, media_type="application/json")

    async def reference(self, request: Request) -> Page:
        """Show the API: its operations by module, with their fields and a request to try."""
        reference = ApiReference(self._document, self._public_url or str(request.base_url))
        context = {"sections": reference.sections(), "models": reference.models()}
        return Page("modhost/reference.html", context, "API reference")

    @cached_property
    def _description(self) -> bytes:
        return json.dumps(self._document, ensure_ascii=False).encode()

    @cached_property
    def _document(self) -> Json:
        return OpenApi(self._modules, self._version, self._public_url).document()

    def _listed(self, principal: Principal | None) -> list[ListedModule]:
        listed = [
            ListedModule(
                module.name, [each for each in module.menu.entries if each.visible_to(principal)]
            )
            for module in self._modules
        ]
        return [each for each in listed if each.name != HOST or each.entries]


def host_web(
    modules: Sequence[ModuleWeb],
    version: str,
    public_url: str = "",
    branding: Branding | None = None,
    clock: Clock | None = None,
) -> ModuleWeb:
    """Return the host's own pages as a module, which the checks treat like any other.

    The pages show `modules`, with whatever is added to them until the first request.
    """
    web = ModuleWeb.named(HOST, "modhost.web")
    pages = HostPages(modules, version, public_url, branding or Branding(), clock or SystemClock())
    web.pages.get("/", pages.start, permission=ANYONE)
    web.pages.post("/times", pages.choose_times, permission=ANYONE)
    web.pages.get("/admin", pages.administration, permission=ANYONE)
    web.pages.get("/docs", pages.reference, permission=ANYONE)
    if pages.branding.style:
        web.pages.get(STYLE_PATH, pages.style, permission=ANYONE)
    if pages.branding.logo:
        web.pages.get(LOGO_PATH, pages.logo, permission=ANYONE)
    web.endpoints.get("/openapi.json", pages.openapi, permission=ANYONE)
    return web
