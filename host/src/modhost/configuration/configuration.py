"""The configuration as it was read: bound to the options of the host and of the modules."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from pydantic import BaseModel, ValidationError

from modhost.checks import Finding, rules
from modhost.configuration.host_options import HostOptions
from modhost.configuration.origins import Origins
from modhost.configuration.problems import findings_of, named
from modhost.configuration.redaction import HIDDEN, is_secret_name, shown
from modhost.configuration.values import as_written, leaves, merge, overrides

Model = TypeVar("Model", bound=BaseModel)


class Setting(NamedTuple):
    """An option as it is in effect.

    Args:
        key: as people find it in the file: `[section] key`.
        value: as one would write it; hidden when it is a secret.
        origin: the file or the environment variable that set it, or `default`.

    """

    key: str
    value: Any
    origin: str


class Configuration:
    """What operators have set.

    Args:
        values: the tables of the file.
        source: the file, None for none.
        environ: the environment, whose `MODHOST__…` variables override the file.
        findings: what was wrong when the file was read.

    Attributes:
        host: the options of the host; the defaults when they cannot be used.
        findings: what is wrong with what was bound so far.

    """

    def __init__(
        self,
        values: Mapping[str, Any] | None = None,
        source: Path | None = None,
        environ: Mapping[str, str] | None = None,
        findings: list[Finding] | None = None,
    ) -> None:
        self.source = source
        self.findings = list(findings or ())
        self._values: dict[str, Any] = {}
        in_file = dict(leaves(values or {}))
        for path, value in in_file.items():
            merge(self._values, path, value)
        given = overrides(environ or {})
        for override in given:
            merge(self._values, override.path, override.value)
        where = str(source) if source else "the configuration"
        variables = {each.path: each.variable for each in given}
        self._origins = Origins(where, in_file, variables)
        self._refuse_unknown_sections()
        self.host = self._bind(("host",), HostOptions, None) or HostOptions()

    @property
    def tables(self) -> dict[str, Any]:
        """Everything that was set, by the file and by the environment, secrets included."""
        return self._values

    def module_names(self) -> list[str]:
        """Return the modules that have a section."""
        modules = self._values.get("modules", {})
        return list(modules) if isinstance(modules, dict) else []

    def origin(self, *path: str) -> str:
        """Return the words for where a key, or something in a table, was set."""
        return self._origins.of(path)

    def section(self, module: str) -> dict[str, Any]:
        """Return what was set for a module, as it was given."""
        return self._table(("modules", module))

    def bind(self, module: str, model: type[Model]) -> Model | None:
        """Return a module's options; None when they cannot be used, which is then a finding."""
        return self._bind(("modules", module), model, module)

    def in_effect(self, models: Mapping[str, type[BaseModel]]) -> Iterator[Setting]:
        """Yield every option with its value, secrets hidden, those of the host first."""
        yield from self._settings(("host",), self.host)
        for module, model in models.items():
            options = self.bind(module, model)
            if options is not None:
                yield from self._settings(("modules", module), options)

    def _settings(self, section: tuple[str, ...], options: BaseModel) -> Iterator[Setting]:
        for path, value in leaves(options.model_dump(mode="python")):
            is_secret = any(map(is_secret_name, path))
            yield Setting(
                named(section, path),
                HIDDEN if is_secret else shown(path[-1], as_written(value)),
                self._origins.short((*section, *path)),
            )

    def _bind(
        self, section: tuple[str, ...], model: type[Model], module: str | None
    ) -> Model | None:
        try:
            return model.model_validate(self._table(section))
        except ValidationError as error:
            self.findings += findings_of(error, section, model, self._origins, module)
            return None

    def _table(self, section: tuple[str, ...]) -> dict[str, Any]:
        table: Any = self._values
        for name in section:
            table = table.get(name, {}) if isinstance(table, dict) else {}
        return table if isinstance(table, dict) else {}

    def _refuse_unknown_sections(self) -> None:
        for name, value in self._values.items():
            where = f"{self._origins.of((name,))}: [{name}]"
            if name not in ("host", "modules"):
                remedy = "The sections are [host], [host.modules] and [modules.<name>]."
                self.findings.append(Finding(rules.UNKNOWN_KEY, f"{where} is unknown.", remedy))
            elif not isinstance(value, dict):
                self.findings.append(
                    Finding(rules.BAD_VALUE, f"{where} is no table.", f"Write [{name}].")
                )
        for name in self.module_names():
            if not isinstance(self._values["modules"][name], dict):
                where = f"{self._origins.of(('modules', name))}: {named(('modules',), (name,))}"
                detail = f"{where} is no table."
                remedy = f"Write [modules.{name}]."
                self.findings.append(Finding(rules.BAD_VALUE, detail, remedy))
