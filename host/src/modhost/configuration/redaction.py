"""Hide secrets in values that are shown."""

import re
from collections.abc import Sequence
from typing import Any, Final, get_args, get_origin

from pydantic import BaseModel, Secret, SecretBytes, SecretStr

from modhost.configuration.option_types import options_in

HIDDEN: Final = "***"
_SECRET_NAME: Final = re.compile(
    r"(?i)pass(word|wd|phrase|code)|secret|token|credential|private|authorization|bearer"
    r"|(api|access|account|encryption|hmac|master|shared|signing)[_-]?key"
    r"|(?<![a-z])(auth|dsn|pass|pin|pwd|sig|signature)(?![a-z])"
)
_SCHEME: Final = re.compile(r"(?i)[a-z][a-z0-9+.-]*://")
_LOGIN: Final = re.compile(r"([^\s/?#@:]*)(:[^\s/?#@]*)?@")
_PARAMETER: Final = re.compile(r"([?&#;])([^=?&#;\s]+)=([^&#;\s]*)")
_ASSIGNED: Final = re.compile(r"([\w.-]+)\s*=")


def is_secret_name(key: str) -> bool:
    """Return whether the name of an option suggests that its value is a secret."""
    return _SECRET_NAME.search(key) is not None


def is_secret_option(path: Sequence[str], model: type[BaseModel]) -> bool:
    """Return whether an option, or one around it, has a secret type or a secret's name."""
    return any(map(is_secret_name, path)) or _has_secret_type(path, model)


def redacted(key: str, value: Any) -> Any:
    """Return a value that may be shown: secrets are hidden, and passwords in URLs."""
    if is_secret_name(key) or isinstance(value, SecretStr | SecretBytes | Secret):
        return HIDDEN
    if isinstance(value, str):
        return _redacted_text(value)
    if isinstance(value, dict):
        return {name: redacted(name, below) for name, below in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [redacted(key, below) for below in value]
    return value


def _has_secret_type(path: Sequence[str], model: type[BaseModel]) -> bool:
    field = options_in(model).get(path[0])
    annotation: Any = field.annotation if field else None
    if len(path) > 1 and isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return _has_secret_type(path[1:], annotation)
    return _holds_secret(annotation)


def _holds_secret(annotation: object) -> bool:
    """Return whether a type is secret or contains a secret one, as `list[SecretStr]` does."""
    is_secret = annotation in (SecretStr, SecretBytes) or get_origin(annotation) is Secret
    return is_secret or any(map(_holds_secret, get_args(annotation)))


def _redacted_text(text: str) -> str:
    scheme = _SCHEME.search(text)
    bare = _PARAMETER.sub("", text) if scheme else text
    if any(map(is_secret_name, _ASSIGNED.findall(bare))):
        return HIDDEN
    if scheme is None:
        return text
    head, rest = text[: scheme.end()], text[scheme.end() :]
    return head + _PARAMETER.sub(_hide_secret, _without_login(head, rest))


def _hide_secret(parameter: re.Match[str]) -> str:
    before, name, value = parameter.groups()
    is_secret = name == "key" or is_secret_name(name)
    return f"{before}{name}={HIDDEN if is_secret else value}"


def _without_login(head: str, rest: str) -> str:
    """Hide a password before the host; where it is not clear what it is, all before the last @."""
    login = _LOGIN.match(rest)
    if login is None or "@" in rest[login.end() :]:
        return f"{HIDDEN}@{rest.rpartition('@')[2]}" if "@" in rest else rest
    user, password = login.groups()
    if password is None:
        # Web services take a token there; a database, a name.
        return rest if "http" not in head.lower() else f"{HIDDEN}@{rest[login.end() :]}"
    return f"{user}:{HIDDEN}@{rest[login.end() :]}"
