"""The web side of one module: its endpoints, pages, menu, middleware and folders."""

import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from inspect import signature
from pathlib import Path

from starlette.middleware import Middleware
from starlette.types import ASGIApp

from modhost import Module
from modhost.web.rendering.shell import Menu
from modhost.web.routing.declarations import Declaration, Endpoints, Pages
from modhost.web.routing.slots import Slots


class MiddlewareStack:
    """Collects one module's middleware."""

    def __init__(self, module: str) -> None:
        self.module = module
        self.added: list[Middleware] = []

    def add(self, middleware: Callable[..., ASGIApp], **settings: object) -> None:
        """Add an ASGI middleware class, with the settings that its constructor takes.

        The first one added is the outermost. It runs for every request, inside of authentication:
        `current_principal(request)` returns the caller.

        Raises:
            TypeError: it is not a class whose objects can be called, or does not take these
                settings.

        """
        if not callable(middleware):
            raise TypeError(f"{middleware!r} is not a class of middleware")
        if isinstance(middleware, type) and not _makes_callables(middleware):
            raise TypeError(f"{middleware!r} is not an ASGI application: it has no __call__")
        # It is made when the host serves: its constructor may need the event loop.
        with suppress(ValueError):  # without a signature
            try:
                signature(middleware).bind(None, **settings)
            except TypeError as error:
                raise TypeError(f"{middleware!r}: {error}") from None
        self.added.append(Middleware(middleware, **settings))


def _makes_callables(kind: type) -> bool:
    return any("__call__" in vars(each) for each in kind.__mro__)


@dataclass(frozen=True, slots=True)
class ModuleWeb:
    """What a module serves and adds to the shell; empty until its hooks have filled it.

    `package` holds its folders `templates/` and `static/`; empty for none.
    """

    name: str
    package: str
    endpoints: Endpoints
    pages: Pages
    menu: Menu
    slots: Slots
    middleware: MiddlewareStack

    @classmethod
    def of(cls, module: Module) -> "ModuleWeb":
        """Return the empty parts of a module, for its hooks to fill."""
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
            Slots(name),
            MiddlewareStack(name),
        )

    @property
    def declared(self) -> list[Declaration]:
        """All that the module serves."""
        return [*self.endpoints.declared, *self.pages.declared]

    def folder(self, name: str) -> Path | None:
        """Return a folder of the module's package, or None when it has none of this name."""
        locations = getattr(sys.modules.get(self.package), "__path__", ())
        found = [Path(location, name) for location in locations if Path(location, name).is_dir()]
        return found[0] if found else None
