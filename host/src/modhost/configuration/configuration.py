"""The configuration: read from a file and the environment, and bound to options."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

from pydantic import BaseModel, ValidationError, create_model

from modhost.checks import Finding, rules
from modhost.configuration.binding_errors import findings_of, key_name, unvalidated
from modhost.configuration.control_characters import control_characters
from modhost.configuration.host_options import HostOptions
from modhost.configuration.option_types import by_accepted_name, description_of, options_in
from modhost.configuration.paths import (
    DEFAULT_FILE,
    absolute_url,
    misplaced_database,
    start_of_paths,
    with_absolute_paths,
)
from modhost.configuration.redaction import redacted_option
from modhost.configuration.secret_files import SecretFiles
from modhost.configuration.values import PREFIX, Origin, Values, leaves, read_tables

Model = TypeVar("Model", bound=BaseModel)

VARIABLE: Final = "MODHOST_CONFIG"
SETTINGS: Final = "settings"
"""The table of a module's settings, within that of its options."""


class Setting(NamedTuple):
    """An option in effect.

    Args:
        key: as in the file: `[section] key`.
        value: as it would be written; hidden when it is a secret.
        origin: the file or the environment variable that set it, or `default`.
        description: what the option is for; empty when its model does not say.

    """

    key: str
    value: Any
    origin: str
    description: str


class ConfiguredSettings(NamedTuple):
    """The settings of a module that a file or the environment sets, and which of them it is."""

    table: Mapping[str, Any]
    origins: Mapping[str, Origin]


class Configuration:
    """What operators have set.

    Args:
        values: the tables of the file.
        source: the file, None for none.
        environ: the environment, whose `MODHOST__…` variables override the file.
        findings: what was wrong when the file was read.
        start: where relative paths start, the working directory unless given.

    Attributes:
        host: the options of the host; the defaults when they are invalid.
        findings: what is wrong with what was bound so far.

    """

    def __init__(
        self,
        values: Mapping[str, Any] | None = None,
        source: Path | None = None,
        environ: Mapping[str, str] | None = None,
        findings: list[Finding] | None = None,
        start: Path | None = None,
    ) -> None:
        self.tables = dict(values or {})
        self.source = source
        self.environ = {
            name: text for name, text in (environ or {}).items() if name.upper().startswith(PREFIX)
        }
        self.start = (start or Path()).absolute()
        self.findings = list(findings or ())
        self._values = Values(self.tables, str(source or "the configuration"), self.environ)
        self._check_sections()
        host = self._bind(("host",), HostOptions) or HostOptions()
        url = host.database_url
        if not findings:
            where = self.origin("host", "database_url")
            self.findings += misplaced_database(url, self.start, where)
        logo = str(self.start / host.logo) if host.logo else ""
        absolute = {"database_url": absolute_url(url, self.start), "logo": logo}
        self.host = host.model_copy(update=absolute)

    def module_names(self) -> list[str]:
        """Return the modules that have a section."""
        modules = self._values.sections.get("modules")
        return list(modules) if isinstance(modules, dict) else []

    def origin(self, *path: str) -> str:
        """Return the words for what sets a key, or something in a table."""
        return self._values.origin(path)

    def bind(self, module: str, model: type[Model]) -> Model | None:
        """Return the options of a module, None when they are invalid, which adds findings."""
        return self._bind(("modules", module), model)

    def bind_settings(self, module: str, model: type[BaseModel] | None) -> ConfiguredSettings:
        """Return what is set in the table `settings` of a module; what is wrong adds findings.

        Args:
            module: the name of the module.
            model: what its settings are; None for a module without, which has no such table.

        """
        section = ("modules", module, SETTINGS)
        table = self._values.table(section[:2], _with_settings(model)).get(SETTINGS, {})
        if model is None:
            if table:
                where = f"{self.origin(*section)}: [modules.{module}.{SETTINGS}] is unknown."
                remedy = f"Remove it: the module {module} has no settings."
                self.findings.append(Finding(rules.UNKNOWN_KEY, where, remedy, module))
        elif self._validated(table, section, model) is not None:
            origins = {name: self._values.origin_of((*section, name)) for name in table}
            return ConfiguredSettings(table, origins)
        return ConfiguredSettings({}, {})

    def in_effect(self, models: Mapping[str, type[BaseModel]]) -> Iterator[Setting]:
        """Yield every option with its value, secrets hidden, those of the host first."""
        yield from self._settings(("host",), self.host)
        for module, model in models.items():
            options = self.bind(module, model)
            if options is not None:
                yield from self._settings(("modules", module), options)

    def _settings(self, section: tuple[str, ...], options: BaseModel) -> Iterator[Setting]:
        for path, value in leaves(by_accepted_name(options)):
            yield Setting(
                key_name(section, path),
                redacted_option(path, value, type(options)),
                self._values.short_origin((*section, *path)),
                description_of(path, type(options)),
            )

    def _bind(self, section: tuple[str, ...], model: type[Model]) -> Model | None:
        table = self._values.table(section, model)
        if section[0] == "modules" and SETTINGS not in options_in(model):
            table.pop(SETTINGS, None)
        files = SecretFiles(self._values, section, self.start)
        files.read(table, model)
        return self._validated(table, section, model, files.findings)

    def _validated(
        self,
        table: Mapping[str, Any],
        section: tuple[str, ...],
        model: type[Model],
        unusable: Sequence[Finding] = (),
    ) -> Model | None:
        unusable = [*unusable, *control_characters(table, section, self._values)]
        self.findings += unusable + self._contested(section)
        if unusable:
            return None
        try:
            return with_absolute_paths(model.model_validate(table), self.start)
        except ValidationError as error:
            self.findings += findings_of(error, table, section, model, self._values)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a module's validator raises
            self.findings.append(unvalidated(error, table, section, model, self._values))
        return None

    def _contested(self, section: tuple[str, ...]) -> list[Finding]:
        """Return a finding for each key of a section that several variables set."""
        return [
            Finding(
                rules.BAD_VALUE,
                f"environment variables {' and '.join(names)}: both set "
                f"{key_name(section, path[len(section) :])}.",
                "Unset one of the two.",
            )
            for path, names in self._values.contenders()
            if path[: len(section)] == section
        ]

    def _check_sections(self) -> None:
        sections = self._values.sections
        for name, value in sections.items():
            where = f"{self.origin(name)}: [{name}]"
            if name not in ("host", "modules"):
                remedy = "The sections are [host], [host.modules] and [modules.<name>]."
                self.findings.append(Finding(rules.UNKNOWN_KEY, f"{where} is unknown.", remedy))
            elif not isinstance(value, dict):
                detail, remedy = f"{where} is not a table.", f"Write [{name}]."
                self.findings.append(Finding(rules.BAD_VALUE, detail, remedy))
        modules = sections.get("modules")
        for name, value in modules.items() if isinstance(modules, dict) else ():
            if not isinstance(value, dict):
                detail = f"{self.origin('modules', name)}: [modules] {name} is not a table."
                self.findings.append(Finding(rules.BAD_VALUE, detail, f"Write [modules.{name}]."))


