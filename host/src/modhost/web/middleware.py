"""The connection of a request: through a proxy, over TLS, kept open or closed."""

import re
from collections.abc import Sequence
from typing import Final
from urllib.parse import unquote, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from modhost.web.problems import HttpProblem

# RFC 9112, 3.2.2. User names are not part of it: RFC 9110, 4.2.4.
_ABSOLUTE: Final = re.compile(rb"https?://([^/@]+)(/.*)?", re.IGNORECASE | re.DOTALL)
_FIRST_ERROR: Final = 400


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


class UnreadBodyMiddleware:
    """Sends `Connection: close` with an error that leaves some of the body unread.

    To keep the connection the server would have to read to the end of what was refused.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, and watch whether the body is read until then."""
        if scope["type"] != "http" or not _has_body(Headers(scope=scope)):
            await self._app(scope, receive, send)
            return
        is_read = False

        async def observed_receive() -> Message:
            nonlocal is_read
            message = await receive()
            is_read = is_read or not message.get("more_body", False)
            return message

        async def closing_send(message: Message) -> None:
            is_start = message["type"] == "http.response.start"
            if is_start and not is_read and message["status"] >= _FIRST_ERROR:
                MutableHeaders(scope=message)["Connection"] = "close"
            await send(message)

        await self._app(scope, observed_receive, closing_send)


def _has_body(headers: Headers) -> bool:
    return "transfer-encoding" in headers or headers.get("content-length", "0") != "0"


def proxy_middleware(trusted: Sequence[str], *, behind_tls: bool) -> list[Middleware]:
    """Return what reads the client's address and scheme from trusted proxies."""
    found = []
    if trusted:
        # It imports all of uvicorn, which the processes of jobs do without.
        from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

        found.append(Middleware(ProxyHeadersMiddleware, trusted_hosts=list(trusted)))
    return [*found, Middleware(TlsAheadMiddleware)] if behind_tls else found


CONTENT_SECURITY_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)

_HEADERS: Final = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}
_HSTS: Final = "max-age=31536000"
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class SecurityHeadersMiddleware:
    """Adds the security headers to every response that does not set them itself."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, with the headers."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                if scope["scheme"] == "https":
                    headers.setdefault("Strict-Transport-Security", _HSTS)
            await send(message)

        await self._app(scope, receive, send_with_headers)


class CrossSiteMiddleware:
    """Refuses unsafe requests that another site made the browser send."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, unless another site sent the request. Raises `HttpProblem` 403."""
        if scope["type"] == "http" and _is_forged(scope["method"], Headers(scope=scope)):
            raise HttpProblem(403, "Another site sent this request; only pages of this host may.")
        await self._app(scope, receive, send)


def _is_forged(method: str, headers: Headers) -> bool:
    """Return whether another site sent the request.

    A bearer token is exempt: no browser adds one by itself, as it does with cookies. Browsers too
    old for `Sec-Fetch-Site`, or on plain http, send `Origin`; programs send neither.
    """
    if method in SAFE_METHODS or headers.get("authorization", "").lower().startswith("bearer "):
        return False
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = headers.get("origin")
    try:
        return origin is not None and urlsplit(origin).netloc != headers.get("host", "")
    except ValueError:
        return True  # such as `http://[::1`, which no browser sends
