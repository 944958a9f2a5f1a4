"""Relative paths in the configuration: made absolute at once, so that nothing moves them later."""

import re
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import BaseModel

from modhost.checks import Finding, rules

Model = TypeVar("Model", bound=BaseModel)

DEFAULT_FILE: Final = Path("config/host.toml")
_SQLITE: Final = re.compile(r"\s*(sqlite(?:\+\w+)?:///)([^?\x00]+?)\s*", re.IGNORECASE)


def start_of_paths(file: Path | None) -> Path:
    """Return where relative paths start: beside the file, or beside its folder `config`."""
    if file is None:
        return Path.cwd()
    folder = file.parent.resolve()
    return folder.parent if folder.name == DEFAULT_FILE.parent.name else folder


def with_absolute_paths(options: Model, start: Path) -> Model:
    """Return the options with each path absolute, also those in lists and tables."""
    names = type(options).model_fields
    return options.model_copy(
        update={name: _absolute(getattr(options, name), start) for name in names}
    )


def _absolute(value: Any, start: Path) -> Any:
    if isinstance(value, Path):
        return start / value
    if isinstance(value, BaseModel):
        return with_absolute_paths(value, start)
    if type(value) in (list, tuple, set, frozenset):
        return type(value)(_absolute(each, start) for each in value)
    if type(value) is dict:
        return {key: _absolute(each, start) for key, each in value.items()}
    return value


def absolute_url(url: str, start: Path) -> str:
    """Return the URL of a database, that of a SQLite file with its whole path."""
    match = _SQLITE.fullmatch(url)
    if match is None or match[2] == ":memory:":
        return url
    return f"{match[1]}{start / match[2]}"


def misplaced_database(url: str, start: Path, origin: str) -> list[Finding]:
    """Return a finding when only the working directory has the file of a relative path."""
    match = _SQLITE.fullmatch(url)
    if match is None:
        return []
    found, meant = Path.cwd() / match[2], start / match[2]
    if found.resolve() == meant.resolve() or meant.exists() or not found.exists():
        return []
    detail = f"{origin}: [host] database_url leads to {meant}, which does not exist, while {found} "
    detail += "does: relative paths start at the configuration file, not at the working directory."
    remedy = f'Write the whole path, e.g. database_url = "sqlite:///{found}", or move the file.'
    return [Finding(rules.BAD_DATABASE_URL, detail, remedy)]
