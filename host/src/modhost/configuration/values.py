"""What operators set, and where: the tables of a file, overridden by environment variables."""

import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from copy import deepcopy
from pathlib import Path as FilePath
from typing import Any, Final, Literal, NamedTuple

from pydantic import BaseModel

from modhost.configuration.option_types import (
    MAX_DEPTH,
    SEPARATOR,
    Path,
    is_too_deep,
    keys_of,
    locate,
    read_as,
)

PREFIX: Final = "MODHOST__"


class Origin(NamedTuple):
    """What sets a key: a file or an environment variable by its name, or nothing."""

    kind: Literal["default", "file", "environment"]
    name: str = ""


class Values:
    """The tables of a file, overridden by the environment, with the origin of each key.

    `MODHOST__HOST__BIND` sets `[host] bind`. Where the option takes a list or a table, the value
    of a variable is read as JSON.

    Args:
        in_file: the tables of the file.
        file: the name of the file in messages.
        environ: the environment variables; those without the prefix are ignored.

    """

    def __init__(self, in_file: Mapping[str, Any], file: str, environ: Mapping[str, str]) -> None:
        self._file = file
        self._tables: dict[str, Any] = deepcopy(dict(in_file))
        self._in_file = [path for path, _ in leaves(in_file)]
        self._texts = {
            name: text for name, text in sorted(environ.items()) if name.upper().startswith(PREFIX)
        }
        self._paths: dict[str, Path] = {}
        self._read_files: dict[Path, str] = {}
        for name, text in self._texts.items():
            path = keys_of(name[len(PREFIX) :])
            self._paths[name] = path
            if len(path) <= len(_section_of(path)):
                self._put(self._tables, path, read_as(dict, text))

    @property
    def sections(self) -> dict[str, Any]:
        """Everything that is set, as far as it is clear without the types of the options."""
        tables = deepcopy(self._tables)
        for name, path in self._paths.items():
            if len(path) > len(_section_of(path)):
                self._put(tables, path, self._texts[name])
        return tables

    def table(self, section: Path, model: type[BaseModel]) -> dict[str, Any]:
        """Return a section as it is to be bound to a model, empty when it is not set."""
        table: Any = self._tables
        for name in section:
            table = table.get(name, {}) if isinstance(table, dict) else {}
        found: dict[str, Any] = deepcopy(table) if isinstance(table, dict) else {}
        start = PREFIX + "".join(f"{name.upper()}{SEPARATOR}" for name in section)
        for name, text in self._texts.items():
            if name.upper().startswith(start):
                path, annotation = locate(name[len(start) :], model, found)
                self._paths[name] = (*section, *path)
                self._put(found, path, read_as(annotation, text))
        return found

    def contenders(self) -> list[tuple[Path, list[str]]]:
        """Return the keys that several variables set, with those."""
        by_path = defaultdict(list)
        for name, path in self._paths.items():
            by_path[path].append(name)
        return [(path, names) for path, names in by_path.items() if len(names) > 1]

    def note_file(self, path: Path, file: str) -> None:
        """Remember the file from which the value of a key was read."""
        self._read_files[path] = file

    def variable(self, path: Path) -> str | None:
        """Return the environment variable that sets a key, or a table around it."""
        found = {each: name for name, each in self._paths.items()}
        return next(filter(None, map(found.get, _around(path))), None)

    def origin(self, path: Path) -> str:
        """Return the words for everything that sets a key, or something within a table."""
        if file := self._file_of(path):
            return f"the file {file}"
        variable = self.variable(path)
        if variable is not None:
            return f"environment variable {variable}"
        found = [self._file] if any(_is_within(each, path) for each in self._from_file()) else []
        found += [
            f"environment variable {name}"
            for name, each in self._paths.items()
            if _is_within(each, path)
        ]
        return " and ".join(found) or self._file

    def short_origin(self, path: Path) -> str:
        """Return what sets a key: a file, the environment variable, or `default`."""
        origin = self.origin_of(path)
        return origin.name or origin.kind

    def origin_of(self, path: Path) -> Origin:
        """Return what sets a key."""
        if file := self._file_of(path):
            return Origin("file", file)
        if variable := self.variable(path):
            return Origin("environment", variable)
        is_set = any(_is_within(each, path) for each in self._from_file())
        return Origin("file", self._file) if is_set else Origin("default")

    def _file_of(self, path: Path) -> str | None:
        return next(filter(None, map(self._read_files.get, _around(path))), None)

    def _from_file(self) -> list[Path]:
        return [path for path in self._in_file if path not in self._paths.values()]

    def _put(self, table: dict[str, Any], path: Path, value: Any) -> None:
        for part in path[:-1]:
            below = table.get(part)
            if not isinstance(below, dict):
                below = table[part] = {}
            table = below
        table[path[-1]] = value


def read_tables(file: FilePath) -> dict[str, Any]:
    """Return the tables of a TOML file. Raises `OSError`, and `ValueError` with the reason."""
    msg = f"its tables and lists are nested more than {MAX_DEPTH} levels deep"
    try:
        tables = tomllib.loads(file.read_text("utf-8-sig"))
    except RecursionError:
        raise ValueError(msg) from None
    if is_too_deep(tables):
        raise ValueError(msg)
    return tables


def leaves(tree: Mapping[str, Any], path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield every key that is not a table, with its path."""
    for name, value in tree.items():
        if isinstance(value, Mapping) and value:
            yield from leaves(value, (*path, name))
        else:
            yield (*path, name), value


def _section_of(path: Path) -> Path:
    """Return the section that a path begins with: `host`, or `modules` and a name."""
    return path[: 2 if path[0] == "modules" else 1]


def _around(path: Path) -> Iterator[Path]:
    """Yield a path, and the tables around it from the inside out."""
    return (path[:length] for length in range(len(path), 0, -1))


def _is_within(path: Path, table: Path) -> bool:
    return path[: len(table)] == table
