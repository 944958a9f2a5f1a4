"""The state of a login: kept by the browser while its user is with the provider."""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Final

from pydantic import TypeAdapter
from starlette.requests import Request
from starlette.responses import Response

from modhost.identity.access.credentials import must_be_secure, new_secret

COOKIE: Final = "modhost_oidc"
PATH: Final = "/login/oidc"
LIFETIME_SECONDS: Final = 600


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

    def store(self, request: Request, response: Response) -> None:
        """Give the state to the browser, for as long as a login takes."""
        response.set_cookie(
            COOKIE,
            base64.urlsafe_b64encode(_JSON.dump_json(self)).decode(),
            max_age=LIFETIME_SECONDS,
            path=PATH,
            httponly=True,
            samesite="lax",
            secure=must_be_secure(request),
        )


_JSON: Final = TypeAdapter(LoginState)


def login_state_of(request: Request) -> LoginState | None:
    """Return the state of the login that this browser has begun, if any."""
    try:
        return _JSON.validate_json(base64.urlsafe_b64decode(request.cookies.get(COOKIE, "")))
    except (binascii.Error, ValueError):
        return None


def forget(request: Request, response: Response) -> None:
    """Take the state from the browser: each login is answered once."""
    response.delete_cookie(
        COOKIE, path=PATH, httponly=True, samesite="lax", secure=must_be_secure(request)
    )
