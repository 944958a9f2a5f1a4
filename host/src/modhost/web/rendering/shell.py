"""Pages, their templates, and the shell around them: the layout and the navigation."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import jinja2
from starlette.requests import Request
from starlette.responses import HTMLResponse

from modhost import Clock, Permission, Principal
from modhost.permissions import Anyone
from modhost.web.access.context import current_principal
from modhost.web.access.preferences import wants_exact_times
from modhost.web.rendering.branding import Branding
from modhost.web.rendering.forms import NO_FORM, SentForm
from modhost.web.rendering.templates import HOST, template_environment
from modhost.web.rendering.wording import EXACT_TIMES

ADMINISTRATION: Final = "Administration"
"""The group of the menu that has the host's own entries."""


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
    group: str = ""
    order: int = 0
    key: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.path, str):
            raise TypeError(f"the path of the menu entry {self.label!r} is {self.path!r}")
        if not isinstance(self.order, int | float):
            raise TypeError(f"the order of the menu entry {self.label!r} is {self.order!r}")

    def visible_to(self, principal: Principal | None) -> bool:
        """Return whether the visitor, None for an anonymous one, may open the page."""
        return may_see(principal, self.permission)


def place_in_menu(entry: MenuEntry) -> tuple[bool, int]:
    """Return a sort key: what most visitors come for goes first, and the host's own last."""
    return entry.module == HOST, entry.order


def may_see(principal: Principal | None, permission: Permission | Anyone) -> bool:
    """Return whether a visitor, None for an anonymous one, has a permission."""
    if isinstance(permission, Anyone):
        return True
    return principal is not None and principal.may(permission)


class Menu:
    """Collects one module's entries."""

    def __init__(self, module: str) -> None:
        self.module = module
        self.entries: list[MenuEntry] = []

    def add(
        self,
        label: str,
        path: str,
        permission: Permission | Anyone,
        description: str = "",
        *,
        group: str = "",
        order: int = 0,
        key: str = "",
    ) -> None:
        """Add a link to a page.

        Args:
            label: what the link is called.
            path: the whole path, e.g. `/admin/jobs`.
            permission: what a visitor needs to see it, or `ANYONE`.
            description: a sentence for the start page, where the link is a card.
            group: entries of the same group, of whichever module, open from one point of the menu.
            order: entries with a lower number come first; those of the host come last.
            key: a letter that leads there after `g`, on the keyboard; of several entries with the
                same one the first has it.

        """
        entry = MenuEntry(self.module, label, path, permission, description, group, order, key)
        self.entries.append(entry)


@dataclass(frozen=True, slots=True)
class MenuGroup:
    """Entries that open from one point of the menu; without a label, one entry that is alone."""

    label: str
    entries: Sequence[MenuEntry]


class Shell:
    """Renders pages, each with the templates of its module and the navigation of all.

    Args:
        entries: the menu entries of all modules.
        folders: the folder of templates of each module, None for a module without.
        clock: the time of pages.
        base_path: what the host's public address adds in front of all paths.
        assets: the path of the static files of all modules.
        branding: the name, logo and accent; those of modhost unless given.
        tabs: what modules add to the pages of others, with the names of those.

    """

    def __init__(
        self,
        entries: Iterable[MenuEntry],
        folders: Mapping[str, Path | None],
        clock: Clock,
        base_path: str = "",
        assets: str = "/static",
        branding: Branding | None = None,
        tabs: Sequence[tuple[str, MenuEntry]] = (),
    ) -> None:
        self._entries = sorted(entries, key=place_in_menu)
        self._tabs = tabs
        self._folders = folders
        self._clock = clock
        self._base_path = base_path
        self._assets = assets
        self._branding = branding or Branding()
        self._environments: dict[str, jinja2.Environment] = {}

    async def render(
        self, request: Request, module: str, page: Page, form: SentForm = NO_FORM
    ) -> HTMLResponse:
        """Return a module's page as HTML, with the form that was refused if there is one."""
        template = self._environment(module).get_template(page.template)
        principal = await current_principal(request)
        entries = [entry for entry in self._entries if entry.visible_to(principal)]
        own = {
            "branding": self._branding,
            # A page about a failure cannot say that nobody is logged in.
            "is_visitor_known": page.status < 500,
            "navigation": _grouped(entries),
            "tabs_of": partial(self._tabs_of, principal),
            "current": _current(entries, request.url.path),
            "sent_form": form,
        }
        html = rendered(template, page, request, principal, self._clock.now(), own)
        return HTMLResponse(html, page.status, page.headers)

    def _tabs_of(self, principal: Principal | None, module: str) -> list[MenuEntry]:
        """Return the tabs that others add to the pages of a module, for those who may see them."""
        return [tab for on, tab in self._tabs if on == module and tab.visible_to(principal)]

    def _environment(self, module: str) -> jinja2.Environment:
        """Return the templates of a module, made when they are first needed: workers never do."""
        if module not in self._environments:
            folder = self._folders.get(module)
            self._environments[module] = template_environment(
                module, folder, self._base_path, self._assets
            )
        return self._environments[module]


def rendered(
    template: jinja2.Template,
    page: Page,
    request: Request,
    principal: Principal | None,
    now: datetime,
    others: Mapping[str, object] = MappingProxyType({}),
) -> str:
    """Return the HTML of a page or a card, made with the variables that every template has."""
    exact = wants_exact_times(request)
    variables = {
        "principal": principal,
        "path": request.url.path,
        "here": _here(request),
        "exact_times": exact,
        "sent_form": NO_FORM,
        "now": now,
        "title": page.title,
    }
    token = EXACT_TIMES.set(exact)
    try:
        return template.render({**variables, **others, **page.context})
    finally:
        EXACT_TIMES.reset(token)


def _grouped(entries: Iterable[MenuEntry]) -> list[MenuGroup]:
    """Return the entries in groups, each in the place of its first entry."""
    groups: dict[str, list[MenuEntry]] = {}
    for entry in entries:
        # The path of an entry without a group is unique, and begins otherwise than labels do.
        groups.setdefault(entry.group or entry.path, []).append(entry)
    return [MenuGroup(found[0].group if len(found) > 1 else "", found) for found in groups.values()]


def _here(request: Request) -> str:
    """Return the address of a page, to come back to; of the answer to a form that of the start."""
    query = f"?{request.url.query}" if request.url.query else ""
    return request.url.path + query if request.method == "GET" else "/"


def _current(entries: Iterable[MenuEntry], path: str) -> MenuEntry | None:
    """Return the entry of the page at a path, or of the nearest page above it."""
    above = [entry for entry in entries if f"{path}/".startswith(f"{entry.path.rstrip('/')}/")]
    return max(above, key=lambda entry: len(entry.path), default=None)
