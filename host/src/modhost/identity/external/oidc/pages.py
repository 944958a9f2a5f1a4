"""The code flow with PKCE: to the provider and back (OpenID Connect Core 1.0, 3.1)."""

import base64
import hashlib
import hmac
import logging
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode

from pydantic import BaseModel, TypeAdapter
from starlette.requests import Request
from starlette.responses import Response

from modhost import ANYONE
from modhost.identity.access.credentials import (
    cookie_name,
    cookie_settings,
    keeps_cookies,
    new_secret,
)
from modhost.identity.access.throttle import Throttle, network_of
from modhost.identity.contracts import VouchedLogins
from modhost.identity.errors import IdentityError, TooManyFailures
from modhost.identity.external.oidc.options import OidcOptions
from modhost.identity.external.oidc.provider import InvalidToken, Provider, ProviderUnreachable
from modhost.identity.external.oidc.token_check import KIND, TokenChecker
from modhost.identity.login.pages import (
    PLAIN_HTTP,
    LoginQuery,
    logged_in,
    redirect,
    visitor_of,
)
from modhost.web import HttpProblem, Pages, Query, base_path

logger = logging.getLogger(__name__)

PATH: Final = "/login/oidc"
CALLBACK: Final = f"{PATH}/callback"
STATE_COOKIE: Final = "modhost_oidc"
STATE_LIFETIME_SECONDS: Final = 600
_MAX_FAILURES_PER_ADDRESS: Final = 20
_AGAIN: Final = "Begin again at the login page."


@dataclass(frozen=True, slots=True)
class LoginState:
    """The secrets that bind the provider's answer to this browser and to this login.

    Only the browser has them: any process of the host can finish a login that another began.
    """

    state: str = field(default_factory=new_secret, repr=False)
    nonce: str = field(default_factory=new_secret, repr=False)
    verifier: str = field(default_factory=new_secret, repr=False)
    following: str = ""

    @property
    def challenge(self) -> str:
        """The challenge of the verifier (RFC 7636, S256)."""
        digest = hashlib.sha256(self.verifier.encode()).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    def matches(self, state: str) -> bool:
        """Return whether an answer belongs to this login."""
        return hmac.compare_digest(self.state.encode(), state.encode())


_STATE: Final = TypeAdapter(LoginState)


class AnswerQuery(BaseModel):
    """The provider's answer (RFC 6749, 4.1.2)."""

    code: str = ""
    state: str = ""
    error: str = ""


def map_pages(pages: Pages) -> None:
    """Map the two pages, which show nothing but errors."""
    pages.get("/", begin, permission=ANYONE)
    pages.get("/callback", finish, permission=ANYONE)


async def begin(
    request: Request, query: Query[LoginQuery], provider: Provider, options: OidcOptions
) -> Response:
    """Send the browser to the provider."""
    login = LoginState(following=query.next[:2000])
    try:
        metadata = await provider.metadata()
    except ProviderUnreachable as error:
        raise _unreachable(error, options) from None
    parameters = {
        "response_type": "code",
        "client_id": options.client_id,
        "redirect_uri": _redirect_uri(request),
        "scope": " ".join(options.scopes),
        "state": login.state,
        "nonce": login.nonce,
        "code_challenge": login.challenge,
        "code_challenge_method": "S256",
    }
    mark = "&" if "?" in metadata.authorization_endpoint else "?"
    response = redirect(f"{metadata.authorization_endpoint}{mark}{urlencode(parameters)}")
    stored = base64.urlsafe_b64encode(_STATE.dump_json(login)).decode()
    settings = _cookie_settings(request)
    response.set_cookie(_state_cookie(request), stored, STATE_LIFETIME_SECONDS, **settings)
    return response


async def finish(
    request: Request,
    query: Query[AnswerQuery],
    provider: Provider,
    checker: TokenChecker,
    logins: VouchedLogins,
    throttle: Throttle,
    options: OidcOptions,
) -> Response:
    """Log in the user whom the provider has identified."""
    if request.method != "GET":
        raise HttpProblem(404, "Logins end here by GET only.")
    visitor = visitor_of(request)
    try:
        stored = base64.urlsafe_b64decode(request.cookies.get(_state_cookie(request), ""))
        login = _STATE.validate_json(stored)
    except ValueError:
        # Not recorded in the audit, which a stranger could fill at no cost.
        detail = _AGAIN if keeps_cookies(request) else PLAIN_HTTP
        detail = f"This browser has no login in progress. {detail}"
        raise HttpProblem(403, detail) from None
    address = f"callback {network_of(visitor.address)}"
    try:
        throttle.begin({address: _MAX_FAILURES_PER_ADDRESS})
        _check_answer(login, query)
        token = await provider.exchange(query.code, login.verifier, _redirect_uri(request))
        identity = await checker.login(token, login.nonce)
        secret = await logins.log_in(identity, visitor)
    except ProviderUnreachable as error:
        raise _unreachable(error, options) from None
    except TooManyFailures as error:
        headers = {"Retry-After": str(error.retry_after)}
        raise HttpProblem(429, str(error), headers=headers) from None
    except InvalidToken as error:
        await logins.refused(KIND, str(error), visitor)
        raise _refused(request, f"The login failed: {error}. {_AGAIN}") from None
    except IdentityError as error:
        raise _refused(request, str(error)) from None
    throttle.succeeded(forget=address, forgive=address)
    response = logged_in(request, secret, login.following)
    response.delete_cookie(_state_cookie(request), **_cookie_settings(request))
    return response


def _check_answer(login: LoginState, answer: AnswerQuery) -> None:
    """Raise `InvalidToken` unless the answer belongs to the login and brings a code."""
    if not login.matches(answer.state):
        raise InvalidToken("the answer belongs to another login")
    if answer.error or not answer.code:
        raise InvalidToken(f"the provider answered {answer.error[:100]!r}")


def _state_cookie(request: Request) -> str:
    return cookie_name(request, STATE_COOKIE)


def _cookie_settings(request: Request) -> dict[str, Any]:
    return {**cookie_settings(request), "path": PATH}


def _redirect_uri(request: Request) -> str:
    return f"{request.url.scheme}://{request.url.netloc}{base_path(request)}{CALLBACK}"


def _refused(request: Request, detail: str) -> HttpProblem:
    """Return the refusal of a login, whose state the browser forgets with it."""
    response = Response()
    response.delete_cookie(_state_cookie(request), **_cookie_settings(request))
    return HttpProblem(403, detail, headers={"Set-Cookie": response.headers["set-cookie"]})


def _unreachable(error: ProviderUnreachable, options: OidcOptions) -> HttpProblem:
    logger.warning("Nobody can log in by %s (%s).", options.provider_name, error)
    detail = f"{options.provider_name} cannot be reached now; try again in a moment."
    return HttpProblem(503, detail)
