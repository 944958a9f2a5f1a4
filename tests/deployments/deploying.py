"""Start what the documentation deploys, with the variables and commands that it shows."""

import os
import shutil
from pathlib import Path

from docs.pages import ROOT
from processes.forking import run_modhost
from processes.host_process import HostProcess


class Machine:
    """A folder with the configuration of the repository, where commands run as documented."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._processes: list[HostProcess] = []
        shutil.copytree(ROOT / "config", folder / "config")
        (folder / "uploads").mkdir()

    def start(self, words: list[str], environment: dict[str, str]) -> HostProcess:
        """Start a command that serves; `close` ends it."""
        log = self.folder / f"{len(self._processes)}.log"
        process = HostProcess(words[1:], self._variables(environment), log)
        self._processes.append(process)
        return process

    def run(self, words: list[str], environment: dict[str, str], given: str = "") -> str:
        """Run a command to its end, and return what it prints."""
        assert words[0] == "modhost"
        done = run_modhost(words[1:], self.folder, self._variables(environment), given)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def close(self) -> None:
        for process in self._processes:
            process.kill()

    def _variables(self, given: dict[str, str]) -> dict[str, str]:
        bare = {name: text for name, text in os.environ.items() if not name.startswith("MODHOST")}
        return {**bare, **given}
