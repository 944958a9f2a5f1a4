"""The page about the configuration has every option, and its examples work."""

import re
import tomllib
from collections.abc import Mapping
from datetime import timedelta
from enum import Enum
from pathlib import Path
from typing import Any

import anyio
import pytest
from pydantic import BaseModel, SecretStr, TypeAdapter
from pydantic_core import PydanticUndefined

from docs.generated.configuration_reference import MODELS, SETTINGS, Option, options_of
from docs.pages import ROOT, all_pages, blocks, page
from modhost.configuration import Configuration, load_configuration
from modhost.configuration.redaction import HIDDEN
from modhost.database.migrations import migrate
from modhost.durations import parse_duration
from modhost.identity.external.oidc.options import OidcOptions
from modhost.module import Role
from modhost.plugins.discovery import find_modules
from modhost.runtime.assembly import build_host
from modhost.runtime.lifespan import running

ROW = re.compile(r"^\| `(\[[\w.]+\] \w+)` \| ([^|]+) \| ([^|]+) \| `(\w+)` \|$", re.MULTILINE)
PAGE = page("configuration.md")
MODULES = {
    section.removeprefix("modules."): model
    for section, model in MODELS.items()
    if section.startswith("modules.")
}
ROWS = {key: (default.strip(), variable) for key, _, default, variable in ROW.findall(PAGE)}

TYPES = {key: type_ for key, type_, _, _ in ROW.findall(PAGE)}
OF_TYPE: dict[str, Any] = {
    "string": "mail",
    "list of networks": ["10.0.0.0/8"],
    "list of strings": ["mail"],
    "table of lists": {"mail": ["spam"]},
    "table of whole numbers": {"mail": 3},
}


def options(models: Mapping[str, type[BaseModel]]) -> list[Option]:
    return [each for section, model in models.items() for each in options_of(section, model)]


OPTIONS = options(MODELS | SETTINGS)
KEYS = [each.key for each in OPTIONS]
OPTION_KEYS = [each.key for each in options(MODELS)]


def shown() -> list[tuple[str, str]]:
    """Return every configuration on a page, and the files."""
    found = [
        (f"{path.relative_to(ROOT)} {number}", code)
        for path in all_pages()
        for number, code in enumerate(blocks(path.read_text("utf-8"), "toml"))
        if {"host", "modules"} & set(tomllib.loads(code))
    ]
    files = [(str(path.relative_to(ROOT)), path.read_text()) for path in ROOT.glob("config/*.toml")]
    return found + files


def test_every_option_is_there_and_no_other() -> None:
    assert set(ROWS) == set(KEYS)


def test_every_module_that_ships_is_there() -> None:
    own = [each for each in find_modules().modules if each.distribution.startswith("modhost")]
    with_options = {found.module.name: found.module.options for found in own}
    assert with_options | {"oidc": OidcOptions} == MODULES
    with_settings = {
        f"modules.{found.module.name}.settings": found.module.settings
        for found in own
        if found.module.settings is not None
    }
    assert with_settings == SETTINGS


@pytest.mark.parametrize("option", OPTIONS, ids=KEYS)
def test_its_default_is_true(option: Option) -> None:
    key, default = option.key, option.value
    written = ROWS[key][0]
    if key == "[modules.background_jobs] max_concurrency":
        assert written == "the number of processors"
        return
    if default is PydanticUndefined:
        assert written == "required"
        return
    value = tomllib.loads(f"value = {written.strip('`')}")["value"]
    if isinstance(default, timedelta):
        value = parse_duration(value)
    elif isinstance(default, Path):
        value = Path(value)
    elif isinstance(default, tuple):
        value = tuple(value)
    elif isinstance(default, Enum):
        default = default.value
    elif isinstance(default, SecretStr):
        default = default.get_secret_value()
    assert value == default


@pytest.mark.parametrize("option", OPTIONS, ids=KEYS)
def test_it_takes_what_its_type_says(option: Option) -> None:
    if TYPES[option.key] in OF_TYPE:
        kind: Any = option.field.annotation
        TypeAdapter(kind).validate_python(OF_TYPE[TYPES[option.key]])


@pytest.mark.parametrize("key", OPTION_KEYS)
def test_its_environment_variable_sets_it(key: str) -> None:
    variable = ROWS[key][1]
    required = {"issuer": "https://id.example", "client_id": "modhost"}
    configuration = Configuration({"modules": {"oidc": required}}, environ={variable: "nonsense"})
    values = {each.key: each.value for each in configuration.in_effect(MODULES)}
    refused = " ".join(finding.detail for finding in configuration.findings)
    in_effect = str(values.get(key))
    is_secret = in_effect == HIDDEN and key.endswith("secret")
    assert "nonsense" in in_effect or is_secret or variable in refused


@pytest.mark.parametrize("option", OPTIONS, ids=KEYS)
def test_it_is_explained(option: Option) -> None:
    assert re.search(rf"^- \*\*`{option.name}`\*\*: \S", PAGE, re.MULTILINE)


@pytest.mark.parametrize("code", [code for _, code in shown()], ids=[name for name, _ in shown()])
@pytest.mark.parametrize("role", ["web", "worker"])
def test_a_configuration_that_is_shown_starts(
    code: str, role: Role, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    file = tmp_path / "shown.toml"
    file.write_text(code, "utf-8")
    is_postgres = 'database_url = "postgresql:' in code
    environ = {
        # A server of the tests, in place of the one that is named.
        "MODHOST__HOST__DATABASE_URL": request.getfixturevalue(
            "postgres_url" if is_postgres else "sqlite_url"
        ),
        "MODHOST__MODULES__BACKGROUND_JOBS__SHUTDOWN_GRACE": "0",
    }
    anyio.run(start, load_configuration(file, environ), role)


async def start(configuration: Configuration, role: Role) -> None:
    host = build_host(configuration, role)
    async with host.database.open():
        await migrate(host.database, host.migrations)
    async with running(host):
        assert host.supervisor is not None
        assert {state.state for state in host.supervisor.report()} == {"running"}
