"""`modhost events`, and what the doctor finds of those who subscribed."""

from pathlib import Path

import pytest

from cli.command_line import CommandLine
from diagnosis.support import Doctor, install

SHOP = """
from modhost import Module
from modhost.events import Event


class ShopEvent(Event):
    pass


class OrderPlaced(ShopEvent):
    pass


class OrderSent(ShopEvent):
    pass


class Acme(Module):
    name = "shop"
    publishes = (OrderPlaced, OrderSent)
"""
STOCK = """
from acme_shop import OrderPlaced, ShopEvent
from modhost import Module, hookimpl
from modhost.events import Event


class Lost(Event):
    pass


class Count:
    async def handle(self, event: OrderPlaced) -> None: ...


async def note(event: Event) -> None: ...


class Acme(Module):
    name = "stock"
    requires = ("shop",)

    @hookimpl
    def configure_services(self, services) -> None:
        services.subscribe(OrderPlaced, Count)
        services.subscribe(EVENT, note)
"""

ENDS = "modhost_background_jobs.contracts.events.Job"
OF_JOBS = [[f"{ENDS}{end}", "background_jobs"] for end in ("Completed", "Failed", "Cancelled")]


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path / "1", monkeypatch, "shop", SHOP)
    install(tmp_path / "2", monkeypatch, "stock", STOCK.replace("EVENT", "ShopEvent"))


@pytest.mark.usefixtures("installed")
def test_who_publishes_what_for_whom_is_listed(command_line: CommandLine) -> None:
    rows = [line.split("  ") for line in command_line.run("events").stdout.splitlines()]
    assert [[cell.strip() for cell in row if cell] for row in rows[1:]] == [
        *OF_JOBS,
        ["acme_shop.OrderPlaced", "shop", "Count", "stock", "in process"],
        ["acme_shop.OrderPlaced", "shop", "note", "stock", "in process"],
        ["acme_shop.OrderSent", "shop", "note", "stock", "in process"],
    ]


def test_an_event_without_subscribers_is_listed_too(
    command_line: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, monkeypatch, "shop", SHOP)
    stdout = command_line.run("events").stdout
    assert [line.split() for line in stdout.splitlines()[1:]] == [
        *OF_JOBS,
        ["acme_shop.OrderPlaced", "shop"],
        ["acme_shop.OrderSent", "shop"],
    ]


def test_the_doctor_finds_a_subscriber_of_what_nobody_publishes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sqlite_url: str
) -> None:
    install(tmp_path / "1", monkeypatch, "shop", SHOP)
    install(tmp_path / "2", monkeypatch, "stock", STOCK.replace("EVENT", "Lost"))
    (finding,) = Doctor.of(tmp_path, sqlite_url).findings(exits=2)
    assert (finding["code"], finding["module"]) == ("MH308", "stock")
    assert "note subscribed to acme_stock.Lost" in finding["message"]


COMMANDS = """
import sys

import anyio
import click

from modhost import Module, hookimpl
from modhost.cli import with_scope
from modhost.events import Event, Events


class OrderPlaced(Event):
    pass


async def ship(event: OrderPlaced) -> None:
    await anyio.sleep(0.2)
    click.echo("shipped")


@click.command()
@with_scope()
async def order(scope) -> None:
    await (await scope.get(Events)).publish(OrderPlaced())
    click.echo("ordered")
    sys.exit(7)


class Acme(Module):
    name = "shop"
    publishes = (OrderPlaced,)

    @hookimpl
    def configure_services(self, services) -> None:
        services.subscribe(OrderPlaced, ship)

    @hookimpl
    def register_commands(self, cli) -> None:
        cli.add_command(order)
"""


def test_a_command_that_publishes_waits_for_subscribers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sqlite_url: str
) -> None:
    install(tmp_path, monkeypatch, "shop", COMMANDS)
    run = Doctor.of(tmp_path, sqlite_url).modhost("order")
    assert (run.stdout.split(), run.exit_code) == (["ordered", "shipped"], 7)
