"""Pages, their templates, and the shell around them: the layout and the navigation."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jinja2
from starlette.requests import Request
from starlette.responses import HTMLResponse

from modhost import Clock, Permission, Principal
from modhost.permissions import Anyone
from modhost.web.access.context import current_principal
from modhost.web.rendering.forms import NO_FORM, SentForm
from modhost.web.rendering.templates import HOST, template_environment


@dataclass(frozen=True, slots=True)
class Page:
    """The result of a page's handler: a template of the module with its variables.

    Args:
        template: the name of a file in the module's `templates/`; it extends `modhost/base.html`.
        context: the variables of the template.
        title: the heading of the page.
        status: the HTTP status.
        headers: further headers.

    """

    template: str
    context: Mapping[str, Any] = field(default_factory=dict)
    title: str = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MenuEntry:
    """A link of the navigation, shown to those who have the permission.

    `description` is a sentence for the start page, where the link is a card.
    """

    module: str
    label: str
    path: str
    permission: Permission | Anyone
    description: str = ""

    def visible_to(self, principal: Principal | None) -> bool:
        """Return whether the visitor, None for an anonymous one, may open the page."""
        if isinstance(self.permission, Anyone):
            return True
        return principal is not None and principal.may(self.permission)


class Menu:
    """Collects one module's entries."""

    def __init__(self, module: str) -> None:
        self.module = module
        self.entries: list[MenuEntry] = []

    def add(
        self, label: str, path: str, permission: Permission | Anyone, description: str = ""
    ) -> None:
        """Add a link to a page; `path` is the whole path, e.g. `/admin/jobs`."""
        self.entries.append(MenuEntry(self.module, label, path, permission, description))


class Shell:
    """Renders pages, each with the templates of its module and the navigation of all.

    Args:
        entries: the menu entries of all modules.
        folders: the folder of templates of each module, None for a module without.
        clock: the time of pages.
        base_path: what the host's public address adds in front of all paths.
        assets: the path of the static files of all modules.

    """

    def __init__(
        self,
        entries: Iterable[MenuEntry],
        folders: Mapping[str, Path | None],
        clock: Clock,
        base_path: str = "",
        assets: str = "/static",
    ) -> None:
        # What most visitors come for goes first.
        self._entries = sorted(entries, key=lambda entry: entry.module == HOST)
        self._folders = folders
        self._clock = clock
        self._base_path = base_path
        self._assets = assets
        self._environments: dict[str, jinja2.Environment] = {}

    async def render(
        self, request: Request, module: str, page: Page, form: SentForm = NO_FORM
    ) -> HTMLResponse:
        """Return a module's page as HTML, with the form that was refused if there is one."""
        template = self._environment(module).get_template(page.template)
        principal = await current_principal(request)
        path = request.url.path
        entries = [entry for entry in self._entries if entry.visible_to(principal)]
        variables = {
            "principal": principal,
            # A page about a failure cannot say that nobody is logged in.
            "is_visitor_known": page.status < 500,
            "navigation": entries,
            "current": _current(entries, path),
            "path": path,
            "sent_form": form,
            "now": self._clock.now(),
            "title": page.title,
        }
        return HTMLResponse(
            template.render(variables | dict(page.context)), page.status, page.headers
        )

    def _environment(self, module: str) -> jinja2.Environment:
        """Return the templates of a module, made when they are first needed: workers never do."""
        if module not in self._environments:
            folder = self._folders.get(module)
            self._environments[module] = template_environment(
                module, folder, self._base_path, self._assets
            )
        return self._environments[module]


def _current(entries: Iterable[MenuEntry], path: str) -> MenuEntry | None:
    """Return the entry of the page at a path, or of the nearest page above it."""
    above = [entry for entry in entries if f"{path}/".startswith(f"{entry.path.rstrip('/')}/")]
    return max(above, key=lambda entry: len(entry.path), default=None)
