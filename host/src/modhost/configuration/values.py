"""Values as they were given, each with where it comes from."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from modhost.durations import format_duration

PREFIX: Final = "MODHOST__"

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Override:
    """An environment variable that sets a key."""

    variable: str
    path: Path
    value: Any


def overrides(environ: Mapping[str, str]) -> list[Override]:
    """Return the keys that environment variables set: `MODHOST__HOST__BIND` sets `[host] bind`.

    A value that begins like a JSON list or object is read as JSON.
    """
    found = []
    for variable, text in sorted(environ.items()):
        if variable.upper().startswith(PREFIX):
            path = tuple(part.lower() for part in variable[len(PREFIX) :].split("__"))
            found.append(Override(variable, path, _value(text)))
    return found


def merge(tree: dict[str, Any], path: Path, value: Any) -> None:
    """Set a key in a tree of tables, making the tables above it."""
    for part in path[:-1]:
        below = tree.get(part)
        if not isinstance(below, dict):
            below = tree[part] = {}
        tree = below
    tree[path[-1]] = value


def leaves(tree: Mapping[str, Any], path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield every key that is no table, with its path."""
    for name, value in tree.items():
        if isinstance(value, Mapping) and value:
            yield from leaves(value, (*path, name))
        else:
            yield (*path, name), value


def as_written(value: Any) -> Any:
    """Return a value as one would write it: durations with a unit."""
    return format_duration(value) if isinstance(value, timedelta) else value


def _value(text: str) -> Any:
    if text[:1] not in ("[", "{"):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text
