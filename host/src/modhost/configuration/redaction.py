"""Which values are never shown."""

import re
from typing import Any, Final, get_args

from pydantic import SecretBytes, SecretStr
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from modhost.database import without_secrets

HIDDEN: Final = "***"
_SECRET_NAME: Final = re.compile(
    r"(?i)pass(word|wd|phrase|code)|secret|token|credential|private|authorization|bearer"
    r"|(api|access|account|encryption|hmac|master|shared|signing)[_-]?key"
    r"|(?<![a-z])(auth|dsn|pass|pin|pwd)(?![a-z])"
)
_URL: Final = re.compile(r"(?i)[a-z][a-z0-9+.-]*://")
_PASSWORD_WITHIN: Final = re.compile(r"(?i)\b(password|passwd|pwd)\s*=")


def is_secret_name(key: str) -> bool:
    """Tell whether an option's name says that its value is a secret."""
    return _SECRET_NAME.search(key) is not None


def holds_secret(annotation: object) -> bool:
    """Tell whether a type is a secret one, or has one within, as `list[SecretStr]` does."""
    if annotation in (SecretStr, SecretBytes):
        return True
    return any(map(holds_secret, get_args(annotation)))


def shown(key: str, value: Any) -> Any:
    """Return a value as it may be shown: secrets hidden, passwords in URLs too."""
    if is_secret_name(key) or isinstance(value, SecretStr | SecretBytes):
        return HIDDEN
    if isinstance(value, str):
        return _shown_text(value)
    if isinstance(value, dict):
        return {name: shown(name, below) for name, below in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [shown(key, below) for below in value]
    return value


def _shown_text(text: str) -> str:
    if _URL.match(text.strip()):
        return _without_password(text.strip())
    return HIDDEN if _PASSWORD_WITHIN.search(text) else text


def _without_password(url: str) -> str:
    try:
        return without_secrets(make_url(url))
    except (ArgumentError, ValueError):
        return HIDDEN if "@" in url else url
