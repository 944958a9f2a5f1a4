"""What operators set, and where: the tables of a file, overridden by environment variables."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

PREFIX: Final = "MODHOST__"

Path = tuple[str, ...]


class Values:
    """The tables of a file, overridden by the environment, with the origin of each key.

    `MODHOST__HOST__BIND` sets `[host] bind`; a value that begins like a JSON list or object is
    read as JSON.

    Args:
        in_file: the tables of the file.
        file: the name of the file in messages.
        environ: the environment variables; those without the prefix are ignored.

    Attributes:
        tables: everything that is set, secrets included.

    """

    def __init__(self, in_file: Mapping[str, Any], file: str, environ: Mapping[str, str]) -> None:
        self.tables: dict[str, Any] = {}
        self._file = file
        self._variables: dict[Path, str] = {}
        file_leaves = dict(leaves(in_file))
        for path, value in file_leaves.items():
            self._set(path, value)
        for variable, text in sorted(environ.items()):
            if variable.upper().startswith(PREFIX):
                path = tuple(variable[len(PREFIX) :].lower().split("__"))
                self._variables[path] = variable
                self._set(path, _parse(text))
        self._in_file = [path for path in file_leaves if path not in self._variables]

    def table(self, section: Path) -> dict[str, Any]:
        """Return a table, empty when it is not set."""
        table: Any = self.tables
        for name in section:
            table = table.get(name, {}) if isinstance(table, dict) else {}
        return table if isinstance(table, dict) else {}

    def variable(self, path: Path) -> str | None:
        """Return the environment variable that sets a key, or a table around it."""
        prefixes = (path[:length] for length in range(len(path), 0, -1))
        return next(filter(None, map(self._variables.get, prefixes)), None)

    def origin(self, path: Path) -> str:
        """Return the words for everything that sets a key, or something within a table."""
        variable = self.variable(path)
        if variable is not None:
            return f"environment variable {variable}"
        found = [self._file] if any(_is_within(each, path) for each in self._in_file) else []
        found += [
            f"environment variable {name}"
            for each, name in self._variables.items()
            if _is_within(each, path)
        ]
        return " and ".join(found) or self._file

    def short_origin(self, path: Path) -> str:
        """Return what sets a key: the environment variable, the file, or `default`."""
        is_set = any(_is_within(each, path) or _is_within(path, each) for each in self._in_file)
        return self.variable(path) or (self._file if is_set else "default")

    def _set(self, path: Path, value: Any) -> None:
        table = self.tables
        for part in path[:-1]:
            below = table.get(part)
            if not isinstance(below, dict):
                below = table[part] = {}
            table = below
        table[path[-1]] = value


def leaves(tree: Mapping[str, Any], path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield every key that is not a table, with its path."""
    for name, value in tree.items():
        if isinstance(value, Mapping) and value:
            yield from leaves(value, (*path, name))
        else:
            yield (*path, name), value


def _is_within(path: Path, table: Path) -> bool:
    return path[: len(table)] == table


def _parse(text: str) -> Any:
    if text.startswith(("[", "{")):
        try:
            return json.loads(text)
        except ValueError:
            pass
    return text
