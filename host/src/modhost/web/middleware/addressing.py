"""The address of a request: as a client names it, as a proxy declares it, as the public sees it."""

import re
from collections.abc import Sequence
from typing import Final
from urllib.parse import unquote

from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from modhost.configuration import PublicUrl

# RFC 9112, 3.2.2. User names are not part of it: RFC 9110, 4.2.4.
_ABSOLUTE: Final = re.compile(rb"https?://([^/@]+)(/.*)?", re.IGNORECASE | re.DOTALL)
# Cookies named `__Host-` have no other path than `/`.
_COOKIE_PATH: Final = re.compile(r"(?i)(^(?!__host-).*;\s*path=)(/[^;]*)")
_BASE_PATH: Final = "modhost.base_path"
_NAMED_HOST: Final = "modhost.named_host"


class AbsoluteTargetMiddleware:
    """Takes `GET http://host/path` for `GET /path` with that `Host`, whatever the header says.

    Clients that speak to a proxy name the host together with the path.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the path does."""
        if scope["type"] == "http" and not scope["path"].startswith("/"):
            target = _ABSOLUTE.fullmatch(scope["raw_path"])
            if target is not None:
                path = target[2] or b"/"
                others = [(name, value) for name, value in scope["headers"] if name != b"host"]
                scope = {
                    **scope,
                    "path": unquote(path.decode("ascii")),
                    "raw_path": path,
                    "headers": [(b"host", target[1].lower()), *others],
                }
        await self._app(scope, receive, send)


class TlsAheadMiddleware:
    """Takes every request for one over TLS, which a proxy ahead of the host has ended.

    So cookies are `Secure`, and browsers are asked to keep to TLS.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as to a request over TLS."""
        if scope["type"] == "http":
            scope = {**scope, "scheme": "https"}
        await self._app(scope, receive, send)


class PublicUrlMiddleware:
    """Takes every request for one to the public address, whatever the proxy says.

    Within the host all paths begin at its root. The path of the public address is removed from
    requests, unless the proxy has done so, and put in front of the paths of redirects and cookies.
    """

    def __init__(self, app: ASGIApp, public: PublicUrl) -> None:
        self._app = app
        self._public = public

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as to a request that came to the public address directly."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        named = [value for name, value in scope["headers"] if name == b"host"]
        others = [(name, value) for name, value in scope["headers"] if name != b"host"]
        scope = {
            **scope,
            "scheme": self._public.scheme,
            "headers": [(b"host", self._public.netloc.encode()), *others],
            _BASE_PATH: self._public.path,
            _NAMED_HOST: named[0].decode("latin-1") if named else "",
        }
        base = self._public.path
        if base and f"{scope['path']}/".startswith(f"{base}/"):
            scope["path"] = scope["path"][len(base) :] or "/"
            if (raw := scope.get("raw_path") or b"").startswith(base.encode()):
                scope["raw_path"] = raw[len(base) :] or b"/"

        async def send_below_base(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._move_below_base(MutableHeaders(scope=message))
            await send(message)

        await self._app(scope, receive, send_below_base if base else send)

    def _move_below_base(self, headers: MutableHeaders) -> None:
        for name in ("location", "content-location"):
            if name in headers:
                headers[name] = self._public.below_base(headers[name])
        cookies = headers.getlist("set-cookie")
        if cookies:
            del headers["set-cookie"]
            for cookie in cookies:
                headers.append("set-cookie", _COOKIE_PATH.sub(self._cookie_path, cookie))

    def _cookie_path(self, found: re.Match[str]) -> str:
        return f"{found[1]}{self._public.path}{found[2].rstrip('/')}"


def base_path(request: Request) -> str:
    """Return the path of `[host] public_url` without its last slash; empty without one."""
    path: str = request.scope.get(_BASE_PATH, "")
    return path


def named_host(scope: Scope) -> str:
    """Return the `Host` header as it was sent, port included."""
    if _NAMED_HOST in scope:
        return str(scope[_NAMED_HOST])
    return next((v.decode("latin-1") for name, v in scope["headers"] if name == b"host"), "")


def proxy_middleware(
    trusted: Sequence[str], public: PublicUrl | None, *, behind_tls: bool
) -> list[Middleware]:
    """Return what knows the client's address, and the scheme, host and path of the request."""
    found = []
    if trusted:
        # It imports all of uvicorn, which the processes of jobs do without.
        from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

        found.append(Middleware(ProxyHeadersMiddleware, trusted_hosts=list(trusted)))
    if behind_tls:
        found.append(Middleware(TlsAheadMiddleware))
    if public is not None:
        found.append(Middleware(PublicUrlMiddleware, public=public))
    return found
