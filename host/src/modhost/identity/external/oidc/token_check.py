"""Checks of tokens: issued by the provider, for this host, and valid now."""

from collections.abc import Mapping
from typing import Any, Final

from joserfc import jwt
from joserfc.errors import BadSignatureError, InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from modhost import Clock
from modhost.identity.contracts import VouchedIdentity
from modhost.identity.external.oidc.options import OidcOptions
from modhost.identity.external.oidc.provider import InvalidToken, Provider

KIND: Final = "oidc"
_MAX_TOKEN_LENGTH: Final = 16_384
_MAX_SUBJECT_LENGTH: Final = 255


class TokenChecker:
    """Checks JWTs (RFC 7519) with the provider's keys, and reads the identity from their claims."""

    def __init__(self, provider: Provider, options: OidcOptions, clock: Clock) -> None:
        self._provider = provider
        self._options = options
        self._clock = clock

    async def bearer(self, token: str) -> VouchedIdentity:
        """Return the holder of an access token. Raises `InvalidToken`, `ProviderUnreachable`."""
        if not self._options.audience:
            raise InvalidToken("no audience is configured, so no bearer token is accepted")
        return self._identity(await self._claims(token, self._options.audience))

    async def login(self, token: str, nonce: str) -> VouchedIdentity:
        """Return the user of an ID token, which must carry the nonce of the login.

        Raises `InvalidToken`, `ProviderUnreachable`.
        """
        client = self._options.client_id
        claims = await self._claims(token, client, nonce={"essential": True, "value": nonce})
        audience = claims["aud"]
        # OpenID Connect Core 1.0, 3.1.3.7: a token for several says to whom it was issued.
        if claims.get("azp", client) != client or (
            isinstance(audience, list) and len(audience) > 1 and "azp" not in claims
        ):
            raise InvalidToken("the token was issued to another client")
        return self._identity(claims)

    async def _claims(self, token: str, audience: str, **more: Any) -> dict[str, Any]:
        if len(token) > _MAX_TOKEN_LENGTH:
            raise InvalidToken("the token is too long")
        keys = await self._provider.keys()
        claims = self._decode(token, keys)
        if claims is None:
            # The provider may have rotated its keys since they were fetched.
            renewed = await self._provider.keys(unless=keys)
            claims = None if renewed is keys else self._decode(token, renewed)
        if claims is None:
            raise InvalidToken("no key of the provider has signed the token")
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

    def _decode(self, token: str, keys: KeySet) -> dict[str, Any] | None:
        """Return the claims, or None when none of the keys has signed them."""
        try:
            return dict(jwt.decode(token, keys, algorithms=self._options.algorithms).claims)
        except (InvalidKeyIdError, BadSignatureError):
            return None
        except (JoseError, ValueError, TypeError, RecursionError) as error:
            raise InvalidToken(f"the token cannot be read: {type(error).__name__}") from None

    def _identity(self, claims: Mapping[str, Any]) -> VouchedIdentity:
        subject, options = claims["sub"], self._options
        is_text = isinstance(subject, str) and subject.isprintable()
        if not (is_text and 0 < len(subject) <= _MAX_SUBJECT_LENGTH):
            raise InvalidToken("invalid `sub` claim")
        names = (claims.get(claim) for claim in options.name_claims)
        name = next((each for each in names if isinstance(each, str) and each.strip()), subject)
        theirs = _words_at(claims, options.roles_claim)
        granted = frozenset(
            role for their, ours in options.roles.items() if their in theirs for role in ours
        )
        managed = frozenset(role for ours in options.roles.values() for role in ours)
        return VouchedIdentity(KIND, options.issuer, subject, name, granted, managed)


def _words_at(claims: Mapping[str, Any], path: str) -> frozenset[str]:
    """Return the words at a claim; one whose own name has dots, as a URL has, takes precedence."""
    found: Any = claims.get(path)
    if found is None:
        found = claims
        for step in path.split("."):
            found = found.get(step) if isinstance(found, Mapping) else None
    if isinstance(found, str):
        found = [found]
    listed = found if isinstance(found, list) else ()
    return frozenset(each for each in listed if isinstance(each, str))
