"""Requests that name the host together with the path, as clients do that speak to a proxy."""

import re
from typing import Final
from urllib.parse import unquote

from starlette.types import ASGIApp, Receive, Scope, Send

# RFC 9112, 3.2.2. User names are no part of it: RFC 9110, 4.2.4.
_ABSOLUTE: Final = re.compile(rb"https?://([^/@]+)(/.*)?", re.IGNORECASE | re.DOTALL)


class AbsoluteTargetMiddleware:
    """Takes `GET http://host/path` for `GET /path`, sent to that host whatever the header says."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the path does."""
        if scope["type"] == "http" and not scope["path"].startswith("/"):
            scope = _by_path(scope)
        await self._app(scope, receive, send)


def _by_path(scope: Scope) -> Scope:
    target = _ABSOLUTE.fullmatch(scope["raw_path"])
    if target is None:
        return scope
    path = target[2] or b"/"
    others = [(name, value) for name, value in scope["headers"] if name != b"host"]
    return {
        **scope,
        "path": unquote(path.decode("ascii")),
        "raw_path": path,
        "headers": [(b"host", target[1].lower()), *others],
    }
