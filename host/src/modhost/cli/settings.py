"""`modhost settings`: list the settings, set another value, go back to the configuration."""

from typing import Any

import click

from modhost.administration.settings import (
    InvalidSetting,
    SettingChanges,
    SettingsReader,
    SettingStatus,
    UnknownSetting,
)
from modhost.cli.context import with_scope
from modhost.cli.output import as_json, print_result, show
from modhost.services import Scope

_with_settings = with_scope(
    InvalidSetting, UnknownSetting, usage_errors=(InvalidSetting, UnknownSetting)
)


@click.group()
def settings() -> None:
    """Settings that change while the host runs: list, set, reset."""


@settings.command("list")
@as_json
@_with_settings
async def list_settings(scope: Scope, *, as_json: bool) -> None:
    """List the settings of all modules, with where each value comes from."""
    found = await (await scope.get(SettingsReader)).all()
    rows = [_row(each.status, as_json=as_json) for views in found.values() for each in views]
    show(rows, as_json=as_json, empty="No module has settings.")


@settings.command("set")
@click.argument("module")
@click.argument("name")
@click.argument("value")
@as_json
@_with_settings
async def set_setting(scope: Scope, module: str, name: str, value: str, *, as_json: bool) -> None:
    """Set the value of a setting in all processes; a list is written as JSON."""
    changes = await scope.get(SettingChanges)
    field = changes.find(module, [name]).fields[name]
    await changes.set(module, {name: field.parse(value)})
    await _print_status(scope, module, name, as_json=as_json)


@settings.command("reset")
@click.argument("module")
@click.argument("name")
@as_json
@_with_settings
async def reset_setting(scope: Scope, module: str, name: str, *, as_json: bool) -> None:
    """Go back to the value of the configuration, or to the default."""
    await (await scope.get(SettingChanges)).reset(module, name)
    await _print_status(scope, module, name, as_json=as_json)


async def _print_status(scope: Scope, module: str, name: str, *, as_json: bool) -> None:
    status = await (await scope.get(SettingsReader)).find(module, name)
    sentence = f"The setting {module}.{name} is {status.value!r}, from {status.origin}."
    print_result(status.model_dump(), sentence, as_json=as_json)


def _row(status: SettingStatus, *, as_json: bool) -> dict[str, Any]:
    if as_json:
        return status.model_dump()
    where = status.origin if status.source is None else f"{status.origin} ({status.source})"
    return {
        "module": status.module,
        "name": status.name,
        "value": status.value,
        "origin": where,
        "problem": status.problem or "",
    }
