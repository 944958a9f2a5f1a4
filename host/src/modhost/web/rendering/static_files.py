"""Static files of the modules, under `/static/<module>/`."""

from collections.abc import Iterable

from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from modhost.web.routing.modules import ModuleWeb


class _Revalidated:
    """Lets browsers keep the files, and ask each time whether they are still the same."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_revalidated(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"cache-control", b"no-cache")]
            await send(message)

        await self._app(scope, receive, send_revalidated)


def static_routes(modules: Iterable[ModuleWeb]) -> list[BaseRoute]:
    """Return a route for each module that has a folder `static/`."""
    return [
        Mount(f"/static/{module.name}", _Revalidated(StaticFiles(directory=folder)))
        for module in modules
        if (folder := module.folder("static")) is not None
    ]


def static_path(module: str, file: str) -> str:
    """Return the address of a module's static file."""
    return f"/static/{module}/{file}"
