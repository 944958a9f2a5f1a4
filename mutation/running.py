"""Run the tests of a mutant in a process of its own, forked from one that has imported the rest."""

import gc
import importlib
import os
import pkgutil
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import hypothesis  # noqa: F401 - which takes long to import
import pytest

import modhost

_OPTIONS: Final = (
    *("-q", "--no-header", "--tb=line", "-p", "no:cacheprovider", "-p", "no:xdist"),
    *("-o", "timeout=30", "-W", "ignore::pytest.PytestAssertRewriteWarning"),
)
PASSED: Final = 42
"""Not 0, with which a mutant may exit itself."""
UNCHANGED: Final = 43
SLACK_SECONDS: Final = 40.0
SLOWER: Final = 5.0
"""How much longer than measured tests may take before they count as hanging."""


@dataclass
class Run:
    """The tests of one mutant while they run."""

    process: int
    log: Path
    began: float
    seconds: float

    def is_late(self) -> bool:
        """Whether it takes so long that it hangs."""
        return time.monotonic() - self.began > self.seconds

    def kill(self) -> None:
        """End it and all that it has started in its group."""
        os.killpg(self.process, signal.SIGKILL)


class Sources:
    """A copy of the package that is imported instead of it, so that a mutant is in no work tree."""

    def __init__(self, package: Path, folder: Path) -> None:
        self.folder = folder
        self._package = package
        self._copy = folder / package.name
        # Greater each time: by it and by the size Python decides whether a compiled file is old.
        self._time = int(time.time())
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(package, self._copy, ignore=shutil.ignore_patterns("__pycache__"))

    def write(self, file: str, text: str) -> None:
        """Put a text in the place of a file."""
        self._time += 1
        (self._copy / file).write_text(text)
        os.utime(self._copy / file, (self._time, self._time))

    def restore(self, file: str) -> None:
        """Put the file itself in its place again."""
        self.write(file, (self._package / file).read_text())


def import_what_stays() -> None:
    """Import the host, which knows no module, and what it imports: most of the time of a test."""
    for found in pkgutil.walk_packages(modhost.__path__, "modhost."):
        if "__main__" not in found.name and "migrations" not in found.name:
            importlib.import_module(found.name)
    gc.collect()
    gc.freeze()


def start(tests: Sequence[str], seconds: float, sources: Sources) -> Run:
    """Start the tests against the sources; `seconds` is how long they usually take."""

    def run() -> int:
        os.environ["PYTHONPATH"] = str(sources.folder)
        sys.path.insert(0, str(sources.folder))
        basetemp = f"--basetemp={sources.folder.resolve() / 'tmp'}"
        code = pytest.main(["-x", *_OPTIONS, basetemp, *tests])
        return PASSED if code == pytest.ExitCode.OK else int(code)

    return forked(run, seconds, sources)


def forked(run: Callable[[], int], seconds: float, sources: Sources) -> Run:
    """Run something in a process of its own, whose exit code it returns."""
    log = sources.folder / "log"
    process = os.fork()
    if process == 0:
        os.setsid()
        with log.open("w") as written:
            os.dup2(written.fileno(), 1)
            os.dup2(written.fileno(), 2)
        sys.stdout = os.fdopen(1, "w", closefd=False)
        sys.stderr = os.fdopen(2, "w", closefd=False)
        code = 99
        try:
            code = run()
        except BaseException:  # noqa: BLE001 - it must not return into the process that forked
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    return Run(process, log, time.monotonic(), SLACK_SECONDS + SLOWER * seconds)


class Collected:
    """A run of pytest that has imported all tests, and runs some of them in forked processes."""

    def __init__(self, folders: Sequence[str]) -> None:
        self._folders = folders
        self._session: pytest.Session | None = None
        self._items: dict[str, pytest.Item] = {}
        self._failed: str | None = None
        self._then: Callable[[], None] = lambda: None

    def run(self, then: Callable[[], None]) -> int:
        """Collect the tests, and do something with them there."""
        self._then = then
        options = ("-m", "not exhaustive", "--capture=no", *_OPTIONS)
        return int(pytest.main([*options, *self._folders], plugins=[self]))

    @property
    def tests(self) -> Iterable[str]:
        """All tests."""
        return self._items

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Do what was asked for instead of running all tests."""
        self._session = session
        self._items = {item.nodeid: item for item in session.items}
        template = Path(tempfile.mkdtemp()) / "migrated.db"
        plugins = session.config.pluginmanager.get_plugins()
        conftest = next(each for each in plugins if hasattr(each, "migrate_all"))
        migrate = conftest.migrate_all
        migrate(f"sqlite:///{template}")

        def copied(url: str) -> None:
            if url.startswith("sqlite:///"):
                shutil.copy(template, url.removeprefix("sqlite:///"))
            else:
                migrate(url)

        vars(conftest)["migrate_all"] = copied
        gc.collect()
        gc.freeze()
        self._then()
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note that a test failed."""
        if report.failed and self._failed is None:
            self._failed = report.nodeid
            print(report.longreprtext[-1500:])
            print(f"FAILED {report.nodeid}")

    def start(
        self, tests: Sequence[str], seconds: float, sources: Sources, change: Callable[[], bool]
    ) -> Run:
        """Start tests after a change; the exit code says if all passed, or if it was none."""

        def run() -> int:
            session = self._session
            assert session is not None
            os.environ["PYTHONPATH"] = str(sources.folder)
            factory = session.config._tmp_path_factory  # type: ignore[attr-defined]
            factory._given_basetemp = sources.folder.resolve() / "tmp"
            if not change():
                return UNCHANGED
            items = [self._items[test] for test in tests if test in self._items]
            for item, after in zip(items, [*items[1:], None], strict=True):
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
                if self._failed:
                    session._setupstate.teardown_exact(None)
                    return 1
            return PASSED if items else UNCHANGED

        return forked(run, seconds, sources)
