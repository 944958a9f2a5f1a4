"""A scope makes each service once, whoever asks at the same time, and none after it was left."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import anyio
import pytest

from modhost import Scope
from modhost.services import ServiceProvider, ServiceRegistry

pytestmark = pytest.mark.anyio


class Pool: ...


class Client: ...


class Makings(list[str]):
    """What was made, closed and asked for; the first making waits until it is let go."""

    def __init__(self) -> None:
        self.has_begun = anyio.Event()
        self.go = anyio.Event()


async def pool(makings: Makings) -> AsyncIterator[Pool]:
    makings.append("made")
    if not makings.has_begun.is_set():
        makings.has_begun.set()
        await makings.go.wait()
        if "failing" in makings:
            raise OSError("no connection")
    yield Pool()
    makings.append("closed")


def providing(makings: Makings) -> ServiceProvider:
    registry = ServiceRegistry()
    services = registry.of_module("tests")
    services.add_instance(Makings, makings)
    services.add_scoped(Pool, pool)
    return ServiceProvider(registry)


async def together(*asking: Callable[[], Any]) -> None:
    with anyio.fail_after(10):
        async with anyio.create_task_group() as group:
            for each in asking:
                group.start_soon(each)
                await anyio.wait_all_tasks_blocked()


async def test_two_tasks_that_ask_at_once_get_the_same() -> None:
    makings = Makings()
    provider = providing(makings)
    await provider.start()
    found: list[Pool] = []

    async with provider.scope() as scope:

        async def ask() -> None:
            found.append(await scope.get(Pool))

        async def let_go() -> None:
            makings.go.set()

        await together(ask, ask, let_go)
    assert found[0] is found[1]
    assert makings == ["made", "closed"]


async def test_a_making_that_fails_is_not_remembered() -> None:
    makings = Makings()
    provider = providing(makings)
    await provider.start()
    failures: list[str] = []

    async with provider.scope() as scope:

        async def ask() -> None:
            try:
                await scope.get(Pool)
            except OSError as error:
                failures.append(str(error))

        async def let_go() -> None:
            makings.append("failing")
            makings.go.set()

        await together(ask, ask, let_go)
    assert failures == ["no connection"]
    assert makings == ["made", "failing", "made", "closed"]


async def test_the_cancellation_of_the_first_that_asks_is_its_own() -> None:
    makings = Makings()
    provider = providing(makings)
    await provider.start()
    found: list[Pool] = []

    async with provider.scope() as scope:
        first = anyio.CancelScope()

        async def ask_first() -> None:
            with first:
                await scope.get(Pool)

        async def ask() -> None:
            found.append(await scope.get(Pool))

        async def cancel() -> None:
            first.cancel()

        await together(ask_first, ask, cancel)
        assert [await scope.get(Pool)] == found
    assert makings == ["made", "made", "closed"]


async def test_a_scope_that_was_left_makes_nothing_and_says_so() -> None:
    makings = Makings()
    makings.has_begun.set()
    provider = providing(makings)
    await provider.start()
    async with provider.scope() as scope:
        pass
    for contract in (Pool, Makings, Scope):
        with pytest.raises(RuntimeError, match=rf"{contract.__name__} was asked for in a scope"):
            await scope.get(contract)
    assert makings == []


async def test_what_another_task_makes_while_the_scope_is_left_is_closed() -> None:
    makings = Makings()
    provider = providing(makings)
    await provider.start()

    async def late(scope: Scope) -> None:
        with pytest.raises(RuntimeError, match="a scope that was left"):
            await scope.get(Pool)

    with anyio.fail_after(10):
        async with anyio.create_task_group() as group:
            async with provider.scope() as scope:
                group.start_soon(late, scope)
                await makings.has_begun.wait()
            makings.go.set()
    assert makings == ["made", "closed"]


async def circular(scope: Scope) -> Pool:
    return await scope.get(Pool)


async def test_a_service_that_asks_for_itself_fails_instead_of_waiting() -> None:
    registry = ServiceRegistry()
    registry.of_module("tests").add_scoped(Pool, circular)
    provider = ServiceProvider(registry)
    await provider.start()
    with anyio.fail_after(10):
        async with provider.scope() as scope:
            with pytest.raises(RuntimeError, match="Pool needs itself while it is made"):
                await scope.get(Pool)


async def client(provider: ServiceProvider) -> Client:
    async with provider.scope() as scope:
        await scope.get(Pool)
    return Client()


async def test_a_singleton_that_another_gets_from_a_scope_is_made_once() -> None:
    makings = Makings()
    makings.has_begun.set()
    registry = ServiceRegistry()
    services = registry.of_module("tests")
    services.add_singleton(Client, client)
    services.add_instance(Makings, makings)
    services.add_singleton(Pool, pool)
    provider = ServiceProvider(registry)
    await provider.start()
    assert makings == ["made"]
    await provider.aclose()
    assert makings == ["made", "closed"]
