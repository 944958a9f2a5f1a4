"""Arguments of a wrong type in what a module registers are reported with the module."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from pydantic import BaseModel
from starlette.types import ASGIApp, Receive, Scope, Send

from modhost import Module, ModuleOptions, Permission, hookimpl
from modhost.checks import Finding, StartupError
from modhost.configuration import Configuration
from modhost.permissions import ANYONE
from modhost.runtime.assembly import build_host

VIEW: Any = "Shop.View"
FIRST: Any = "1"


async def handle() -> str:
    return ""


async def show() -> None:
    """Show no card."""


class Order(BaseModel):
    pieces: int = 1


def finding_of(hook: str, implementation: Callable[..., object]) -> Finding:
    """Return what a start finds in a module whose hook does this."""
    attributes = {"name": "probe", hook: hookimpl(implementation)}
    with pytest.raises(StartupError) as refused:
        build_host(Configuration(), "web", modules=[type("Probe", (Module,), attributes)()])
    (finding,) = refused.value.findings
    assert finding.module == "probe"
    return finding


NAMED: dict[str, tuple[str, Callable[..., object]]] = {
    f"GET /x ({__name__}.handle) asks for": (
        "map_endpoints",
        lambda self, endpoints: endpoints.get("/x", handle, permission=VIEW),
    ),
    f"GET /x ({__name__}.show) asks for": (
        "map_pages",
        lambda self, pages: pages.get("/x", show, permission=VIEW),
    ),
    "The menu entry 'Shop' shows to those who have": (
        "configure_menu",
        lambda self, menu: menu.add("Shop", "/x", VIEW),
    ),
    "The menu entry 'Orders' shows to those who have": (
        "configure_slots",
        lambda self, slots: slots.tab("shop", "Orders", "/x", VIEW),
    ),
    f"The card {__name__}.show shows to those who have": (
        "configure_slots",
        lambda self, slots: slots.card(show, permission=VIEW),
    ),
}


@pytest.mark.parametrize("who", NAMED)
def test_the_name_of_a_permission_in_its_place_is_reported(who: str) -> None:
    finding = finding_of(*NAMED[who])
    assert (finding.rule.code, finding.detail, finding.remedy) == (
        "MH402",
        f"{who} 'Shop.View', which is not a Permission.",
        "Pass the Permission itself, not its name, or ANYONE.",
    )


@pytest.mark.parametrize(
    "given", [["Shop.View"], [Permission("Shop.View", "See it")], type(ANYONE)]
)
def test_an_object_of_another_class_is_reported(given: Any) -> None:
    finding = finding_of(
        "map_endpoints", lambda self, endpoints: endpoints.get("/x", handle, permission=given)
    )
    assert f"asks for {given!r}, which is not a Permission" in finding.detail


async def take_model(order: Order) -> None: ...


async def take_number(number: int) -> None: ...


async def take_day(day: date | None) -> None: ...


async def take_texts(texts: list[str]) -> None: ...


IN_MODEL = "into the path, or write Query[…], Body[…] or Form[…] of a model."
VALUES: dict[str, Callable[..., object]] = {
    "Write Body[Order], Query[Order] or Form[Order].": take_model,
    f"Put {{number}} {IN_MODEL}": take_number,
    f"Put {{day}} {IN_MODEL}": take_day,
    f"Put {{texts}} {IN_MODEL}": take_texts,
}


@pytest.mark.parametrize("remedy", VALUES)
def test_a_value_in_the_place_of_a_service_is_reported_with_its_remedy(remedy: str) -> None:
    finding = finding_of(
        "map_endpoints",
        lambda self, endpoints: endpoints.post("/x", VALUES[remedy], permission=ANYONE),
    )
    assert (finding.rule.code, finding.remedy) == ("MH301", remedy)


def test_options_that_no_module_has_are_a_missing_service() -> None:
    async def take_options(options: ModuleOptions) -> None: ...

    finding = finding_of(
        "map_endpoints",
        lambda self, endpoints: endpoints.get("/x", take_options, permission=ANYONE),
    )
    assert (finding.rule.code, finding.remedy[:7]) == ("MH301", "Install")


RAISED: dict[str, tuple[str, Callable[..., object]]] = {
    "the order of the menu entry 'Shop' is '1'": (
        "configure_menu",
        lambda self, menu: menu.add("Shop", "/x", ANYONE, order=FIRST),
    ),
    "the path of the menu entry 'Shop' is ANYONE": (
        "configure_menu",
        lambda self, menu: menu.add("Shop", ANYONE, "/x"),
    ),
    f"the order of the card {__name__}.show is '1'": (
        "configure_slots",
        lambda self, slots: slots.card(show, permission=ANYONE, order=FIRST),
    ),
    "must start with '/'": (
        "map_endpoints",
        lambda self, endpoints: endpoints.get(handle, "/x", permission=ANYONE),
    ),
    "'Cors' is not a class of middleware": (
        "configure_middleware",
        lambda self, middleware: middleware.add("Cors"),
    ),
}


@pytest.mark.parametrize("words", RAISED)
def test_another_argument_of_a_wrong_type_is_reported(words: str) -> None:
    finding = finding_of(*RAISED[words])
    assert (finding.rule.code, words in finding.detail) == ("MH110", True)


def test_a_message_that_ends_in_a_full_stop_gets_no_second_one() -> None:
    finding = finding_of("configure_services", lambda self, services: services.add_singleton("x"))
    assert finding.detail.endswith("or function.")
    assert not finding.detail.endswith("..")


def test_a_middleware_is_made_when_the_host_serves() -> None:
    """Its constructor may need the event loop, which commands do not have."""

    class Eager:
        def __init__(self, app: ASGIApp) -> None:
            raise AssertionError

        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            raise AssertionError

    hook = hookimpl(lambda self, middleware: middleware.add(Eager))
    module = type("Probe", (Module,), {"name": "probe", "configure_middleware": hook})()
    build_host(Configuration(), "web", modules=[module])


def test_a_text_as_default_roles_is_refused() -> None:
    """Its letters would have been the roles."""
    roles: Any = "Admin"
    with pytest.raises(TypeError, match=r"default roles of Shop\.View are 'Admin'; give a tuple"):
        Permission("Shop.View", "View the shop", roles)
