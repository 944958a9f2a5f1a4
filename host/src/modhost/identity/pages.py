"""The pages that log a browser in and out."""

from typing import Final
from urllib.parse import urlsplit

from pydantic import BaseModel, SecretStr
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from modhost.audit import AuditLog
from modhost.host_info import HostInfo
from modhost.identity.contracts import LoginService, SessionService, Visitor
from modhost.identity.cookie import clear_session, session_of, set_session
from modhost.identity.errors import LoginFailed, TooManyFailures
from modhost.identity.login import LINK_PATH
from modhost.loopback import is_loopback
from modhost.permissions import ANYONE, Principal
from modhost.web import Form, HttpProblem, Page, Pages, Query

_HOME: Final = "/admin"
_NOT_STORED: Final = {"Cache-Control": "no-store"}


class LoginQuery(BaseModel):
    """Where the visitor wanted to go."""

    next: str = ""


class LoginForm(LoginQuery):
    """What the visitor typed."""

    name: str = ""
    password: SecretStr = SecretStr("")


def map_pages(pages: Pages) -> None:
    """Map the pages of the login."""
    pages.get("/login", show_login, permission=ANYONE)
    pages.post("/login", log_in, permission=ANYONE)
    pages.get(f"{LINK_PATH}/{{secret}}", log_in_once, permission=ANYONE)
    pages.post("/logout", log_out, permission=ANYONE)


async def show_login(query: Query[LoginQuery], caller: Principal | None) -> Page | Response:
    """Ask for name and password."""
    if caller is not None:
        return _redirect(safe_next(query.next))
    return _login_page(query.next)


async def log_in(request: Request, form: Form[LoginForm], login: LoginService) -> Page | Response:
    """Log in with name and password, and go where the visitor wanted to."""
    password = form.password.get_secret_value()
    try:
        secret = await login.with_password(form.name, password, visitor_of(request))
    except TooManyFailures as error:
        headers = {"Retry-After": str(error.retry_after)}
        return _login_page(form.next, form.name, str(error), 429, headers)
    except LoginFailed as error:
        return _login_page(form.next, form.name, str(error), 403)
    return _logged_in(request, secret, form.next)


async def log_in_once(
    request: Request, secret: str, login: LoginService, host: HostInfo
) -> Page | Response:
    """Log in by the one-time link of a development start."""
    if host.environment != "development" or request.method != "GET":
        raise HttpProblem(404, "There are no links that log in here.")
    if not is_loopback(visitor_of(request).address):
        detail = "This link works only in a browser on the machine that the host runs on."
        raise HttpProblem(403, detail)
    try:
        session = await login.with_link(secret, visitor_of(request))
    except LoginFailed:
        message = (
            "This link was used before or is over; the next start of the host prints a new one."
        )
        return _login_page("", "", message, 403)
    return _logged_in(request, session, "")


async def log_out(
    request: Request, sessions: SessionService, audit: AuditLog, caller: Principal | None
) -> Response:
    """End the session, here and in the database."""
    secret = session_of(request)
    if secret is not None:
        await sessions.close(secret)
    if caller is not None:
        await audit.record("logout", f"user:{caller.name}")
    response = _redirect("/login")
    clear_session(request, response)
    return response


def visitor_of(request: Request) -> Visitor:
    """Return what the request tells of its browser."""
    address = request.client.host if request.client else ""
    return Visitor(address, request.headers.get("user-agent", ""), session_of(request))


def safe_next(path: str) -> str:
    """Return the path when it is one of this host, and the start page instead of any other."""
    parts = urlsplit(path)
    is_own = path.startswith("/") and not parts.scheme and not parts.netloc
    # Browsers read a backslash as a slash, and drop tabs and line ends.
    is_plain = path.isascii() and path.isprintable() and "\\" not in path and path[:2] != "//"
    return path if is_own and is_plain else _HOME


def _logged_in(request: Request, secret: str, following: str) -> Response:
    response = _redirect(safe_next(following))
    set_session(request, response, secret)
    return response


def _redirect(path: str) -> Response:
    return RedirectResponse(path, 303, _NOT_STORED)


def _login_page(
    following: str,
    name: str = "",
    message: str = "",
    status: int = 200,
    headers: dict[str, str] | None = None,
) -> Page:
    context = {"next": following, "name": name, "message": message}
    return Page("modhost/login.html", context, "Log in", status, {**_NOT_STORED, **(headers or {})})
