"""A permission that no route requires is reported, unless code checks it."""

from pathlib import Path

import pytest

from diagnosis.support import Doctor, install

SOURCE = """
from modhost import Module, Permission, hookimpl

BY_ROUTE = Permission("Desk.Route", "A route asks")
BY_PAGE = Permission("Desk.Page", "A page asks")
BY_MENU = Permission("Desk.Menu", "A menu entry asks")
BY_CODE = Permission("Desk.Code", "Code asks", checked_in_code=True)
BY_NOBODY = Permission("Desk.Nobody", "Nobody asks")


async def handle() -> None: ...


class Acme(Module):
    name = "desk"
    route_prefix = "/api/desk"
    view_prefix = "/desk"

    @hookimpl
    def configure_permissions(self):
        return [BY_ROUTE, BY_PAGE, BY_MENU, BY_CODE, BY_NOBODY]

    @hookimpl
    def map_endpoints(self, endpoints):
        endpoints.get("/", handle, permission=BY_ROUTE)

    @hookimpl
    def map_pages(self, pages):
        pages.get("/", handle, permission=BY_PAGE)

    @hookimpl
    def configure_menu(self, menu):
        menu.add("Desk", "/desk", BY_MENU)
"""


def test_the_one_that_nobody_asks_for_is_reported(
    tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, monkeypatch, "desk", SOURCE)
    doctor = Doctor.of(tmp_path, sqlite_url).migrate()
    (found,) = doctor.findings(exits=0)
    assert (found["code"], found["severity"]) == ("MH405", "warning")
    assert (found["module"], found["distribution"]) == ("desk", "acme-desk")
    assert found["message"] == "no endpoint, page or menu entry asks for 'Desk.Nobody'."
    assert Doctor.of(tmp_path, sqlite_url, 'silence = ["MH405"]').findings(exits=0) == []
