"""A login that has begun: what the browser keeps while its user is with the provider."""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Final

from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from modhost.identity.access.credentials import must_be_secure, new_secret

COOKIE: Final = "modhost_oidc"
PATH: Final = "/login/oidc"
LIFETIME_SECONDS: Final = 600


@dataclass(frozen=True, slots=True)
class BegunLogin:
    """The secrets that bind the provider's answer to this browser and to this login.

    Only the browser has them: any process of the host can finish what another has begun.
    """

    state: str = field(default_factory=new_secret, repr=False)
    nonce: str = field(default_factory=new_secret, repr=False)
    verifier: str = field(default_factory=new_secret, repr=False)
    following: str = ""

    @property
    def challenge(self) -> str:
        """What the provider is told of the verifier (RFC 7636, S256)."""
        digest = hashlib.sha256(self.verifier.encode()).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    def is_answered_by(self, state: str) -> bool:
        """Tell whether an answer belongs to this login."""
        return hmac.compare_digest(self.state.encode(), state.encode())

    def keep(self, request: Request, response: Response) -> None:
        """Give it to the browser, for as long as a login takes."""
        response.set_cookie(
            COOKIE,
            base64.urlsafe_b64encode(_STORED.dump_json(self)).decode(),
            max_age=LIFETIME_SECONDS,
            path=PATH,
            httponly=True,
            samesite="lax",
            secure=must_be_secure(request),
        )


_STORED: Final = TypeAdapter(BegunLogin)


def begun_login(request: Request) -> BegunLogin | None:
    """Return the login that this browser has begun, if it has."""
    try:
        stored = base64.urlsafe_b64decode(request.cookies.get(COOKIE, ""))
        return _STORED.validate_json(stored)
    except (binascii.Error, ValueError, ValidationError):
        return None


def forgetting(request: Request) -> dict[str, str]:
    """Return the header that takes it from the browser, for an answer that is an error."""
    response = Response()
    forget(request, response)
    return {"Set-Cookie": response.headers["set-cookie"]}


def forget(request: Request, response: Response) -> None:
    """Take it from the browser: each login is answered once."""
    response.delete_cookie(
        COOKIE, path=PATH, httponly=True, samesite="lax", secure=must_be_secure(request)
    )
