"""ASGI middleware of the modules."""

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from starlette.middleware import Middleware
from starlette.types import ASGIApp

from modhost.module import Module
from modhost.permissions import Anyone, Permission, Principal
from modhost.web.routing.declarations import Declaration
from modhost.web.routing.endpoints import Endpoints
from modhost.web.routing.pages import Pages


class MiddlewareStack:
    """Collects one module's middleware."""

    def __init__(self, module: str) -> None:
        self.module = module
        self.added: list[Middleware] = []

    def add(self, middleware: Callable[..., ASGIApp], **settings: object) -> None:
        """Add an ASGI middleware class, with the settings that its constructor takes.

        The first one added is the outermost. It runs for every request, inside of authentication:
        `current_principal(request)` tells who is asking.
        """
        self.added.append(Middleware(middleware, **settings))


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
        """Tell whether the visitor, None for an anonymous one, may open the page."""
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


def current_entry(entries: Iterable[MenuEntry], path: str) -> MenuEntry | None:
    """Return the entry of the page at a path, or of the nearest page above it."""
    above = [entry for entry in entries if f"{path}/".startswith(f"{entry.path.rstrip('/')}/")]
    return max(above, key=lambda entry: len(entry.path), default=None)


@dataclass(frozen=True, slots=True)
class ModuleWeb:
    """A module's endpoints, pages, menu and middleware; empty until its hooks have filled them.

    `package` is where its folders `templates/` and `static/` are; empty for none.
    """

    name: str
    package: str
    endpoints: Endpoints
    pages: Pages
    menu: Menu
    middleware: MiddlewareStack

    @classmethod
    def of(cls, module: Module) -> "ModuleWeb":
        """Return the empty parts of a module, to be handed to its hooks."""
        package = sys.modules[type(module).__module__].__package__ or ""
        return cls.named(module.name, package, module.route_prefix, module.view_prefix)

    @classmethod
    def named(
        cls, name: str, package: str = "", route_prefix: str = "", view_prefix: str = ""
    ) -> "ModuleWeb":
        """Return empty parts under a name and prefixes of their own."""
        return cls(
            name,
            package,
            Endpoints(name, route_prefix),
            Pages(name, view_prefix),
            Menu(name),
            MiddlewareStack(name),
        )

    @property
    def declared(self) -> list[Declaration]:
        """All that the module serves."""
        return [*self.endpoints.declared, *self.pages.declared]

    def folder(self, name: str) -> Path | None:
        """Return a folder of the module's package, or None when there is none of this name."""
        locations = getattr(sys.modules.get(self.package), "__path__", ())
        found = [Path(location, name) for location in locations if Path(location, name).is_dir()]
        return found[0] if found else None
