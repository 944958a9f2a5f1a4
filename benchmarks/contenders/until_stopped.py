"""Running an asynchronous worker until SIGTERM."""

import contextlib
import signal
from collections.abc import Awaitable, Callable
from typing import Any

import anyio


def run_loop(main: Callable[[], Awaitable[Any]]) -> None:
    """Run a coroutine on uvloop where it exists: what modhost uses, all contenders get."""
    try:
        import uvloop  # noqa: F401
    except ImportError:
        anyio.run(main)
    else:
        anyio.run(main, backend_options={"use_uvloop": True})


def work_until_stopped(
    work: Callable[[], Awaitable[Any]], stop: Callable[[], None] | None = None
) -> None:
    """Run the work until SIGTERM, which calls `stop` and waits, or cancels without one."""

    async def main() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(_obey, group.cancel_scope, stop)
            with contextlib.suppress(TimeoutError):
                await work()
            group.cancel_scope.cancel()

    run_loop(main)


async def _obey(scope: anyio.CancelScope, stop: Callable[[], None] | None) -> None:
    with anyio.open_signal_receiver(signal.SIGTERM) as signals:
        async for _ in signals:
            if stop is None:
                scope.cancel()
            else:
                stop()