@cache
def _with_settings(model: type[BaseModel] | None) -> type[BaseModel]:
    """Return a model of the table around settings, by which variables find their places."""
    return create_model("Around", settings=(model or dict[str, Any], ...))


def load_configuration(path: Path | None, environ: Mapping[str, str]) -> Configuration:
    """Read the configuration; its `findings` say what is wrong.

    Without a path the file is the one that `MODHOST_CONFIG` names, else `config/host.toml` if it
    exists.
    """
    chosen = path or (Path(environ[VARIABLE]) if environ.get(VARIABLE) else None)
    if chosen is None:
        chosen = DEFAULT_FILE if DEFAULT_FILE.exists() else None
    values: dict[str, Any] = {}
    findings: list[Finding] = []
    if chosen is not None:
        try:
            values = read_tables(chosen)
        except (OSError, ValueError) as error:
            findings.append(_unreadable(chosen, error))
    return Configuration(values, chosen, environ, findings, start_of_paths(chosen))


def _unreadable(path: Path, error: Exception) -> Finding:
    if isinstance(error, FileNotFoundError):
        detail = f"the file {path} does not exist."
        remedy = f"Name another by --config or {VARIABLE}, or create it."
    elif isinstance(error, tomllib.TOMLDecodeError):
        detail, remedy = f"{path} is not valid TOML: {error}.", "Fix that line."
    elif isinstance(error, IsADirectoryError):
        detail, remedy = f"{path} is a folder.", f"Name the file in it, by --config or {VARIABLE}."
    else:
        reason = error.strerror if isinstance(error, OSError) else error
        detail, remedy = f"{path} cannot be read: {reason}.", "Make it a readable UTF-8 text file."
    return Finding(rules.BAD_CONFIGURATION_FILE, detail, remedy)
