"""The routes of settings."""

from collections.abc import Sequence
from typing import Annotated, Any, Final, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from modhost.administration.settings.changes import SettingChanges, UnknownSetting
from modhost.administration.settings.declared import InvalidSetting
from modhost.administration.settings.reading import SettingsReader, SettingStatus
from modhost.permissions import Permission
from modhost.web import Body, Endpoints, FieldError, HttpProblem
from modhost.web.problems import invalid_fields

VIEW_SETTINGS: Final = Permission("Host.ViewSettings", "See the settings of modules")
MANAGE_SETTINGS: Final = Permission("Host.ManageSettings", "Change the settings of modules")

_PATH: Final = "/api/settings"


class SettingValue(BaseModel):
    """The value to set."""

    model_config = ConfigDict(extra="forbid")

    value: Annotated[Any, Field(examples=[20])]


ModuleName: TypeAlias = Annotated[str, Field(examples=["reports_example"])]
SettingName: TypeAlias = Annotated[str, Field(examples=["reports_shown"])]


def map_settings_endpoints(endpoints: Endpoints) -> None:
    """Map the routes."""
    endpoints.map_error(UnknownSetting, 404)
    one = f"{_PATH}/{{module}}/{{name}}"
    endpoints.get(_PATH, list_settings, permission=VIEW_SETTINGS)
    endpoints.get(one, get_setting, permission=VIEW_SETTINGS)
    endpoints.put(one, set_setting, permission=MANAGE_SETTINGS)
    endpoints.delete(one, reset_setting, permission=MANAGE_SETTINGS, errors={InvalidSetting: 409})


async def list_settings(settings: SettingsReader) -> Sequence[SettingStatus]:
    """List the settings of all modules, each with where its value comes from."""
    return [each.status for views in (await settings.all()).values() for each in views]


async def get_setting(
    module: ModuleName, name: SettingName, settings: SettingsReader
) -> SettingStatus:
    """Return a setting."""
    return await settings.find(module, name)


async def set_setting(
    module: ModuleName,
    name: SettingName,
    sent: Body[SettingValue],
    changes: SettingChanges,
    settings: SettingsReader,
) -> SettingStatus:
    """Set the value of a setting, in all processes within a second."""
    field = changes.find(module, [name]).fields[name]
    if refusal := field.refusal(sent.value):
        raise invalid_fields([FieldError("value", refusal)])
    try:
        await changes.set(module, {name: sent.value})
    except InvalidSetting as error:
        errors = [
            FieldError("value" if each.field == name else each.field, each.message)
            for each in error.errors
        ]
        raise HttpProblem(422, str(error), errors=errors) from error
    return await settings.find(module, name)


async def reset_setting(module: ModuleName, name: SettingName, changes: SettingChanges) -> None:
    """Go back to the value of the configuration, or to the default."""
    await changes.reset(module, name)
