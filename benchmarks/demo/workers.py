"""`python -m benchmarks.demo.workers`: the workers of the shop, until its host ends.

Each is a host of its own, with its slots and its heartbeat; they share a process to save memory.
"""

import os
import signal
import sys
from contextlib import AsyncExitStack
from typing import Final

import anyio
import anyio.to_thread

from benchmarks.demo.hosting import configured, shop_modules
from benchmarks.demo.present import SLOTS
from modhost.configuration import Configuration
from modhost.runtime.assembly import build_host
from modhost.runtime.lifespan import running
from modhost.runtime.serving.logs import configure_logging

DATABASE: Final = "MODHOST_DEMO_DATABASE"
"""The variable with the address of the database, which may have a password."""
OPTIONS: Final = {"max_concurrency": SLOTS, "shutdown_grace": "1s"}


async def work(url: str, count: int) -> None:
    """Run workers until the standard input ends: with the process that has started this one."""
    configuration = Configuration(configured(url, "Consumer", OPTIONS))
    configure_logging(configuration.host)
    async with AsyncExitStack() as stack:
        for _ in range(count):
            host = build_host(configuration, "worker", modules=shop_modules())
            await stack.enter_async_context(running(host))
        await anyio.to_thread.run_sync(sys.stdin.read, abandon_on_cancel=True)


if __name__ == "__main__":
    # Ctrl+C reaches all of a terminal: the host ends, and then these.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    anyio.run(work, os.environ[DATABASE], int(sys.argv[1]))
