"""The shell: the layout around all pages, and the templates that fill it."""

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from jinja2 import (
    BaseLoader,
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    PackageLoader,
    PrefixLoader,
    StrictUndefined,
)
from starlette.requests import Request
from starlette.responses import HTMLResponse

from modhost.permissions import Principal
from modhost.web.context import current_principal
from modhost.web.menu import MenuEntry, current_entry
from modhost.web.modules import ModuleWeb
from modhost.web.pages import Page
from modhost.web.static_files import static_path

HOST: Final = "modhost"


class Shell:
    """Renders pages, each with the templates of its module and the navigation of all."""

    def __init__(self, modules: Sequence[ModuleWeb]) -> None:
        self._entries = [entry for module in modules for entry in module.menu.entries]
        self._environments = {HOST: _environment(HOST, None)}
        for module in modules:
            self._environments[module.name] = _environment(module.name, module)

    async def render(self, request: Request, module: str, page: Page) -> HTMLResponse:
        """Return a module's page as HTML."""
        template = self._environments[module].get_template(page.template)
        principal = await current_principal(request)
        shell = self._variables(request.url.path, principal) | {"title": page.title}
        html = template.render(shell | dict(page.context))
        return HTMLResponse(html, page.status, page.headers)

    def visible_entries(self, principal: Principal | None) -> list[MenuEntry]:
        """Return the menu entries that the visitor may open."""
        return [entry for entry in self._entries if entry.visible_to(principal)]

    def _variables(self, path: str, principal: Principal | None) -> dict[str, Any]:
        entries = self.visible_entries(principal)
        return {
            "principal": principal,
            "navigation": entries,
            "current": current_entry(entries, path),
        }


def _environment(name: str, module: ModuleWeb | None) -> Environment:
    """Return the templates of a module; those of the host start with `modhost/`."""
    loaders: list[BaseLoader] = [PrefixLoader({HOST: PackageLoader("modhost.web")})]
    folder = module.folder("templates") if module else None
    if folder is not None:
        loaders.append(FileSystemLoader(folder))
    environment = Environment(
        loader=ChoiceLoader(loaders),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["static"] = partial(static_path, name)
    environment.globals["shell_static"] = partial(static_path, HOST)
    return environment
