"""An older version of the code works beside this one, as in a deployment that replaces hosts."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

import anyio
from anyio import to_thread

from chaos.databases.served import Served
from chaos.faults.fault import Fault
from chaos.scene import OPTIONS, Scene

ROOT: Final = Path(__file__).parents[3]
SOURCES: Final = ("host/src", "modules/background_jobs/src")
MODHOST: Final = "import sys; from modhost.cli.main import main; main(sys.argv[1:])"
BESIDE_SECONDS: Final = 12.0


def oldest_of_the_schema() -> str:
    """Return the commit of the newest migration: the oldest code that knows the tables."""
    newest = ["log", "-1", "--diff-filter=A", "--format=%H", "--", "*/migrations/versions/*.py"]
    return _git(*newest).decode().strip()


def _git(*words: str) -> bytes:
    return subprocess.run(["git", *words], cwd=ROOT, check=True, capture_output=True).stdout


def has_history(served: Served) -> bool:
    """Return whether older versions of the code are there."""
    return (ROOT / ".git").exists() and shutil.which("git") is not None


async def work_beside(scene: Scene) -> None:
    """Let a worker of the older version take jobs for a while, and stop it in order."""
    folder = scene.folder / "older"
    if not folder.exists():
        folder.mkdir()
        packed = await to_thread.run_sync(_git, "archive", oldest_of_the_schema(), *SOURCES)
        unpack = ["tar", "-x", "-C", str(folder)]
        await to_thread.run_sync(lambda: subprocess.run(unpack, input=packed, check=True))
    environment = scene.deployment.environment(**OPTIONS, max_concurrency=f"{scene.size.slots}")
    sources = [str(folder / each) for each in SOURCES]
    environment["PYTHONPATH"] = os.pathsep.join([*sources, environment["PYTHONPATH"]])
    command = [sys.executable, "-c", MODHOST, *scene.deployment.words()]
    with (scene.folder / "older.log").open("ab") as log:
        process = await anyio.open_process(command, env=environment, stdout=log, stderr=log)
    try:
        log_of_it = scene.folder / "older.log"
        while f"-{process.pid}-" not in log_of_it.read_text():
            assert process.returncode is None, log_of_it.read_text()
            await anyio.sleep(0.1)
        await anyio.sleep(BESIDE_SECONDS)
        with scene.ledger.span("impaired", pids=[process.pid], how="stopping"):
            process.send_signal(signal.SIGTERM)
            await process.wait()
    except BaseException:
        if process.returncode is None:
            process.kill()
        raise


NAME: Final = "a worker of an older version beside"
FAULTS: Final = (Fault(NAME, work_beside, is_possible=has_history),)
