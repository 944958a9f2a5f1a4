"""Pages, their templates, and the shell around them: the layout and the navigation."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import CodeType
from typing import Any, Final

import jinja2
from starlette.requests import Request
from starlette.responses import HTMLResponse

from modhost import Clock, Permission, Principal
from modhost.permissions import Anyone
from modhost.web.access.context import current_principal
from modhost.web.rendering import wording

HOST: Final = "modhost"
"""The name of the host's own pages, templates and static files."""


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


class _CompiledTemplates(jinja2.BytecodeCache):
    """Keeps compiled templates in memory: the shell's are compiled once for all modules."""

    def __init__(self) -> None:
        self._codes: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: jinja2.bccache.Bucket) -> None:
        bucket.code = self._codes.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: jinja2.bccache.Bucket) -> None:
        if bucket.code is not None:
            self._codes[bucket.key, bucket.checksum] = bucket.code


_COMPILED: Final = _CompiledTemplates()


def _static_path(module: str, file: str) -> str:
    """Return the address of a module's static file."""
    return f"/static/{module}/{file}"


def template_environment(module: str, folder: Path | None) -> jinja2.Environment:
    """Return the templates of a module; those of the host start with `modhost/`.

    Filters: `ago(now)`, `duration`, `utc`, `grouped`, `marked(words)`, `coded`, `rough`. Functions:
    `static(file)` is the address of a static file of the module.
    """
    shell = jinja2.PrefixLoader({HOST: jinja2.PackageLoader("modhost.web")})
    own = [] if folder is None else [jinja2.FileSystemLoader(folder)]
    environment = jinja2.Environment(
        loader=jinja2.ChoiceLoader([shell, *own]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        bytecode_cache=_COMPILED,
    )
    environment.globals["static"] = partial(_static_path, module)
    environment.globals["shell_static"] = partial(_static_path, HOST)
    environment.filters |= wording.FILTERS
    return environment


class Shell:
    """Renders pages, each with the templates of its module and the navigation of all.

    Args:
        entries: the menu entries of all modules.
        folders: the folder of templates of each module, None for a module without.
        clock: the time of pages.

    """

    def __init__(
        self, entries: Iterable[MenuEntry], folders: Mapping[str, Path | None], clock: Clock
    ) -> None:
        # What most visitors come for goes first.
        self._entries = sorted(entries, key=lambda entry: entry.module == HOST)
        self._folders = folders
        self._clock = clock
        self._environments: dict[str, jinja2.Environment] = {}

    async def render(self, request: Request, module: str, page: Page) -> HTMLResponse:
        """Return a module's page as HTML."""
        template = self._environment(module).get_template(page.template)
        principal = await current_principal(request)
        path = request.url.path
        entries = [entry for entry in self._entries if entry.visible_to(principal)]
        variables = {
            "principal": principal,
            "navigation": entries,
            "current": _current(entries, path),
            "path": path,
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
            self._environments[module] = template_environment(module, folder)
        return self._environments[module]


def _current(entries: Iterable[MenuEntry], path: str) -> MenuEntry | None:
    """Return the entry of the page at a path, or of the nearest page above it."""
    above = [entry for entry in entries if f"{path}/".startswith(f"{entry.path.rstrip('/')}/")]
    return max(above, key=lambda entry: len(entry.path), default=None)
