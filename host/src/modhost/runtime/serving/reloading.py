"""Start a host again whenever its modules or its configuration change, for development."""

import logging
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import suppress
from importlib.metadata import entry_points
from importlib.util import cache_from_source, find_spec
from pathlib import Path
from typing import Final

import anyio
from anyio.abc import Process
from anyio.lowlevel import checkpoint
from watchfiles import Change, DefaultFilter, awatch

from modhost.plugins.discovery import GROUP
from modhost.runtime.serving.processes import SUPERVISED

logger = logging.getLogger(__name__)

MAX_NAMES: Final = 3


def keep_reloading(command: Sequence[str], config: Path, stop_seconds: Callable[[], float]) -> int:
    """Run a command, and again after each change, until SIGTERM or SIGINT; return the exit code.

    Changes are those of files in the packages of installed modules, and of the configuration. What
    does not start, or cannot be parsed, waits for the next change.

    Args:
        command: a program that stops when it gets SIGTERM.
        config: the configuration file, which may not exist yet.
        stop_seconds: how long it may take to stop; asked before each stop.

    """
    # It logs each batch of changes, those of the log's own file too.
    logging.getLogger("watchfiles").setLevel(logging.WARNING)
    reloader = _Reloader(command, config.resolve(), stop_seconds)
    anyio.run(reloader.run)
    return reloader.exit_code


class _Reloader:
    def __init__(
        self, command: Sequence[str], config: Path, stop_seconds: Callable[[], float]
    ) -> None:
        self.exit_code = 0
        self._command = list(command)
        self._config = config
        self._stop_seconds = stop_seconds
        self._stopping = anyio.Event()
        self._changed = anyio.Event()
        self._files: set[Path] = set()
        """Those that have changed since the process was started."""
        self._errors: list[str] = []
        """Why some of them cannot be parsed."""
        self._process: Process | None = None

    async def run(self) -> None:
        """Start, wait for a change, stop, and again."""
        packages = _packages()
        async with anyio.create_task_group() as group:
            if packages:
                group.start_soon(self._watch, awatch(*packages, watch_filter=_Sources()))
            if self._config.parent.is_dir():
                group.start_soon(
                    self._watch,
                    awatch(
                        self._config.parent,
                        watch_filter=lambda _, path: Path(path) == self._config,
                        recursive=False,
                    ),
                )
            group.start_soon(self._await_signals)
            # Whether files can be watched is known then.
            await checkpoint()
            while not self._stopping.is_set():
                _forget_compiled(self._files)
                self._files.clear()
                self._changed = anyio.Event()
                await self._run_once()
                # More may have been saved while the process stopped.
                await self._until_parsed()
            group.cancel_scope.cancel()

    async def _watch(self, changes: AsyncIterator[set[tuple[Change, str]]]) -> None:
        try:
            async for found in changes:
                self._files |= {Path(path) for _, path in found}
                self._errors = [
                    error for file in sorted(self._files) if (error := _syntax_error(file))
                ]
                for error in self._errors:
                    logger.error("Not reloaded: %s", error)
                self._changed.set()
        except (OSError, RuntimeError) as unwatchable:
            logger.error("Files cannot be watched: %s.", unwatchable)  # noqa: TRY400 - a limit of the machine
            self.exit_code = 1
            self._stopping.set()
            self._changed.set()

    async def _await_signals(self) -> None:
        with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
            async for number in signals:
                if self._stopping.is_set() and self._process:
                    logger.error("Asked to stop again; exiting at once.")
                    self.exit_code = 1
                    with suppress(ProcessLookupError):
                        self._process.kill()
                    continue
                logger.info("%s: stopping.", signal.Signals(number).name)
                self._stopping.set()
                self._changed.set()

    async def _run_once(self) -> None:
        """Run the command until something has changed, or the stop."""
        # A session of its own: an interrupt at the terminal reaches it through us only.
        self._process = await anyio.open_process(
            self._command,
            stdin=subprocess.PIPE,
            stdout=None,
            stderr=None,
            env={**os.environ, SUPERVISED: "1"},
            start_new_session=True,
        )
        async with self._process:
            async with anyio.create_task_group() as group:
                group.start_soon(self._report_end, self._process)
                await self._until_changed()
                group.cancel_scope.cancel()
            await self._stop(self._process)

    async def _report_end(self, process: Process) -> None:
        code = await process.wait()
        logger.error("The host has ended (%d); a change starts it again.", code)

    async def _until_changed(self) -> None:
        """Wait for a change of files that can be parsed, or for the stop."""
        await self._changed.wait()
        await self._until_parsed()
        if not self._stopping.is_set():
            names = sorted(map(_shown, self._files))
            more = f" and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else ""
            logger.info("Reloading: %s changed.", ", ".join(names[:MAX_NAMES]) + more)

    async def _until_parsed(self) -> None:
        while self._errors and not self._stopping.is_set():
            self._changed = anyio.Event()
            await self._changed.wait()

    async def _stop(self, process: Process) -> None:
        # It may have ended by itself.
        with suppress(ProcessLookupError):
            process.terminate()
            with anyio.move_on_after(self._stop_seconds()):
                await process.wait()
                return
            logger.error("The host does not stop; killing it.")
            process.kill()


class _Sources(DefaultFilter):
    """What editors and linters leave behind for a moment is not among them."""

    def __call__(self, change: Change, path: str) -> bool:
        return bool(Path(path).suffix) and super().__call__(change, path)


def _packages() -> list[Path]:
    """Return the folders of installed modules, without an import: one may have errors."""
    found: set[Path] = set()
    for entry in entry_points(group=GROUP):
        with suppress(ImportError, ValueError):
            spec = find_spec(entry.module.partition(".")[0])
            places = spec.submodule_search_locations if spec else None
            found |= {Path(place) for place in places or () if Path(place).is_dir()}
    return sorted(found)


def _forget_compiled(files: Iterable[Path]) -> None:
    """Have files compiled again: Python overlooks the second change within a second."""
    for file in files:
        if file.suffix == ".py":
            Path(cache_from_source(str(file))).unlink(missing_ok=True)


def _syntax_error(file: Path) -> str | None:
    if file.suffix != ".py" or not file.exists():
        return None
    try:
        compile(file.read_bytes(), _shown(file), "exec", dont_inherit=True)
    except SyntaxError as error:
        return f"{error.msg} ({_shown(file)}, line {error.lineno})."
    except (OSError, ValueError) as error:
        return f"{_shown(file)} cannot be read: {error}."
    return None


def _shown(file: Path) -> str:
    here = Path.cwd()
    return str(file.relative_to(here) if file.is_relative_to(here) else file)
