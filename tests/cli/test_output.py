"""Output of commands: tables, output that cannot be written, and Ctrl-C."""

import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from modhost.cli import show
from sweeps import EXHAUSTIVE

FULL = Path("/dev/full")
INTERRUPTED = """
import os, signal, sys

class Interrupt:
    def find_spec(self, name, path=None, target=None):
        if name == {name!r}:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupt())
from modhost_command import main
main()
"""


def modhost(
    *words: str, program: str = "", stdout: Path | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run `modhost`, or a program with these words, with its output in a file."""
    code = program or "from modhost_command import main; main()"
    with (stdout or Path("/dev/null")).open("w") as output:
        return subprocess.run(
            [sys.executable, "-c", code, *words],
            stdout=output,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=60,
        )


@pytest.mark.skipif(not FULL.exists(), reason="only Linux has a device that is always full")
@pytest.mark.parametrize(
    "words",
    [
        "jobs list",
        *(pytest.param(each, marks=EXHAUSTIVE) for each in ("--help", "modules --json", "doctor")),
    ],
)
def test_output_that_cannot_be_written_ends_a_command_with_one_line(
    sqlite_url: str, tmp_path: Path, words: str
) -> None:
    config = tmp_path / "host.toml"
    config.write_text(f'[host]\nenvironment = "development"\ndatabase_url = "{sqlite_url}"\n')
    run = modhost("--config", str(config), *words.split(), stdout=FULL)
    reported = "Error: The output cannot be written: No space left on device.\n"
    assert (run.returncode, run.stderr) == (1, reported)


@pytest.mark.parametrize("name", ["pydantic", pytest.param("modhost.cli.main", marks=EXHAUSTIVE)])
def test_an_interrupt_during_the_imports_leaves_no_traceback(name: str) -> None:
    run = modhost("modules", program=INTERRUPTED.format(name=name))
    assert (run.returncode, run.stderr) == (-signal.SIGINT, "")


def test_an_interrupt_of_a_command_leaves_no_traceback(sqlite_url: str, tmp_path: Path) -> None:
    config = tmp_path / "host.toml"
    config.write_text(f'[host]\nenvironment = "development"\ndatabase_url = "{sqlite_url}"\n')
    program = INTERRUPTED.format(name="modhost.database.migrations")
    run = modhost("--config", str(config), "migrate", program=program)
    assert (run.returncode, run.stderr.strip()) == (1, "Aborted!")


def test_an_interrupt_of_a_command_that_waits_for_a_lock_ends_it(
    sqlite_url: str, tmp_path: Path
) -> None:
    """It said that it was aborted, and stayed for half a minute."""
    config = tmp_path / "host.toml"
    config.write_text(f'[host]\nenvironment = "development"\ndatabase_url = "{sqlite_url}"\n')
    file = Path(sqlite_url.removeprefix("sqlite:///"))
    with closing(sqlite3.connect(file, isolation_level=None)) as holder:
        holder.execute("PRAGMA locking_mode = EXCLUSIVE")
        holder.execute("BEGIN EXCLUSIVE")
        code = "from modhost_command import main; main()"
        command = [sys.executable, "-c", code, "--config", str(config), "migrate"]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
            until = time.monotonic() + 60
            while not is_open(file, process.pid):
                assert time.monotonic() < until
                time.sleep(0.05)
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=15)
    assert (process.returncode, errors.strip()) == (1, "Aborted!")


def is_open(file: Path, pid: int) -> bool:
    opened = Path(f"/proc/{pid}/fd").iterdir()
    return any(each.exists() and each.resolve() == file.resolve() for each in opened)


def test_columns_are_aligned_by_what_a_terminal_shows(capsys: pytest.CaptureFixture[str]) -> None:
    names = ("日本語", "e\N{COMBINING ACUTE ACCENT}te\N{COMBINING ACUTE ACCENT}", "plain")
    show([{"name": name, "then": "x"} for name in names], as_json=False)
    assert capsys.readouterr().out.splitlines() == [
        "name    then",
        "日本語  x",
        "e\N{COMBINING ACUTE ACCENT}te\N{COMBINING ACUTE ACCENT}     x",
        "plain   x",
    ]


def test_a_text_of_several_lines_stays_in_its_column(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"at": "now", "message": "first\n\tsecond\n\nlast"}, {"at": "then", "message": ""}]
    show(rows, as_json=False, multiline=["message"])
    assert capsys.readouterr().out.splitlines() == [
        "at    message",
        "now   first",
        "          second",
        "",
        "      last",
        "then",
    ]
    show(rows[:1], as_json=False)
    assert capsys.readouterr().out.splitlines()[1] == "now  first  second  last"
