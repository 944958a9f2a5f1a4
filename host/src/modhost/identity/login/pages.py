"""The pages that log a browser in and out."""

from pydantic import BaseModel, SecretStr
from starlette.requests import Request
from starlette.responses import Response

from modhost.audit import AuditLog
from modhost.configuration.loopback import is_loopback
from modhost.identity.access.credentials import clear_session, session_of
from modhost.identity.contracts import LoginService, SessionService
from modhost.identity.errors import LoginFailed, TooManyFailures
from modhost.identity.external.external_identity import LoginWays
from modhost.identity.login.login import LINK_PATH
from modhost.identity.login.login_response import (
    NOT_STORED,
    logged_in,
    redirect,
    safe_next,
    visitor_of,
)
from modhost.module import HostInfo
from modhost.permissions import ANYONE, Principal
from modhost.web import Form, HttpProblem, Page, Pages, Query


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


async def show_login(
    query: Query[LoginQuery], ways: LoginWays, caller: Principal | None
) -> Page | Response:
    """Ask for name and password."""
    if caller is not None:
        return redirect(safe_next(query.next))
    return _login_page(ways, query.next)


async def log_in(
    request: Request, form: Form[LoginForm], login: LoginService, ways: LoginWays
) -> Page | Response:
    """Log in with name and password, and go where the visitor wanted to."""
    password = form.password.get_secret_value()
    following = safe_next(form.next)
    try:
        secret = await login.with_password(form.name, password, visitor_of(request))
    except TooManyFailures as error:
        headers = {"Retry-After": str(error.retry_after)}
        return _login_page(ways, form.next, form.name, str(error), 429, headers)
    except LoginFailed as error:
        return _login_page(ways, form.next, form.name, str(error), 403)
    return logged_in(request, secret, following)


async def log_in_once(
    request: Request, secret: str, login: LoginService, host: HostInfo, ways: LoginWays
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
        return _login_page(ways, "", "", message, 403)
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
    clear_session(request, response)
    return response


def _login_page(
    ways: LoginWays,
    following: str,
    name: str = "",
    message: str = "",
    status: int = 200,
    headers: dict[str, str] | None = None,
) -> Page:
    context = {"next": following, "name": name, "message": message, "ways": ways.all}
    return Page("modhost/login.html", context, "Log in", status, {**NOT_STORED, **(headers or {})})
