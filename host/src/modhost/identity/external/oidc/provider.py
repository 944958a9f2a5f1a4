"""What can go wrong with a provider, in sentences that carry no secret."""

import logging
import ssl
from functools import cache
from typing import Any, Final

import anyio
import httpx2
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, KeySet
from pydantic import BaseModel, ValidationError, ValidationInfo, field_validator

from modhost.clock import Clock
from modhost.identity.external.oidc.options import OidcOptions, is_safe


class ProviderUnreachable(Exception):
    """The provider does not answer, or not as its standard says."""


class InvalidToken(Exception):
    """A token that proves nothing here."""


logger = logging.getLogger(__name__)

LIFETIME_SECONDS: Final = 300.0
LONGEST_SECONDS: Final = 3600.0
MIN_PAUSE_SECONDS: Final = 5.0
_TIMEOUT_SECONDS: Final = 10.0


class Metadata(BaseModel):
    """What the host needs of the provider's own description (OpenID Connect Discovery 1.0)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str

    @field_validator("issuer")
    @classmethod
    def _is_the_one(cls, value: str, info: ValidationInfo) -> str:
        if value != info.context:
            msg = f"it says that it is {value!r}, not {info.context!r}"
            raise ValueError(msg)
        return value

    @field_validator("authorization_endpoint", "token_endpoint", "jwks_uri")
    @classmethod
    def _is_safe(cls, value: str) -> str:
        if not is_safe(value):
            msg = f"{value!r} is not reached by https"
            raise ValueError(msg)
        return value


class Provider:
    """One issuer. What it says is looked up again after some minutes, so that keys can rotate.

    While it cannot be reached, what it said last is good for an hour. A key that is not known is
    asked for at once, but not more often than every few seconds, whoever sends such tokens.
    """

    def __init__(self, options: OidcOptions, clock: Clock) -> None:
        self._options = options
        self._clock = clock
        self._fetching = anyio.Lock()
        self._known: tuple[Metadata, KeySet] | None = None
        self._fetched_at = 0.0
        self._tried_at: float | None = None

    async def metadata(self) -> Metadata:
        """Return the endpoints. Raises `ProviderUnreachable`."""
        return (await self._current(self._is_old))[0]

    async def keys(self, unless: KeySet | None = None) -> KeySet:
        """Return the keys; others than `unless`, where the provider has others by now.

        Raises `ProviderUnreachable`.
        """
        known = self._known
        is_wanted = known is not None and known[1] is unless
        return (await self._current(lambda: is_wanted or self._is_old()))[1]

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
        status, answer = await _ask("POST", metadata.token_endpoint, form)
        token = answer.get("id_token")
        if status != 200 or not isinstance(token, str):
            reason = str(answer.get("error", f"status {status}, without an ID token"))[:100]
            msg = f"the provider refused the code: {reason}"
            raise InvalidToken(msg)
        return token

    def _is_old(self) -> bool:
        return self._clock.monotonic() - self._fetched_at >= LIFETIME_SECONDS

    async def _current(self, is_to_be_fetched: Any) -> tuple[Metadata, KeySet]:
        async with self._fetching:
            if self._known is not None and not is_to_be_fetched():
                return self._known
            now = self._clock.monotonic()
            known = self._known
            if known is not None and now - self._fetched_at >= LONGEST_SECONDS:
                known = None
            if self._tried_at is not None and now - self._tried_at < MIN_PAUSE_SECONDS:
                if known is None:
                    msg = f"{self._options.issuer} did not answer a moment ago."
                    raise ProviderUnreachable(msg)
                return known
            self._tried_at = now
            try:
                self._known = await self._fetch()
            except ProviderUnreachable as error:
                if known is None:
                    raise
                logger.warning("The identity provider does not answer: %s", error)
                return known
            self._fetched_at = now
            return self._known

    async def _fetch(self) -> tuple[Metadata, KeySet]:
        where = f"{self._options.issuer.rstrip('/')}/.well-known/openid-configuration"
        described = await _get(where)
        try:
            metadata = Metadata.model_validate(described, context=self._options.issuer)
            keys = _usable_keys(await _get(metadata.jwks_uri))
        except (ValidationError, ValueError, KeyError, TypeError, JoseError) as error:
            reason = " ".join(str(error).split())[:300]
            msg = f"What {where} leads to cannot be used: {reason}."
            raise ProviderUnreachable(msg) from None
        return metadata, keys


def _usable_keys(published: dict[str, Any]) -> KeySet:
    """Return the keys that can be used: one of a kind that is not known must not stop the rest."""
    keys = []
    for number, each in enumerate(published["keys"]):
        try:
            keys.append(JWKRegistry.import_key(each))
        except Exception as error:  # noqa: BLE001 - whatever the libraries below raise
            logger.warning("The provider's key number %d is left out: %r.", number, error)
    if not keys:
        msg = "none of the keys can be used"
        raise ValueError(msg)
    return KeySet(keys)


async def _get(url: str) -> dict[str, Any]:
    status, answer = await _ask("GET", url)
    if status != 200:
        msg = f"{url} answered with the status {status}."
        raise ProviderUnreachable(msg)
    return answer


@cache
def _trust() -> ssl.SSLContext:
    """What servers are trusted by; reading it holds up the event loop, so once."""
    return httpx2.create_ssl_context(trust_env=False)


async def _ask(
    method: str, url: str, form: dict[str, str] | None = None
) -> tuple[int, dict[str, Any]]:
    try:
        async with httpx2.AsyncClient(
            verify=_trust(), timeout=_TIMEOUT_SECONDS, trust_env=False
        ) as client:
            answer = await client.request(
                method, url, data=form, headers={"Accept": "application/json"}
            )
            found = answer.json()
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        msg = f"{url} cannot be reached: {str(error) or type(error).__name__}."
        raise ProviderUnreachable(msg) from None
    except (ValueError, RecursionError):
        msg = f"{url} answered with what is no JSON."
        raise ProviderUnreachable(msg) from None
    return answer.status_code, found if isinstance(found, dict) else {}
