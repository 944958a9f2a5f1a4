"""A small OpenID Connect provider on a real port, which tests can have misbehave."""

import base64
import hashlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any
from urllib.parse import urlencode

import uvicorn
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from modhost import Clock
from modhost.runtime.serving.server import open_socket

CLIENT = "modhost"
SECRET = "the-client-secret"
AUDIENCE = "https://modhost.example/api"


class Issuer:
    """What it publishes and signs; the attributes are what tests change."""

    def __init__(self, url: str, clock: Clock) -> None:
        self.url = url
        self.named = url
        self.clock = clock
        self.keys = [key_named("first")]
        self.key_requests = 0
        self.is_down = False
        self.claims: dict[str, Any] = {}
        self.error = ""
        self.nonce: str | None = None
        self._codes: dict[str, dict[str, str]] = {}

    def token(self, key: RSAKey | None = None, header: Any = None, **claims: Any) -> str:
        """An access token of vera; claims of None are left out."""
        now = int(self.clock.now().timestamp())
        values = {
            "iss": self.url,
            "sub": "248289761001",
            "aud": AUDIENCE,
            "iat": now,
            "exp": now + 600,
            "preferred_username": "vera",
            **claims,
        }
        signing = key or self.keys[-1]
        return jwt.encode(
            header or {"alg": "RS256", "kid": signing.kid},
            {name: value for name, value in values.items() if value is not None},
            signing,
        )

    async def discovery(self, _: Request) -> Response:
        if self.is_down:
            return Response(status_code=503)
        return JSONResponse(
            {
                "issuer": self.named,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/keys",
            }
        )

    async def published(self, _: Request) -> Response:
        self.key_requests += 1
        return JSONResponse(KeySet(list(self.keys)).as_dict(private=False))

    async def authorize(self, request: Request) -> Response:
        """Log in without a question, as a provider does that knows its user already."""
        asked = dict(request.query_params)
        assert asked["response_type"] == "code"
        assert asked["client_id"] == CLIENT
        assert asked["code_challenge_method"] == "S256"
        assert "openid" in asked["scope"].split()
        code = f"code-{len(self._codes)}"
        self._codes[code] = asked
        answer = {"error": self.error} if self.error else {"code": code}
        target = f"{asked['redirect_uri']}?{urlencode({**answer, 'state': asked['state']})}"
        return RedirectResponse(target, 302)

    async def exchange(self, request: Request) -> Response:
        form = await request.form()
        asked = self._codes.pop(str(form["code"]), None)
        if asked is None or form.get("client_secret") != SECRET:
            return JSONResponse({"error": "invalid_grant"}, 400)
        digest = hashlib.sha256(str(form["code_verifier"]).encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if challenge != asked["code_challenge"] or form["redirect_uri"] != asked["redirect_uri"]:
            return JSONResponse({"error": "invalid_grant"}, 400)
        nonce = self.nonce or asked["nonce"]
        return JSONResponse({"id_token": self.token(aud=CLIENT, nonce=nonce, **self.claims)})


@cache
def key_named(kid: str) -> RSAKey:
    """The key of that name: making one takes longer than most tests."""
    return RSAKey.generate_key(2048, {"kid": kid, "use": "sig"})


@contextmanager
def running_issuer(clock: Clock) -> Iterator[Issuer]:
    """Serve an issuer in a thread."""
    with open_socket("127.0.0.1", 0) as listener:
        issuer = Issuer(f"http://127.0.0.1:{listener.getsockname()[1]}", clock)
        app = Starlette(
            routes=[
                Route("/.well-known/openid-configuration", issuer.discovery),
                Route("/keys", issuer.published),
                Route("/authorize", issuer.authorize),
                Route("/token", issuer.exchange, methods=["POST"]),
            ]
        )
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        deadline = time.monotonic() + 20
        while not server.started and time.monotonic() < deadline:
            time.sleep(0.01)
        try:
            yield issuer
        finally:
            server.should_exit = True
            thread.join(20)
