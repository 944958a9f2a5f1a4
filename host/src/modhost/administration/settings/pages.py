"""The pages of settings: all of them, and the form of each module."""

from typing import Final

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from modhost.administration.settings.api import MANAGE_SETTINGS, VIEW_SETTINGS
from modhost.administration.settings.changes import SettingChanges, UnknownSetting
from modhost.administration.settings.declared import InvalidSetting
from modhost.administration.settings.reading import SettingsReader
from modhost.permissions import Principal
from modhost.web import ADMINISTRATION, FieldError, Form, HttpProblem, Menu, Page, Pages, Query
from modhost.web.rendering.wording import module_title

PATH: Final = "/admin/settings"
SHOWN: Final = "shown."
"""Before the name of a field, the text that the form was opened with."""

_NOTICES: Final = {
    "saved": "Saved. Every process uses it within a second.",
    "same": "Nothing was changed.",
    "reset": "It is as the configuration says again.",
}


class NoticeQuery(BaseModel):
    """The name of the notice to show; an unknown name shows none."""

    notice: str = ""


class SettingsForm(BaseModel):
    """The form of a module: its fields are the settings."""


def map_settings_pages(pages: Pages) -> None:
    """Map the pages, and what their forms do."""
    pages.map_error(UnknownSetting, 404)
    pages.get(PATH, show_settings, permission=VIEW_SETTINGS)
    one = f"{PATH}/{{module}}"
    pages.get(one, show_form, permission=MANAGE_SETTINGS)
    pages.post(one, save, permission=MANAGE_SETTINGS)
    pages.post(f"{one}/{{name}}/reset", reset, permission=MANAGE_SETTINGS)


def add_settings_to_menu(menu: Menu) -> None:
    """Show the page in the navigation."""
    about = "What may be changed while the host runs."
    menu.add("Settings", PATH, VIEW_SETTINGS, about, group=ADMINISTRATION, key="s")


async def show_settings(
    query: Query[NoticeQuery], settings: SettingsReader, visitor: Principal
) -> Page:
    """Show the settings of all modules."""
    found = await settings.all()
    context = {
        "modules": [(name, module_title(name), views) for name, views in found.items()],
        "may_manage": visitor.may(MANAGE_SETTINGS),
        "notice_text": _NOTICES.get(query.notice, ""),
    }
    return Page("modhost/settings/all.html", context, "Settings")


async def show_form(module: str, settings: SettingsReader) -> Page:
    """Show the form of a module's settings."""
    context = {"module": module, "views": await settings.of_module(module), "shown": SHOWN}
    return Page("modhost/settings/module.html", context, module_title(module))


async def save(
    module: str, request: Request, _form: Form[SettingsForm], changes: SettingChanges
) -> Response:
    """Set what differs from what the form was opened with: others may have changed the rest."""
    sent = {name: str(text) for name, text in (await request.form()).items()}
    fields = changes.find(module).fields
    given = {
        name: field.parse(sent[name])
        for name, field in fields.items()
        if name in sent and _lines(sent[name]) != _lines(sent.get(SHOWN + name, ""))
    }
    try:
        await changes.set(module, given)
    except InvalidSetting as error:
        raise HttpProblem(422, str(error), errors=_of_form(error)) from error
    return _redirect("saved" if given else "same")


async def reset(module: str, name: str, changes: SettingChanges) -> Response:
    """Go back to the value of the configuration."""
    try:
        await changes.reset(module, name)
    except InvalidSetting as error:
        raise HttpProblem(409, error.errors[0].message) from error
    return _redirect("reset")


def _of_form(error: InvalidSetting) -> list[FieldError]:
    """Return the errors; none when they are about several fields together."""
    return error.errors if all(each.field for each in error.errors) else []


def _lines(text: str) -> list[str]:
    """Return the lines of a text: browsers end them otherwise than they were sent."""
    return text.strip("\r\n").splitlines()


def _redirect(notice: str) -> Response:
    return RedirectResponse(f"{PATH}?notice={notice}", 303)
