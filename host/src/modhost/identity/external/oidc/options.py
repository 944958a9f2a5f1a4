"""The options of OpenID Connect: `[modules.oidc]`."""

from datetime import timedelta
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, SecretStr, ValidationInfo, field_validator

from modhost.configuration.loopback import is_loopback
from modhost.durations import Duration
from modhost.module import ModuleOptions

ALGORITHMS: Final = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "Ed25519", "EdDSA"),
)
"""Those whose keys are public: a shared secret would let whoever checks a token make one."""


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Names = Annotated[list[str], BeforeValidator(_listed)]


class OidcOptions(ModuleOptions):
    """What operators tell of their provider.

    Attributes:
        issuer: the provider's address, exactly as its tokens name it.
        client_id: what this host is called there.
        client_secret: proves that; empty for a public client, which PKCE protects alone.
        provider_name: what people call the provider, on the login page.
        audience: what bearer tokens are issued for, which is not the client;
            without it no bearer token is taken.
        scopes: what is asked for at the login.
        name_claims: where a user's name is, the first that is there.
        roles_claim: where the provider tells roles or groups; dots lead into objects.
        roles: which of them give which roles of this host; all others give nothing.
        leeway: how far the clocks may be apart.
        algorithms: which signatures are taken.

    """

    issuer: str
    client_id: str = Field(min_length=1)
    client_secret: SecretStr = SecretStr("")
    provider_name: str = Field(default="single sign-on", min_length=1, max_length=60)
    audience: str = ""
    scopes: Names = Field(default_factory=lambda: ["openid", "profile", "email"])
    name_claims: Names = Field(default_factory=lambda: ["preferred_username", "email", "sub"])
    roles_claim: str = "roles"
    roles: dict[str, Names] = Field(default_factory=dict)
    leeway: Duration = timedelta(seconds=30)
    algorithms: Names = Field(default_factory=lambda: ["RS256", "ES256"])

    @field_validator("issuer")
    @classmethod
    def _issuer_is_safe(cls, value: str) -> str:
        if not is_safe(value):
            msg = f"{value!r} is no address that can be trusted: it begins with https://, or with "
            msg += "http:// for a provider on this machine."
            raise ValueError(msg)
        return value

    @field_validator("audience")
    @classmethod
    def _audience_is_not_the_client(cls, value: str, info: ValidationInfo) -> str:
        if value and value == info.data.get("client_id"):
            msg = (
                "ID tokens are for the client, and would pass as access tokens: have the provider "
            )
            msg += "issue those for an audience of their own, and name that."
            raise ValueError(msg)
        return value

    @field_validator("scopes")
    @classmethod
    def _openid_is_asked_for(cls, value: list[str]) -> list[str]:
        return value if "openid" in value else ["openid", *value]

    @field_validator("algorithms")
    @classmethod
    def _algorithms_have_public_keys(cls, value: list[str]) -> list[str]:
        for name in value:
            if name not in ALGORITHMS:
                msg = f"{name!r} is none of {', '.join(ALGORITHMS)}."
                raise ValueError(msg)
        if not value:
            msg = "no algorithm is left; leave the option out for RS256 and ES256."
            raise ValueError(msg)
        return value


def is_safe(url: str) -> bool:
    """Tell whether what comes from an address cannot have been changed on its way."""
    parts = urlsplit(url)
    if not parts.hostname:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname))
