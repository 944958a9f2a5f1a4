"""Protection of every answer: security headers, host names, and requests of other sites."""

import logging
import re
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from modhost.configuration import PublicUrl
from modhost.web.middleware.addressing import named_host
from modhost.web.problems import HttpProblem

_log: Final = logging.getLogger("modhost.web")

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
_DEFAULT_PORTS: Final = {"http": ":80", "https": ":443"}
_NOTED_NAMES: Final = 20
_UNDER_ANY_NAME: Final = re.compile("/health/.*|/metrics/?")
_ANOTHER_SITE: Final = "Another site sent this request; only pages of this host may."
_IF_OWN: Final = (
    "The page was at {!r}, and this host takes itself for {!r}. If these are the same host, the "
    "proxy does not pass the name and the port on: set [host] public_url to the address that "
    "browsers show, or let the proxy send it as Host (in nginx $http_host, not $host)."
)


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
                if headers.get("content-type", "").startswith("text/event-stream"):
                    # nginx would keep events back until its buffer is full.
                    headers.setdefault("X-Accel-Buffering", "no")
            await send(message)

        await self._app(scope, receive, send_with_headers)


class AllowedHostsMiddleware:
    """Refuses requests that claim a name which the host does not have.

    Health and metrics are reported under any name: probes and scrapers come by the address of a
    container or a machine.
    """

    def __init__(self, app: ASGIApp, allowed_hosts: Sequence[str]) -> None:
        self._app = app
        self._allowed = [each.lower() for each in allowed_hosts]
        self._noted: set[str] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, unless the name is not ours. Raises `HttpProblem` 400."""
        if scope["type"] == "http" and not _UNDER_ANY_NAME.fullmatch(scope["path"]):
            named = named_host(scope)
            if not self._is_allowed(_without_port(named).lower()):
                self._note(named)
                detail = f"This host does not answer to the name {named!r}."
                raise HttpProblem(400, detail)
        await self._app(scope, receive, send)

    def _is_allowed(self, name: str) -> bool:
        return any(
            each in ("*", name) or (each.startswith("*.") and name.endswith(each[1:]))
            for each in self._allowed
        )

    def _note(self, named: str) -> None:
        """Log a name once; whoever makes names up cannot fill the log."""
        if named not in self._noted and len(self._noted) < _NOTED_NAMES:
            self._noted.add(named)
            message = "Refused a request for %r, a name that is not in [host] allowed_hosts."
            _log.warning(message, named[:200])


def _without_port(named: str) -> str:
    name, _, port = named.rpartition(":")
    return name if name and port.isdecimal() else named


class CrossSiteMiddleware:
    """Refuses unsafe requests that another site made the browser send."""

    def __init__(self, app: ASGIApp, public: PublicUrl | None = None) -> None:
        self._app = app
        self._public = public

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, unless another site sent the request. Raises `HttpProblem` 403."""
        if scope["type"] == "http" and scope["method"] not in SAFE_METHODS:
            self._check(Headers(scope=scope))
        await self._app(scope, receive, send)

    def _check(self, headers: Headers) -> None:
        """Raise `HttpProblem` if another site sent the request.

        A bearer token is exempt: no browser adds one by itself, as it does with cookies. Browsers
        too old for `Sec-Fetch-Site`, or on plain http, send `Origin`; programs send neither.
        """
        if headers.get("authorization", "").lower().startswith("bearer "):
            return
        site, origin = headers.get("sec-fetch-site"), headers.get("origin")
        if site is not None:
            if site not in ("same-origin", "none"):
                raise HttpProblem(403, _ANOTHER_SITE)
        elif origin is not None and not self._is_own(origin, headers.get("host", "")):
            own = self._public.origin if self._public else headers.get("host", "")
            raise HttpProblem(403, f"{_ANOTHER_SITE} {_IF_OWN.format(origin, own)}")

    def _is_own(self, origin: str, host: str) -> bool:
        if self._public is not None:
            return origin == self._public.origin
        try:
            parts = urlsplit(origin)
        except ValueError:
            return False  # such as `http://[::1`, which no browser sends
        # A proxy may name the port that browsers leave out.
        port = _DEFAULT_PORTS.get(parts.scheme, "")
        return parts.netloc != "" and parts.netloc in (host, host.removesuffix(port))
