"""Generate the reference of the options in docs/configuration.md from their models."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Final, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le
from pydantic import BaseModel, IPvAnyNetwork, SecretStr
from pydantic.fields import FieldInfo

from modhost.configuration import HostOptions
from modhost.durations import format_duration
from modhost.identity.external.oidc.options import OidcOptions
from modhost_background_jobs.options import BackgroundJobsOptions
from modhost_reports_example.options import ReportsOptions, ReportsSettings

MODELS: Final[dict[str, type[BaseModel]]] = {
    "host": HostOptions,
    "modules.background_jobs": BackgroundJobsOptions,
    "modules.reports_example": ReportsOptions,
    "modules.oidc": OidcOptions,
}
SETTINGS: Final[dict[str, type[BaseModel]]] = {
    "modules.reports_example.settings": ReportsSettings,
}
_MACHINE_DEPENDENT: Final = {"max_concurrency": "the number of processors"}
_TYPES: Final[dict[Any, str]] = {
    IPvAnyNetwork: "network",
    Path: "path",
    SecretStr: "string",
    bool: "`true` or `false`",
    int: "whole number",
    str: "string",
    timedelta: "duration",
}


@dataclass(frozen=True)
class Option:
    """One key of the configuration."""

    section: str
    name: str
    field: FieldInfo

    @property
    def key(self) -> str:
        return f"[{self.section}] {self.name}"

    @property
    def variable(self) -> str:
        """The environment variable that sets the option."""
        return "__".join(["modhost", *self.section.split("."), self.name]).upper()

    @property
    def type(self) -> str:
        """The type with its bounds, as operators write it."""
        bounds = {type(each): each for each in self.field.metadata}
        low, high = bounds.get(Ge), bounds.get(Le)
        if isinstance(low, Ge):
            return f"{low.ge:,} to {high.le:,}" if isinstance(high, Le) else f"{low.ge:,} or more"
        annotation = self.field.annotation
        if get_origin(annotation) is Literal:
            return ", ".join(f'`"{each}"`' for each in get_args(annotation))
        if isinstance(annotation, type) and issubclass(annotation, Enum):
            return ", ".join(f'`"{each.value}"`' for each in annotation)
        written = written_type(annotation)
        return f"{written} above 0" if Gt in bounds else written

    @property
    def default(self) -> str:
        """The default as TOML."""
        if self.field.is_required():
            return "required"
        return _MACHINE_DEPENDENT.get(self.name) or f"`{toml(self.value)}`"

    @property
    def value(self) -> Any:
        """The default."""
        return self.field.get_default(call_default_factory=True)


def written_type(annotation: Any) -> str:
    """Return what operators write for a type."""
    kind, arguments = get_origin(annotation), get_args(annotation)
    if kind is Annotated:
        return written_type(arguments[0])
    if kind in (list, tuple):
        return f"list of {written_type(arguments[0])}s"
    if kind is dict:
        values = written_type(arguments[1])
        return "table of lists" if values.startswith("list") else f"table of {values}s"
    return _TYPES[annotation]


def options_of(section: str, model: type[BaseModel]) -> Iterator[Option]:
    """Yield the options of a section, then those of the sections in it."""
    nested = []
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            nested.append((f"{section}.{name}", field.annotation))
        else:
            yield Option(section, name, field)
    for below, model_below in nested:
        yield from options_of(below, model_below)


def toml(value: Any) -> str:
    """Write a default as it would stand in the configuration file."""
    match value:
        case bool() | int():
            return str(value).lower()
        case timedelta():
            return f'"{format_duration(value)}"'
        case SecretStr():
            return f'"{value.get_secret_value()}"'
        case list() | tuple():
            return f"[{', '.join(map(toml, value))}]"
        case dict():
            assert not value
            return "{}"
        case str() | Path():
            return f'"{value}"'
    msg = f"no TOML for {value!r}"
    raise AssertionError(msg)


def reference(section: str) -> str:
    """Return the table of a section's options, and what each of them means."""
    options = list(options_of(section, (MODELS | SETTINGS)[section]))
    rows = [
        f"| `{each.key}` | {each.type} | {each.default} | `{each.variable}` |" for each in options
    ]
    meanings = [f"- **`{each.name}`**: {linked(each.field.description or '')}" for each in options]
    header = "| key | type | default | environment variable |\n|---|---|---|---|"
    return "\n".join([header, *rows, "", *meanings])


def linked(description: str) -> str:
    """Link the codes of rules to their page."""
    return re.sub(r"(?<!`)\bMH\d+\b", r"[\g<0>](rules.md)", description)
