"""Names of users and tokens: what is allowed, and when two are the same."""

import unicodedata
from typing import Final

from modhost.identity.errors import UnusableName

LONGEST: Final = 100


def usable(name: str, what: str) -> str:
    """Return the name as it is kept; `what` is whose it is. Raises `UnusableName`."""
    kept = unicodedata.normalize("NFC", name).strip()
    if not kept:
        msg = f"The name of a {what} is empty; give it one."
        raise UnusableName(msg)
    if not key_of(kept) or not kept.isprintable():
        msg = f"The name {name!r} of a {what} needs 1 to {LONGEST} printable characters."
        raise UnusableName(msg)
    return kept


def key_of(name: str) -> str:
    """Return what the spellings of one name have in common; empty for what can be no name."""
    key = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name.strip()).casefold())
    return key if len(name) <= LONGEST and key.isprintable() else ""
