"""A run of the tests that is killed leaves nothing behind."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from leftovers import MARK
from processes.faults import left_behind
from processes.host_process import until
from processes.living import lives

pytestmark = pytest.mark.anyio

LIMIT = 360
"""In seconds: a run imports everything three times, which takes minutes on a busy machine."""


def make(folder: Path, started: Path) -> "subprocess.Popen[str]":
    """Start a run of its own, on a server of its own."""
    options = f"-n 1 --timeout {LIMIT} -p no:cacheprovider --basetemp {folder / 'run'}"
    makefile = folder / "Makefile"
    makefile.write_text(f"test:\n\t{sys.executable} -m pytest {options} {left_behind.__file__}\n")
    not_ours = (MARK, "PYTEST_", "MODHOST_TEST_")
    own = {name: text for name, text in os.environ.items() if not name.startswith(not_ours)}
    with (folder / "log").open("w") as log:
        return subprocess.Popen(
            ["make", "-f", makefile],
            env={**own, left_behind.STARTED: str(started)},
            stdout=log,
            stderr=log,
            text=True,
            start_new_session=True,
        )


@pytest.mark.timeout(LIMIT)
async def test_make_is_killed_and_so_is_all_that_its_tests_have_started(tmp_path: Path) -> None:
    started = tmp_path / "started"
    with make(tmp_path, started) as killed:
        try:
            await until(lambda: started.exists() or killed.poll() is not None, "all to start", 270)
        finally:
            killed.send_signal(signal.SIGKILL)
    assert started.exists(), (tmp_path / "log").read_text()
    found = json.loads(started.read_text())

    def left() -> list[str]:
        return [name for name, pid in found["pids"].items() if lives(pid)]

    await until(lambda: not left(), "all to end", 30)
    await until(lambda: not Path(found["folder"]).exists(), "the data of PostgreSQL to go", 30)
