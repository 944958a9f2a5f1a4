"""What every way into a session does with the browser: who it is, where it goes, its cookie."""

from typing import Final
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from modhost.identity.access.credentials import session_of, set_session
from modhost.identity.contracts import Visitor

NOT_STORED: Final = {"Cache-Control": "no-store"}

_HOME: Final = "/admin"


def visitor_of(request: Request) -> Visitor:
    """Return what the request tells of its browser."""
    address = request.client.host if request.client else ""
    return Visitor(address, request.headers.get("user-agent", ""), session_of(request))


def safe_next(path: str) -> str:
    """Return the path when it is one of this host, and the start page instead of any other."""
    try:
        parts = urlsplit(path)
    except ValueError:
        return _HOME  # such as `//[`
    is_own = path.startswith("/") and not parts.scheme and not parts.netloc
    # Browsers read a backslash as a slash, and drop tabs and line ends.
    is_plain = path.isascii() and path.isprintable() and "\\" not in path and path[:2] != "//"
    return path if is_own and is_plain else _HOME


def logged_in(request: Request, secret: str, following: str) -> Response:
    """Give the browser its session, and send it where it wanted to go."""
    response = redirect(safe_next(following))
    set_session(request, response, secret)
    return response


def redirect(path: str) -> Response:
    """Send the browser elsewhere."""
    return RedirectResponse(path, 303, NOT_STORED)
