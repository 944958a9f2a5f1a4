"""One `modhost run` or `modhost worker`, and its log."""

import os
import re
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import anyio

from processes.forking import fork_modhost

POLL_SECONDS = 0.02


class HostProcess:
    """A process in a group of its own; whoever starts it kills it at the end."""

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self._log = log
        log.touch()
        self._process = fork_modhost(arguments, environment, log)

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
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
            assert found >= times or self._process.exitcode is None, self.log
            return found >= times

        await until(has_logged, f"{times} x {pattern!r} in the log", seconds)

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    async def exit_code(self, seconds: float = 60) -> int:
        """Wait until it has exited."""
        await until(lambda: self._process.exitcode is not None, "the process to exit", seconds)
        assert self._process.exitcode is not None
        return self._process.exitcode

    def kill(self) -> None:
        """Kill it with all its children, without a shutdown."""
        if self._process.exitcode is None:
            # At its very beginning it has no group yet.
            self._process.kill()
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
        self._process.join()


async def until(condition: Callable[[], bool], what: str, seconds: float = 60) -> None:
    """Wait until a condition holds."""
    with anyio.move_on_after(seconds):
        while not condition():
            await anyio.sleep(POLL_SECONDS)
        return
    msg = f"Waited {seconds:g} s for {what}."
    raise AssertionError(msg)
