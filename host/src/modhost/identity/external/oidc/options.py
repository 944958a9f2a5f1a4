"""The options of OpenID Connect: `[modules.oidc]`."""

from datetime import timedelta
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, SecretStr, ValidationInfo, field_validator

from modhost import ModuleOptions
from modhost.configuration import is_loopback
from modhost.durations import Duration

ALGORITHMS: Final = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "Ed25519", "EdDSA"),
)
"""Algorithms with public keys: with a shared secret, whoever checks a token could make one."""


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Names = Annotated[list[str], BeforeValidator(_as_list)]


class OidcOptions(ModuleOptions):
    """The provider, the rights that it grants, and how strictly its tokens are checked."""

    issuer: str = Field(
        description="Address of the provider, exactly as its tokens name it: https, or http on "
        "this machine; required."
    )
    client_id: str = Field(
        min_length=1, description="Id of this host at the provider, not empty; required."
    )
    client_secret: SecretStr = Field(
        default=SecretStr(""),
        description="Secret of the client, best set by the environment; empty by default, for a "
        "public client that PKCE alone protects.",
    )
    provider_name: str = Field(
        default="single sign-on",
        min_length=1,
        max_length=60,
        description='Name of the provider on the login page ("Log in with ..."), 1 to 60 '
        'characters; "single sign-on" by default.',
    )
    audience: str = Field(
        default="",
        description="Audience that access tokens must have to be accepted by the API, other than "
        "`client_id`; empty by default: no token of the provider is accepted as a bearer token.",
    )
    scopes: Names = Field(
        default_factory=lambda: ["openid", "profile", "email"],
        description="Scopes that a login requests, `openid` always among them; openid, profile "
        "and email by default.",
    )
    name_claims: Names = Field(
        default_factory=lambda: ["preferred_username", "email", "sub"],
        description="Claims to take the display name of a user from, the first one present; "
        "preferred_username, email, sub by default.",
    )
    roles_claim: str = Field(
        default="roles",
        description="Claim that lists roles or groups, with dots leading into objects, as in "
        '`realm_access.roles`; "roles" by default.',
    )
    roles: dict[str, Names] = Field(
        default_factory=dict,
        description="Roles of this host by role or group of the provider; empty by default, and "
        "whatever is not listed grants nothing.",
    )
    leeway: Duration = Field(
        default=timedelta(seconds=30),
        description="Duration by which the clocks of the provider and of this machine may "
        "differ, 0 or more; 30s by default.",
    )
    algorithms: Names = Field(
        default_factory=lambda: ["RS256", "ES256"],
        description="Accepted signature algorithms, at least one, with public keys only: "
        f"{', '.join(ALGORITHMS)}; RS256 and ES256 by default.",
    )

    @field_validator("issuer")
    @classmethod
    def _issuer_is_safe(cls, value: str) -> str:
        if "@" in value:
            msg = "a login within the address would be shown wherever the issuer is: use client_id "
            msg += "and client_secret."
            raise ValueError(msg)
        if not is_safe(value):
            msg = f"{value!r} is not an address that can be trusted: use https://, or http:// for "
            msg += "a provider on this machine."
            raise ValueError(msg)
        return value

    @field_validator("audience")
    @classmethod
    def _audience_is_not_the_client(cls, value: str, info: ValidationInfo) -> str:
        if value and value == info.data.get("client_id"):
            msg = "ID tokens are for the client, and would pass as access tokens: let the provider "
            msg += "issue access tokens for an audience of their own, and configure that one."
            raise ValueError(msg)
        return value

    @field_validator("scopes")
    @classmethod
    def _openid_is_requested(cls, value: list[str]) -> list[str]:
        return value if "openid" in value else ["openid", *value]

    @field_validator("algorithms")
    @classmethod
    def _algorithms_have_public_keys(cls, value: list[str]) -> list[str]:
        unknown = [name for name in value if name not in ALGORITHMS]
        if unknown or not value:
            found = f"{unknown[0]!r} is not one of" if unknown else "the list is empty; choose from"
            raise ValueError(f"{found} {', '.join(ALGORITHMS)}; RS256 and ES256 by default.")
        return value


def is_safe(url: str) -> bool:
    """Return whether answers from a URL cannot be changed in transit."""
    parts = urlsplit(url)
    if not parts.hostname or " " in url or not url.isprintable():
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname))
