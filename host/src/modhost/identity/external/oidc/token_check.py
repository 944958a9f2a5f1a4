"""Whether a token was issued by the provider, for this host, and is valid now."""

from collections.abc import Mapping
from typing import Any, Final

from joserfc import jwt
from joserfc.errors import BadSignatureError, InvalidKeyIdError, JoseError

from modhost.clock import Clock
from modhost.identity import VouchedIdentity
from modhost.identity.external.oidc.options import OidcOptions
from modhost.identity.external.oidc.provider import InvalidToken, Provider

KIND: Final = "oidc"
_LONGEST_TOKEN: Final = 16_384
_LONGEST_SUBJECT: Final = 255


class TokenChecker:
    """Checks JWTs (RFC 7519) by the provider's keys; what they say becomes an identity."""

    def __init__(self, provider: Provider, options: OidcOptions, clock: Clock) -> None:
        self._provider = provider
        self._options = options
        self._clock = clock

    async def bearer(self, token: str) -> VouchedIdentity:
        """Return who holds an access token. Raises `InvalidToken`, `ProviderUnreachable`."""
        if not self._options.audience:
            msg = "no audience is configured, so no bearer token is taken"
            raise InvalidToken(msg)
        return self._identity(await self._claims(token, self._options.audience))

    async def login(self, token: str, nonce: str) -> VouchedIdentity:
        """Return whom an ID token is about that was asked for with the nonce.

        Raises `InvalidToken`, `ProviderUnreachable`.
        """
        client = self._options.client_id
        claims = await self._claims(token, client, nonce={"essential": True, "value": nonce})
        audience = claims["aud"]
        # OpenID Connect Core 1.0, 3.1.3.7: a token for several says to whom it was issued.
        if claims.get("azp", client) != client or (
            isinstance(audience, list) and len(audience) > 1 and "azp" not in claims
        ):
            msg = "the token was issued to another client"
            raise InvalidToken(msg)
        return self._identity(claims)

    async def _claims(self, token: str, audience: str, **more: Any) -> dict[str, Any]:
        if len(token) > _LONGEST_TOKEN:
            msg = "the token is too long"
            raise InvalidToken(msg)
        keys = await self._provider.keys()
        try:
            claims = self._decoded(token, keys)
        except (InvalidKeyIdError, BadSignatureError):
            # The provider may have changed its keys since they were fetched.
            claims = self._decoded_again(token, keys, await self._provider.keys(unless=keys))
        registry = jwt.JWTClaimsRegistry(
            now=lambda: int(self._clock.now().timestamp()),
            leeway=int(self._options.leeway.total_seconds()),
            iss={"essential": True, "value": self._options.issuer},
            aud={"essential": True, "value": audience},
            exp={"essential": True},
            sub={"essential": True},
            **more,
        )
        try:
            registry.validate(claims)
        except (JoseError, ValueError, TypeError) as error:
            raise InvalidToken(str(error)) from None
        return claims

    def _decoded_again(self, token: str, before: Any, now: Any) -> dict[str, Any]:
        try:
            if now is not before:
                return self._decoded(token, now)
        except (InvalidKeyIdError, BadSignatureError):
            pass
        msg = "no key of the provider has signed the token"
        raise InvalidToken(msg)

    def _decoded(self, token: str, keys: Any) -> dict[str, Any]:
        try:
            return dict(jwt.decode(token, keys, algorithms=self._options.algorithms).claims)
        except (InvalidKeyIdError, BadSignatureError):
            raise
        except (JoseError, ValueError, TypeError, RecursionError) as error:
            msg = f"the token cannot be read: {type(error).__name__}"
            raise InvalidToken(msg) from None

    def _identity(self, claims: Mapping[str, Any]) -> VouchedIdentity:
        subject = claims["sub"]
        if not _is_subject(subject):
            msg = "the token says of nobody that it is about"
            raise InvalidToken(msg)
        names = (claims.get(claim) for claim in self._options.name_claims)
        name = next((each for each in names if isinstance(each, str) and each.strip()), subject)
        told = _at(claims, self._options.roles_claim)
        given = {
            role for theirs, ours in self._options.roles.items() if theirs in told for role in ours
        }
        managed = frozenset(role for ours in self._options.roles.values() for role in ours)
        return VouchedIdentity(KIND, self._options.issuer, subject, name, frozenset(given), managed)


def _is_subject(claim: object) -> bool:
    return isinstance(claim, str) and 0 < len(claim) <= _LONGEST_SUBJECT and claim.isprintable()


def _at(claims: Mapping[str, Any], path: str) -> frozenset[str]:
    """Return the words at a claim; a claim whose own name has dots, as a URL has, comes first."""
    found: Any = claims.get(path)
    if found is None:
        found = claims
        for step in path.split("."):
            found = found.get(step) if isinstance(found, Mapping) else None
    if isinstance(found, str):
        found = [found]
    listed = found if isinstance(found, list) else ()
    return frozenset(each for each in listed if isinstance(each, str))
