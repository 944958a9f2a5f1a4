"""The provider: its metadata and keys, cached and renewed, and its exchange of codes."""

import logging
import ssl
from collections.abc import Callable
from functools import cache
from typing import Any, Final

import anyio
import httpx2
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, KeySet
from pydantic import BaseModel, ValidationInfo, field_validator

from modhost import Clock
from modhost.calls.own_loop import OwnLoop
from modhost.identity.external.oidc.options import OidcOptions, is_safe

logger = logging.getLogger(__name__)

CACHE_SECONDS: Final = 300.0
"""How long metadata and keys are used before they are fetched again."""
MAX_CACHE_SECONDS: Final = 3600.0
"""How long they are used while the provider cannot be reached."""
MIN_FETCH_INTERVAL: Final = 5.0
_REQUEST_TIMEOUT: Final = 10.0


class ProviderUnreachable(Exception):
    """The provider does not answer, or not as its standard says."""


class InvalidToken(Exception):
    """The token, or the code for one, proves nothing here."""


class Metadata(BaseModel):
    """The endpoints of the provider (OpenID Connect Discovery 1.0)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str

    @field_validator("issuer")
    @classmethod
    def _issuer_is_the_configured_one(cls, value: str, info: ValidationInfo) -> str:
        if value != info.context:
            raise ValueError(f"it says that it is {value!r}, not {info.context!r}")
        return value

    @field_validator("authorization_endpoint", "token_endpoint", "jwks_uri")
    @classmethod
    def _endpoint_is_safe(cls, value: str) -> str:
        if not is_safe(value):
            raise ValueError(f"{value!r} is not reached by https")
        return value


class Provider:
    """One issuer, fetched again after some minutes so that its keys can rotate.

    While it cannot be reached, its last answer is used for up to an hour. An unknown key is
    fetched at once, but at most every few seconds, whoever sends such tokens.
    """

    def __init__(self, options: OidcOptions, clock: Clock) -> None:
        self._options = options
        self._clock = clock
        self._fetching = anyio.Lock()
        self._loop = OwnLoop("The provider of logins")
        self._cached: tuple[Metadata, KeySet] | None = None
        self._fetched_at = 0.0
        self._tried_at: float | None = None

    async def metadata(self) -> Metadata:
        """Return the endpoints. Raises `ProviderUnreachable`."""
        return (await self._current(self._is_stale))[0]

    async def keys(self, unless: KeySet | None = None) -> KeySet:
        """Return the keys; newer ones than `unless`, if the provider has any.

        Raises `ProviderUnreachable`.
        """
        is_refused = self._cached is not None and self._cached[1] is unless
        return (await self._current(lambda: is_refused or self._is_stale()))[1]

    async def exchange(self, code: str, verifier: str, redirect_uri: str) -> str:
        """Return the ID token for the code of a login (RFC 6749, 4.1.3, with RFC 7636).

        Raises `ProviderUnreachable`, and `InvalidToken` when the provider refuses the code.
        """
        metadata = await self.metadata()
        secret = self._options.client_secret.get_secret_value()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "code_verifier": verifier,
            "redirect_uri": redirect_uri,
            "client_id": self._options.client_id,
        }
        if secret:
            form["client_secret"] = secret
        status, answer = await _request("POST", metadata.token_endpoint, form)
        token = answer.get("id_token")
        if status != 200 or not isinstance(token, str):
            reason = str(answer.get("error", f"status {status}, without an ID token"))[:100]
            raise InvalidToken(f"the provider refused the code: {reason}")
        return token

    def _is_stale(self) -> bool:
        return self._clock.monotonic() - self._fetched_at >= CACHE_SECONDS

    async def _current(self, must_fetch: Callable[[], bool]) -> tuple[Metadata, KeySet]:
        self._loop.check()
        async with self._fetching:
            if self._cached is not None and not must_fetch():
                return self._cached
            now = self._clock.monotonic()
            fallback = self._cached if now - self._fetched_at < MAX_CACHE_SECONDS else None
            if self._tried_at is not None and now - self._tried_at < MIN_FETCH_INTERVAL:
                if fallback is None:
                    msg = f"{self._options.issuer} did not answer a moment ago."
                    raise ProviderUnreachable(msg)
                return fallback
            self._tried_at = now
            try:
                self._cached = await self._fetch()
            except ProviderUnreachable as error:
                if fallback is None:
                    raise
                logger.warning("The identity provider does not answer: %s", error)
                return fallback
            self._fetched_at = now
            return self._cached

    async def _fetch(self) -> tuple[Metadata, KeySet]:
        url = f"{self._options.issuer.rstrip('/')}/.well-known/openid-configuration"
        described = await _get(url)
        try:
            metadata = Metadata.model_validate(described, context=self._options.issuer)
            keys = _usable_keys(await _get(metadata.jwks_uri))
        except (ValueError, KeyError, TypeError, JoseError) as error:
            reason = " ".join(str(error).split())[:300]
            msg = f"The metadata at {url}, or the keys that it names, cannot be used: {reason}."
            raise ProviderUnreachable(msg) from None
        return metadata, keys


def _usable_keys(published: dict[str, Any]) -> KeySet:
    """Return the usable keys: one of an unknown kind must not stop the others."""
    keys = []
    for number, each in enumerate(published["keys"]):
        try:
            keys.append(JWKRegistry.import_key(each))
        except Exception as error:  # noqa: BLE001 - whatever the libraries below raise
            logger.warning("The provider's key number %d is left out: %r.", number, error)
    if not keys:
        raise ValueError("none of the keys can be used")
    return KeySet(keys)


async def _get(url: str) -> dict[str, Any]:
    status, answer = await _request("GET", url)
    if status != 200:
        raise ProviderUnreachable(f"{url} answered with the status {status}.")
    return answer


@cache
def _tls_context() -> ssl.SSLContext:
    """Return the trusted certificates; reading them blocks the event loop, so once."""
    return httpx2.create_ssl_context(trust_env=False)


async def _request(
    method: str, url: str, form: dict[str, str] | None = None
) -> tuple[int, dict[str, Any]]:
    settings: Any = {"verify": _tls_context(), "timeout": _REQUEST_TIMEOUT, "trust_env": False}
    try:
        async with httpx2.AsyncClient(**settings) as client:
            headers = {"Accept": "application/json"}
            answer = await client.request(method, url, data=form, headers=headers)
            found = answer.json()
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        msg = f"{url} cannot be reached: {str(error) or type(error).__name__}."
        raise ProviderUnreachable(msg) from None
    except (ValueError, RecursionError):
        raise ProviderUnreachable(f"{url} did not answer with JSON.") from None
    return answer.status_code, found if isinstance(found, dict) else {}
