"""Which values are never shown."""

import re
from typing import Any, Final, get_args

from pydantic import SecretBytes, SecretStr
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from modhost.database import without_secrets

HIDDEN: Final = "***"
_SECRET_NAME: Final = re.compile(r"(?i)password|passwd|secret|token|api_?key|credential|private")
_URL: Final = re.compile(r"^[a-z][a-z0-9+.-]*://")


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
    if isinstance(value, str) and _URL.match(value):
        return _without_password(value)
    if isinstance(value, dict):
        return {name: shown(name, below) for name, below in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [shown(key, below) for below in value]
    return value


def _without_password(url: str) -> str:
    try:
        return without_secrets(make_url(url))
    except (ArgumentError, ValueError):
        return HIDDEN if "@" in url else url
