"""How services are cleaned up: in reverse order, each with the error that ended its scope."""

from collections.abc import AsyncIterator, Iterator

import anyio
import pytest

from modhost.services import ServiceProvider, ServiceRegistry

pytestmark = pytest.mark.anyio


class First: ...


class Second: ...


class Third: ...


class Noted(list[str]):
    """What the clean-up of each service has learnt."""


def first(noted: Noted) -> Iterator[First]:
    try:
        yield First()
    except BaseException as error:
        noted.append(f"first: {error!r}")
        raise
    noted.append("first: nothing")


async def second(noted: Noted, first: First) -> AsyncIterator[Second]:
    try:
        yield Second()
    except BaseException as error:
        await anyio.lowlevel.checkpoint()
        noted.append(f"second: {error!r}")
        raise
    noted.append("second: nothing")


def swallowing(noted: Noted, second: Second) -> Iterator[Third]:
    try:
        yield Third()
    except ValueError:
        noted.append("swallowed")


async def translating(second: Second) -> AsyncIterator[Third]:
    try:
        yield Third()
    except ValueError as error:
        raise KeyError("translated") from error


def failing(second: Second) -> Iterator[Third]:
    yield Third()
    raise OSError("the flush failed")


def providing(third: object) -> tuple[ServiceProvider, Noted]:
    registry = ServiceRegistry()
    services = registry.of_module("tests")
    noted = Noted()
    services.add_instance(Noted, noted)
    services.add_scoped(First, first)
    services.add_scoped(Second, second)
    services.add_scoped(Third, third)  # type: ignore[arg-type]
    return ServiceProvider(registry), noted


async def use(provider: ServiceProvider, error: BaseException | None = None) -> None:
    await provider.start()
    async with provider.scope() as scope:
        await scope.get(Third)
        if error is not None:
            raise error


async def test_without_an_error_they_learn_of_none() -> None:
    provider, noted = providing(swallowing)
    await use(provider)
    assert noted == ["second: nothing", "first: nothing"]


async def test_one_that_swallows_the_error_swallows_it_for_nobody_else() -> None:
    provider, noted = providing(swallowing)
    with pytest.raises(ValueError, match="half way"):
        await use(provider, ValueError("half way"))
    assert noted == [
        "swallowed",
        "second: ValueError('half way')",
        "first: ValueError('half way')",
    ]


async def test_what_one_raises_instead_is_what_the_others_learn_and_the_error_is_its_cause() -> (
    None
):
    provider, noted = providing(translating)
    with pytest.raises(ExceptionGroup) as raised:
        await use(provider, ValueError("half way"))
    (error,) = raised.value.exceptions
    assert repr(error) == "KeyError('translated')"
    assert repr(error.__cause__) == "ValueError('half way')"
    assert error.__notes__ == [f"The clean-up of {__name__}.Third of tests raised this."]
    assert noted == ["second: KeyError('translated')", "first: KeyError('translated')"]


async def test_a_clean_up_that_fails_is_an_error_for_those_after_it() -> None:
    provider, noted = providing(failing)
    with pytest.raises(ExceptionGroup) as raised:
        await use(provider)
    assert repr(raised.value.exceptions) == "(OSError('the flush failed'),)"
    assert noted == ["second: OSError('the flush failed')", "first: OSError('the flush failed')"]


async def test_they_learn_of_a_cancellation_and_end_all_the_same() -> None:
    provider, noted = providing(swallowing)
    with anyio.CancelScope() as cancelled:
        await provider.start()
        async with provider.scope() as scope:
            await scope.get(Third)
            cancelled.cancel()
            await anyio.sleep_forever()
    assert [each.partition("(")[0] for each in noted] == [
        "second: CancelledError",
        "first: CancelledError",
    ]
