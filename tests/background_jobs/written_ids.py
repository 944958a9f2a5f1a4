"""Ids of processes that jobs have written down."""

from pathlib import Path

import anyio

from processes.living import lives


async def written(folder: Path, name: str) -> int:
    """Wait until a job has written a process id, and return it."""
    with anyio.fail_after(30):
        while not (folder / name).exists():
            await anyio.sleep(0.01)
    return int((folder / name).read_text())


async def gone(folder: Path, name: str) -> None:
    """Wait until the process is gone whose id a job has written."""
    pid = await written(folder, name)
    with anyio.fail_after(30):
        while lives(pid):
            await anyio.sleep(0.01)
