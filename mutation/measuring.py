"""Find out which tests execute which lines, and how long each takes."""

import subprocess
import sys
from pathlib import Path

# The simulation and the tests of processes take longest: a survivor may be noticed by them alone.
TESTS = ("tests/background_jobs",)


def measure(package: str, folder: Path, processes: int) -> None:
    """Run the tests once, each with a context of its own, and keep what is found in a folder."""
    (folder / "all").mkdir(parents=True, exist_ok=True)
    settings = folder / "coverage.ini"
    settings.write_text(
        f"[run]\nsource_pkgs = {package}\nconcurrency = thread,greenlet\n"
        f"data_file = {folder.resolve() / 'all' / 'data'}\n"
    )
    options = ("-q", "-m", "not exhaustive", "-n", str(processes), f"--junitxml={folder}/all.xml")
    measured = ("--cov", f"--cov-config={settings}", "--cov-context=test", "--cov-report=")
    command = [sys.executable, "-m", "pytest", *options, *measured, *TESTS]
    # Tests that fail are left out later.
    subprocess.run(command, check=False)
