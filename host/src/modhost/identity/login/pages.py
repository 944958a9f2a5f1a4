"""The pages that log a browser in and out."""

import logging
from typing import Final
from urllib.parse import urlencode

from pydantic import BaseModel, SecretStr
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from modhost import ANYONE, HostInfo, Principal
from modhost.audit import AuditLog
from modhost.configuration import is_loopback
from modhost.identity.access.credentials import (
    cookie_settings,
    keeps_cookies,
    session_cookie,
    session_of,
)
from modhost.identity.contracts import LoginService, LoginWay, SessionService, Visitor
from modhost.identity.errors import LoginFailed, TooManyFailures
from modhost.identity.login.login import LINK_PATH
from modhost.web import Form, HttpProblem, Page, Pages, Query
from modhost.web.access.preferences import own_path

_NOT_STORED: Final = {"Cache-Control": "no-store"}
_HOME: Final = "/admin"

PLAIN_HTTP: Final = (
    "Over plain HTTP a browser keeps no log-in. Open this host by https://. If you do, its proxy "
    "does not pass that on: set [host] public_url, or let the proxy send X-Forwarded-Proto and "
    "name it in [host] trusted_proxies."
)
logger = logging.getLogger(__name__)


class Destination(BaseModel):
    """The page that the visitor wanted, in `next`."""

    next: str = ""


class LoginQuery(Destination):
    """Where to go, and whether the browser has been given a session that it may not keep."""

    begun: bool = False


class LoginForm(Destination):
    """The visitor's name and password."""

    name: str = ""
    password: SecretStr = SecretStr("")


class LoginPage:
    """Shows the form, and the alternatives to it that modules offer."""

    def __init__(self, ways: tuple[LoginWay, ...] = ()) -> None:
        self._ways = ways

    def show(
        self,
        form: Destination,
        message: str = "",
        status: int = 200,
        headers: dict[str, str] | None = None,
    ) -> Page:
        """Return the page, with what was typed except the password."""
        name = form.name if isinstance(form, LoginForm) else ""
        context = {"next": form.next, "name": name, "message": message, "ways": self._ways}
        own_headers = {**_NOT_STORED, **(headers or {})}
        return Page("modhost/identity/login.html", context, "Log in", status, own_headers)


def map_login_pages(pages: Pages) -> None:
    """Map the pages of the login."""
    pages.get("/login", show_login, permission=ANYONE)
    pages.post("/login", log_in, permission=ANYONE)
    pages.get(f"{LINK_PATH}/{{secret}}", log_in_once, permission=ANYONE)
    pages.post("/logout", log_out, permission=ANYONE)


async def show_login(
    request: Request, query: Query[LoginQuery], page: LoginPage, caller: Principal | None
) -> Page | Response:
    """Ask for name and password."""
    if caller is not None:
        return redirect(own_path(query.next, _HOME))
    if not query.begun or keeps_cookies(request):
        return page.show(query)
    logger.warning("A browser did not keep its log-in. %s", PLAIN_HTTP)
    return page.show(query, f"The log-in was right, and is lost. {PLAIN_HTTP}")


async def log_in(
    request: Request, form: Form[LoginForm], login: LoginService, page: LoginPage
) -> Page | Response:
    """Log in with name and password, and redirect to the page that the visitor wanted."""
    password = form.password.get_secret_value()
    try:
        secret = await login.with_password(form.name, password, visitor_of(request))
    except TooManyFailures as error:
        return page.show(form, str(error), 429, {"Retry-After": str(error.retry_after)})
    except LoginFailed as error:
        return page.show(form, str(error), 403)
    return logged_in(request, secret, form.next)


async def log_in_once(
    request: Request, secret: str, login: LoginService, host: HostInfo, page: LoginPage
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
        message = "This link has been used or has expired; "
        message += "the next start of the host prints a new one."
        return page.show(LoginQuery(), message, 403)
    return logged_in(request, session, "")


async def log_out(
    request: Request, sessions: SessionService, audit: AuditLog, caller: Principal | None
) -> Response:
    """End the session, here and in the database."""
    secret = session_of(request)
    if secret is not None:
        await sessions.close(secret)
    if caller is not None:
        await audit.record("logout", f"user:{caller.name}")
    response = redirect("/login")
    response.delete_cookie(session_cookie(request), **cookie_settings(request))
    return response


def visitor_of(request: Request) -> Visitor:
    """Return the browser that sent the request."""
    address = request.client.host if request.client else ""
    return Visitor(address, request.headers.get("user-agent", ""), session_of(request))


def logged_in(request: Request, secret: str, following: str) -> Response:
    """Give the browser a session until it is closed, and send it to the page that it wanted."""
    page = own_path(following, _HOME)
    if not keeps_cookies(request):
        # Unless a proxy ends TLS and does not say so, this leads to the reason.
        page = f"/login?{urlencode({'next': page, 'begun': 'true'})}"
    response = redirect(page)
    response.set_cookie(session_cookie(request), secret, **cookie_settings(request))
    return response


def redirect(url: str) -> Response:
    """Send the browser elsewhere."""
    return RedirectResponse(url, 303, _NOT_STORED)
