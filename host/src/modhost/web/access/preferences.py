"""What a visitor prefers on all pages, as the browser keeps it, and addresses to come back to."""

from typing import Final
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from modhost.web.middleware.addressing import base_path

_EXACT_TIMES: Final = "modhost-exact-times"
_A_YEAR: Final = 365 * 24 * 3600


def wants_exact_times(request: Request) -> bool:
    """Return whether to show moments, and not how far they are from now."""
    return request.cookies.get(_EXACT_TIMES) == "yes"


def keep_exact_times(request: Request, response: Response, *, are_wanted: bool) -> None:
    """Have the browser keep how to show times; scripts of pages change it, too."""
    value, is_secure = "yes" if are_wanted else "no", request.url.scheme == "https"
    path = f"{base_path(request)}/"
    response.set_cookie(_EXACT_TIMES, value, _A_YEAR, path=path, secure=is_secure, samesite="lax")


def own_path(path: str, otherwise: str = "/") -> str:
    """Return the path if it belongs to this host."""
    try:
        parts = urlsplit(path)
    except ValueError:
        return otherwise  # such as `//[`
    is_own = path.startswith("/") and not parts.scheme and not parts.netloc
    # Browsers read a backslash as a slash, and drop tabs and line ends.
    is_plain = path.isascii() and path.isprintable() and "\\" not in path and path[:2] != "//"
    return path if is_own and is_plain else otherwise
