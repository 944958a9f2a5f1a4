"""The static files of a module, as browsers get them."""

from pathlib import Path
from typing import Any

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from modhost.web.middleware.request_ids import note_route


class ModuleFiles(StaticFiles):
    """Lets browsers keep the files, and ask each time whether they are still the same.

    Args:
        route: where the files are, for the counts of requests.
        folder: what holds them.

    """

    def __init__(self, route: str, folder: Path) -> None:
        super().__init__(directory=folder)
        self._route = route

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with a file."""
        note_route(scope, self._route)
        await super().__call__(scope, receive, send)

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        """Return the response, which is asked for again each time."""
        response = super().file_response(*args, **kwargs)
        response.headers["cache-control"] = "no-cache"
        return response
