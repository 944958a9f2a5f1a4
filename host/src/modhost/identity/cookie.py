"""The cookie that carries a browser's session."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from modhost.loopback import is_loopback

COOKIE: Final = "modhost_session"


def session_of(request: Request) -> str | None:
    """Return the secret of the session that the browser sends, if it sends one."""
    return request.cookies.get(COOKIE) or None


def set_session(request: Request, response: Response, secret: str) -> None:
    """Give the browser its session; it forgets it when it is closed."""
    response.set_cookie(
        COOKIE, secret, httponly=True, samesite="lax", secure=must_be_secure(request)
    )


def clear_session(request: Request, response: Response) -> None:
    """Take the session from the browser."""
    response.delete_cookie(COOKIE, httponly=True, samesite="lax", secure=must_be_secure(request))


def must_be_secure(request: Request) -> bool:
    """Tell whether a cookie may travel by TLS only."""
    # Browsers keep a Secure cookie from plain HTTP, and plain HTTP is for this machine only.
    return request.url.scheme == "https" or not is_loopback(request.url.hostname or "")
