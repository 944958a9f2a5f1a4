"""ASGI middleware of the modules."""

from collections.abc import Callable

from starlette.middleware import Middleware
from starlette.types import ASGIApp


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
