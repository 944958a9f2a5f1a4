"""Hide secrets in values that are shown."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from pydantic import BaseModel, Secret, SecretBytes, SecretStr

from modhost.configuration.inner_types import Place, has_secrets, types_at
from modhost.durations import format_duration

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


def is_secret_option(place: Place, model: type[BaseModel], *, tags: bool = False) -> bool:
    """Return whether an option, or one around it, has a secret type or a secret's name.

    Args:
        place: where the option is.
        model: that of all options.
        tags: whether parts of the place may be tags of unions.

    """
    return any(is_secret_name(part) for part in place if isinstance(part, str)) or any(
        has_secrets(each, in_models=False)
        for length in range(1, len(place) + 1)
        for each in types_at(place[:length], model, tags=tags)
    )


def redacted_option(place: Place, value: Any, model: type[BaseModel]) -> Any:
    """Return what is at a place in options as it may be shown, valid or not."""
    if is_secret_option(place, model):
        return HIDDEN
    if isinstance(value, Mapping):
        return {key: redacted_option((*place, key), below, model) for key, below in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [redacted_option((*place, at), each, model) for at, each in enumerate(value)]
    # What should be a table may be its text.
    types = types_at(place, model) if value is not None else []
    if any(has_secrets(each, in_models=True) for each in types):
        return HIDDEN
    return format_duration(value) if isinstance(value, timedelta) else redacted("", value)


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
