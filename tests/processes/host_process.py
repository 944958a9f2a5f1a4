"""One `modhost run` or `modhost worker`, and its log."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import anyio

POLL_SECONDS = 0.02


class HostProcess:
    """A process in a group of its own; whoever starts it kills it at the end."""

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self._log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "modhost", *arguments],
                cwd=log.parent,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def log(self) -> str:
        return self._log.read_text("utf-8", "replace")

    @property
    def url(self) -> str:
        """Where it serves; known when it is ready."""
        found = re.search(r"^  (?:address|health) +(http://[\w.:]+)", self.log, re.MULTILINE)
        assert found is not None, self.log
        return found.group(1)

    async def ready(self) -> "HostProcess":
        """Wait until it has greeted."""
        await self.logs(r"^  (?:address|health) ")
        return self

    async def logs(self, pattern: str, times: int = 1, seconds: float = 60) -> None:
        """Wait until its log has lines that match."""

        def has_logged() -> bool:
            found = len(re.findall(pattern, self.log, re.MULTILINE))
            assert found >= times or self._process.poll() is None, self.log
            return found >= times

        await until(has_logged, f"{times} x {pattern!r} in the log", seconds)

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    async def exit_code(self, seconds: float = 60) -> int:
        """Wait until it has exited."""
        await until(lambda: self._process.poll() is not None, "the process to exit", seconds)
        return self._process.wait()

    def kill(self) -> None:
        """Kill it with all its children; nothing is flushed, nobody is told."""
        if self._process.poll() is None:
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()


async def until(condition: Callable[[], bool], what: str, seconds: float = 60) -> None:
    """Wait until a condition holds."""
    with anyio.move_on_after(seconds):
        while not condition():
            await anyio.sleep(POLL_SECONDS)
        return
    msg = f"Waited {seconds:g} s for {what}."
    raise AssertionError(msg)
