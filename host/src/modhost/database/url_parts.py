"""Split the URL of a server into its parts, or refuse it without showing any of it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_to_bytes

from modhost.database.errors import BadDatabaseUrl

AMBIGUOUS: Final = (
    "The database URL has one of @ / ? # [ ] % where it is ambiguous, probably in the password. "
    "Nothing of the URL is shown. Write such a character encoded: %40 for @, %2F for /, %3F for ?, "
    "%23 for #, %5B for [, %5D for ], %25 for %."
)
_UNENCODED: Final = re.compile(r"#|%(?![0-9A-Fa-f]{2})")
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True, repr=False)
class UrlParts:
    """The parts of `scheme://user:password@hosts/database?name=value`, decoded.

    Attributes:
        hosts: still encoded, since commas and colons separate them.

    """

    user: str | None
    password: str | None
    hosts: str
    database: str | None
    query: Mapping[str, str]


def split_url(rest: str) -> UrlParts:
    """Split what follows `scheme://`. Raises `BadDatabaseUrl`."""
    head, _, query = rest.partition("?")
    authority, _, database = head.partition("/")
    login, _, hosts = authority.rpartition("@")
    # An @ or a ? further on means that the part before it ends too early.
    is_cut = any(each in login + database + query for each in "@?")
    if is_cut or set("[]") & set(login) or _UNENCODED.search(rest):
        raise BadDatabaseUrl(AMBIGUOUS)
    user, _, password = login.partition(":")
    return UrlParts(
        decoded(user) or None,
        decoded(password) or None,
        hosts,
        decoded(database) or None,
        _parameters(query),
    )


def decoded(text: str) -> str:
    """Return the text that an encoded one stands for. Raises `BadDatabaseUrl`."""
    try:
        plain = unquote_to_bytes(text).decode()
    except UnicodeDecodeError:
        msg = "The database URL has an encoded character that is not UTF-8; é, for example, is "
        msg += "%C3%A9."
        raise BadDatabaseUrl(msg) from None
    if _CONTROLS.search(plain):
        raise BadDatabaseUrl("The database URL has a control character; remove it.")
    return plain


def _parameters(query: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for parameter in filter(None, query.split("&")):
        name, equals, value = parameter.partition("=")
        if not equals or not value:
            msg = "The database URL has a parameter without a value; write ?name=value&name=value."
            raise BadDatabaseUrl(msg)
        if decoded(name) in found:
            msg = (
                "The database URL has a parameter twice; write each once, several hosts separated "
            )
            msg += "by commas."
            raise BadDatabaseUrl(msg)
        found[decoded(name)] = decoded(value.replace("+", " "))
    return found
