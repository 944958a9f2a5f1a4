"""What one module contributes to the web host."""

import sys
from dataclasses import dataclass
from pathlib import Path

from modhost.module import Module
from modhost.web.declarations import Declaration
from modhost.web.endpoints import Endpoints
from modhost.web.menu import Menu
from modhost.web.middleware import MiddlewareStack
from modhost.web.pages import Pages


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
