"""Subscribers that fail or hang: they harm nobody, and are reported."""

import logging
import threading
from collections.abc import Iterator
from datetime import timedelta

import anyio
import pytest
from pydantic import SecretStr

from modhost import Scope, hookimpl
from modhost.events import Event, Events
from modhost.runtime.events import dispatcher
from modhost.testing import running_host
from runtime.events.shop import (
    Counts,
    OrderPlaced,
    Seen,
    Shop,
    Stock,
    note,
    shop_with,
)

pytestmark = pytest.mark.anyio

ONE = OrderPlaced(order="one")


async def fail(event: OrderPlaced) -> None:
    msg = "no stock"
    raise RuntimeError(msg)


async def leave(event: OrderPlaced) -> None:
    raise SystemExit(3)


async def cancel(event: OrderPlaced) -> None:
    raise anyio.get_cancelled_exc_class()


def iterate(event: OrderPlaced) -> Iterator[int]:
    return iter([]) if not event.order else (each for each in (1,))


class Unmakable:
    def __init__(self) -> None:
        msg = "cannot be made"
        raise RuntimeError(msg)

    async def handle(self, event: OrderPlaced) -> None:
        raise AssertionError


class Unclosable:
    async def handle(self, event: OrderPlaced) -> None:
        raise KeyboardInterrupt


@pytest.mark.parametrize("failing", [fail, leave, cancel, iterate, Unmakable, Unclosable])
async def test_one_that_fails_is_logged_with_the_event(
    failing: object, caplog: pytest.LogCaptureFixture
) -> None:
    name = getattr(failing, "__qualname__", "")
    async with shop_with((OrderPlaced, failing), (OrderPlaced, note)) as shop:
        await shop.publish(ONE)
        await shop.publish(OrderPlaced(order="two"))
        await shop.seen.until("noted one", "noted two")
    text = f"The subscriber {name} of stock (OrderPlaced(order='one')) failed."
    (record,) = [each for each in caplog.records if each.getMessage() == text]
    assert record.exc_info is not None


async def test_a_plain_function_runs_in_a_thread() -> None:
    def where(event: OrderPlaced, seen: Seen) -> None:
        is_main = threading.current_thread() is threading.main_thread()
        seen.notes.append("loop" if is_main else f"thread {event.order}")

    async with shop_with((OrderPlaced, where)) as shop:
        await shop.publish(ONE)
        await shop.seen.until("thread one")


async def hang(event: OrderPlaced) -> None:
    await anyio.sleep_forever()


async def ignore(event: OrderPlaced, seen: Seen) -> None:
    while not seen.gate.is_set():
        try:
            await seen.gate.wait()
        except BaseException:  # noqa: BLE001, S112 - the worst that one can do
            continue


may_end = threading.Event()


def hang_in_thread(event: OrderPlaced) -> None:
    may_end.wait(60)


# Within the last of the grace, those who heed their cancellation end.
@pytest.mark.parametrize(
    ("hanging", "grace", "last"), [(hang, 30, 29.8), (ignore, 0.5, 0.2), (hang_in_thread, 30, 29.8)]
)
async def test_one_that_hangs_is_reported_when_the_host_stops(
    hanging: object,
    grace: float,
    last: float,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dispatcher, "MIN_GRACE_SECONDS", 0.2)
    monkeypatch.setattr(dispatcher, "STOP_TIMEOUT", last)
    may_end.clear()
    subscribed = (OrderPlaced, hanging), (OrderPlaced, Counts)
    async with shop_with(*subscribed, shutdown_grace=timedelta(seconds=grace)) as shop:
        await shop.publish(ONE)
        await shop.seen.until("counted one")
        began = anyio.current_time()
    assert anyio.current_time() - began < 20
    shop.seen.gate.set()
    may_end.set()
    name = f"{getattr(hanging, '__qualname__', '')} of stock (OrderPlaced(order='one'))"
    logged = [each.getMessage() for each in caplog.records if each.levelno >= logging.WARNING]
    assert logged[0] == (f"The subscriber {name} has not ended within the grace; it is cancelled.")
    abandoned = f"The subscriber {name} ignores its cancellation; it is abandoned."
    # One that ignores it may hold up the dispatcher itself beyond the grace, which is logged too.
    others = [each for each in logged[1:] if hanging is not ignore or "subscriber" in each]
    assert others == ([abandoned] if hanging is ignore else [])
    await anyio.sleep(0.01)


async def test_the_shutdown_waits_for_those_at_work_and_what_they_publish() -> None:
    class Slow:
        def __init__(self, seen: Seen) -> None:
            self.seen = seen

        async def handle(self, event: OrderPlaced) -> None:
            await anyio.sleep(0.2)
            self.seen.notes.append(f"slow {event.order}")
            if event.order == "one":
                await shop.publish(OrderPlaced(order="two"))

    async with shop_with((OrderPlaced, Slow)) as shop:
        await shop.publish(ONE)
    assert shop.seen.notes == ["slow one", "slow two"]


async def test_those_of_a_start_run_once_the_host_has_started() -> None:
    class Opening(Shop):
        @hookimpl
        async def on_start(self, scope: Scope) -> None:
            await (await scope.get(Events)).publish(ONE)
            assert stock.seen.notes == []

    stock = Stock((OrderPlaced, note))
    async with running_host([Opening(), stock]):
        await stock.seen.until("noted one")


async def test_a_long_event_is_cut_off_in_the_log_and_shows_no_secret(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Login(Event):
        password: SecretStr
        text: str

    class Gate(Shop):
        publishes = (Login,)

    async def refuse(event: Login) -> None:
        raise ValueError

    caplog.set_level(logging.INFO)
    stock = Stock((Login, refuse))
    async with running_host([Gate(), stock]) as host:
        async with host.scope() as scope:
            await (await scope.get(Events)).publish(
                Login(password=SecretStr("hunter22"), text="x" * 1000)
            )
        with anyio.fail_after(10):
            while "refuse" not in caplog.text:
                await anyio.sleep(0.01)
    assert "hunter22" not in caplog.text
    assert "x" * 600 not in caplog.text
