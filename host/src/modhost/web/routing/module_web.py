"""The web side of one module: its endpoints, pages, menu, middleware and folders."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send

from modhost import Module
from modhost.web.rendering.shell import Menu
from modhost.web.routing.declarations import Declaration, Endpoints, Pages
from modhost.web.routing.slots import Slots


class _Inside:
    """What a middleware calls: the application inside of it, which is built later."""

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


class MiddlewareStack:
    """Collects one module's middleware."""

    def __init__(self, module: str) -> None:
        self.module = module
        self.added: list[Middleware] = []

    def add(self, middleware: Callable[..., ASGIApp], **settings: object) -> None:
        """Add an ASGI middleware class, with the settings that its constructor takes.

        The first one added is the outermost. It runs for every request, inside of authentication:
        `current_principal(request)` returns the caller. It is made at once, so that settings which
        it does not take stop the start.

        Raises:
            TypeError: it makes something that cannot be called, or is not a class.

        """
        if not callable(middleware):
            raise TypeError(f"{middleware!r} is not a class of middleware")
        inside = _Inside()
        made: Any = middleware(inside, **settings)
        if not callable(made):
            msg = f"{middleware!r} makes {made!r}, which is not an ASGI application"
            raise TypeError(msg)

        def around(app: ASGIApp) -> Any:
            inside.app = app
            return made

        self.added.append(Middleware(around))


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
