"""Which values are never shown."""

import re
from typing import Any, Final

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

HIDDEN: Final = "***"
_SECRET_NAME: Final = re.compile(r"(?i)password|passwd|secret|token|api_?key|credential|private")
_URL: Final = re.compile(r"^[a-z][a-z0-9+.-]*://")


def shown(key: str, value: Any) -> Any:
    """Return a value as it may be shown: secrets hidden, passwords in URLs too."""
    if _SECRET_NAME.search(key):
        return HIDDEN
    if isinstance(value, str) and _URL.match(value):
        return _without_password(value)
    if isinstance(value, dict):
        return {name: shown(name, below) for name, below in value.items()}
    return value


def _without_password(url: str) -> str:
    try:
        return make_url(url).render_as_string(hide_password=True)
    except (ArgumentError, ValueError):
        return HIDDEN if "@" in url else url
