"""The blueprint of a host: what another process needs to build the same one."""

import json
import pkgutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic_core import to_jsonable_python

from modhost import Module
from modhost.configuration import Configuration


@dataclass(frozen=True, slots=True)
class HostBlueprint:
    """A host as plain values; it holds the secrets of the configuration.

    Attributes:
        tables: the configuration.
        environ: the variables that override it.
        start: where its relative paths start.
        source: the file that it was read from, for messages.
        modules: the classes of the modules, as `package.module:Class`; None for those that are
            installed.

    """

    tables: dict[str, Any] = field(repr=False)
    environ: dict[str, str] = field(repr=False)
    start: str
    source: str | None = None
    modules: tuple[str, ...] | None = None

    @classmethod
    def of(cls, configuration: Configuration, modules: Sequence[Module] | None) -> "HostBlueprint":
        """Return the blueprint of a host that is built from these."""
        tables = to_jsonable_python(
            configuration.tables, timedelta_mode="float", inf_nan_mode="constants", fallback=str
        )
        classes = None
        if modules is not None:
            types = [type(module) for module in modules]
            classes = tuple(f"{each.__module__}:{each.__qualname__}" for each in types)
        source = None if configuration.source is None else str(configuration.source)
        return cls(tables, configuration.environ, str(configuration.start), source, classes)

    def to_json(self) -> str:
        """Return what `from_json` reads."""
        return json.dumps([self.tables, self.environ, self.start, self.source, self.modules])

    @classmethod
    def from_json(cls, text: str) -> "HostBlueprint":
        """Return the blueprint that was written."""
        tables, environ, start, source, modules = json.loads(text)
        classes = None if modules is None else tuple(modules)
        return cls(tables, environ, start, source, classes)

    def configuration(self) -> Configuration:
        """Return the configuration."""
        source = None if self.source is None else Path(self.source)
        return Configuration(self.tables, source, self.environ, start=Path(self.start))

    def load_modules(self) -> list[Module] | None:
        """Return the modules, made anew; None for those that are installed.

        Raises `RuntimeError` when one cannot be made.
        """
        return None if self.modules is None else [_made(each) for each in self.modules]


def _made(name: str) -> Module:
    try:
        module: Module = pkgutil.resolve_name(name)()
    except Exception as error:
        msg = f"The module {name} was given to the host, and another process cannot make it: "
        msg += f"{error}. Let it be importable, and its constructor take no arguments."
        raise RuntimeError(msg) from error
    return module
