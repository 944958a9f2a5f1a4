"""Where and with what was measured."""

import os
import platform
import shutil
import sqlite3
import subprocess
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from tempfile import NamedTemporaryFile
from typing import Final

PACKAGES: Final = (
    "modhost",
    "modhost-background-jobs",
    "anyio",
    "asyncpg",
    "sqlalchemy",
    "uvloop",
    "procrastinate",
    "psycopg",
    "pgqueuer",
    "awa-pg",
    "huey",
    "celery",
    "redis",
)
ROOT: Final = Path(__file__).parent.parent


def describe_machine(folder: Path) -> dict[str, str]:
    """Return what figures depend on and what stays as it is: processor, system and versions."""
    processors = os.process_cpu_count() if hasattr(os, "process_cpu_count") else os.cpu_count()
    return {
        "processor": f"{_processor()}, {processors} cores",
        "memory": f"{_memory_gigabytes():.1f} GB",
        "file system": _file_system(folder),
        "system": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "SQLite": sqlite3.sqlite_version,
        "Redis": _redis(),
        "packages": ", ".join(filter(None, map(_installed, PACKAGES))),
    }


def describe_moment(folder: Path) -> dict[str, str]:
    """Return what is different in each run: the commit, the load and the disk's mood."""
    return {
        "commit": _commit(),
        "on": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "load average": f"{os.getloadavg()[0]:.2f}",
        "8 KB written and synced in": f"{_sync_milliseconds(folder):.2f} ms",
    }


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    if path.exists():
        for line in path.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _memory_gigabytes() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9


def _file_system(folder: Path) -> str:
    """Return the kind of the file system that holds the folder, where Linux tells."""
    mounts = Path("/proc/mounts")
    if not mounts.exists():
        return "unknown"
    lines = (line.split() for line in mounts.read_text().splitlines())
    kinds = {Path(line[1]): line[2] for line in lines}
    place = folder.resolve()
    return next((kinds[each] for each in (place, *place.parents) if each in kinds), "unknown")


def _redis() -> str:
    program = shutil.which("redis-server")
    return _answer([program, "--version"]) if program else "not installed"


def _commit() -> str:
    changed = _answer(["git", "status", "--porcelain"])
    commit = _answer(["git", "rev-parse", "--short=12", "HEAD"]) or "unknown"
    return f"{commit}, changed" if changed else commit


def _answer(command: list[str]) -> str:
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603
    except FileNotFoundError:
        return ""
    return done.stdout.strip()


def _installed(package: str) -> str | None:
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return None


def _sync_milliseconds(folder: Path) -> float:
    """Return what durability costs here: a small write that is on disk when it returns."""
    taken = []
    with NamedTemporaryFile(dir=folder) as file:
        for _ in range(100):
            file.write(bytes(8192))
            began = time.perf_counter()
            file.flush()
            os.fsync(file.fileno())
            taken.append(1000 * (time.perf_counter() - began))
    return median(taken)
