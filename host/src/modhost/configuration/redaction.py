"""Hide secrets in values that are shown."""

import re
from collections.abc import Sequence
from typing import Any, Final, get_args

from pydantic import BaseModel, SecretBytes, SecretStr
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
    """Return whether the name of an option suggests that its value is a secret."""
    return _SECRET_NAME.search(key) is not None


def is_secret_option(path: Sequence[str], model: type[BaseModel]) -> bool:
    """Return whether an option, or one around it, has a secret type or a secret's name."""
    return any(map(is_secret_name, path)) or _has_secret_type(path, model)


def redacted(key: str, value: Any) -> Any:
    """Return a value that may be shown: secrets are hidden, and passwords in URLs."""
    if is_secret_name(key) or isinstance(value, SecretStr | SecretBytes):
        return HIDDEN
    if isinstance(value, str):
        return _redacted_text(value)
    if isinstance(value, dict):
        return {name: redacted(name, below) for name, below in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [redacted(key, below) for below in value]
    return value


def _has_secret_type(path: Sequence[str], model: type[BaseModel]) -> bool:
    field = model.model_fields.get(path[0])
    annotation: Any = field.annotation if field else None
    if len(path) > 1 and isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return _has_secret_type(path[1:], annotation)
    return _holds_secret(annotation)


def _holds_secret(annotation: object) -> bool:
    """Return whether a type is secret or contains a secret one, as `list[SecretStr]` does."""
    is_secret = annotation in (SecretStr, SecretBytes)
    return is_secret or any(map(_holds_secret, get_args(annotation)))


def _redacted_text(text: str) -> str:
    if _URL.match(text.strip()):
        try:
            return without_secrets(make_url(text.strip()))
        except (ArgumentError, ValueError):
            return HIDDEN if "@" in text else text.strip()
    return HIDDEN if _PASSWORD_WITHIN.search(text) else text
