"""The shell: the layout around all pages, and the templates that fill it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import HTMLResponse

from modhost.clock import Clock
from modhost.permissions import Principal
from modhost.web.middleware.context import current_principal
from modhost.web.rendering.templates import HOST, template_environment
from modhost.web.routing.modules import MenuEntry, ModuleWeb, current_entry
from modhost.web.routing.pages import Page

if TYPE_CHECKING:
    from jinja2 import Environment


class Shell:
    """Renders pages, each with the templates of its module and the navigation of all."""

    def __init__(self, modules: Sequence[ModuleWeb], clock: Clock) -> None:
        self._clock = clock
        entries = [entry for module in modules for entry in module.menu.entries]
        # What most visitors come for goes first.
        self._entries = sorted(entries, key=lambda entry: entry.module == HOST)
        self._folders = {module.name: module.folder("templates") for module in modules}
        self._environments: dict[str, Environment] = {}

    async def render(self, request: Request, module: str, page: Page) -> HTMLResponse:
        """Return a module's page as HTML."""
        template = self._environment(module).get_template(page.template)
        principal = await current_principal(request)
        shell = self._variables(request.url.path, principal) | {"title": page.title}
        html = template.render(shell | dict(page.context))
        return HTMLResponse(html, page.status, page.headers)

    def _environment(self, module: str) -> "Environment":
        """Return the templates of a module, made when they are first needed: workers never do."""
        if module not in self._environments:
            folder = self._folders.get(module)
            self._environments[module] = template_environment(module, folder)
        return self._environments[module]

    def visible_entries(self, principal: Principal | None) -> list[MenuEntry]:
        """Return the menu entries that the visitor may open."""
        return [entry for entry in self._entries if entry.visible_to(principal)]

    def _variables(self, path: str, principal: Principal | None) -> dict[str, Any]:
        entries = self.visible_entries(principal)
        return {
            "principal": principal,
            "navigation": entries,
            "current": current_entry(entries, path),
            "path": path,
            "now": self._clock.now(),
        }
