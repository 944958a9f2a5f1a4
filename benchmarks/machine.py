"""Where and with what was measured."""

import os
import platform
import sqlite3
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from tempfile import NamedTemporaryFile

PACKAGES = (
    "modhost",
    "modhost-background-jobs",
    "asyncpg",
    "uvloop",
    "procrastinate",
    "psycopg",
    "pgqueuer",
    "huey",
)


def describe_machine(folder: Path) -> dict[str, str]:
    """Return what figures depend on: processor, system, disk and versions."""
    processors = os.process_cpu_count() if hasattr(os, "process_cpu_count") else os.cpu_count()
    return {
        "processor": f"{_processor()}, {processors} cores",
        "load average at the start": ", ".join(f"{load:.2f}" for load in os.getloadavg()),
        "disk": f"{_sync_milliseconds(folder):.2f} ms for 8 KB written and synced (median of 100)",
        "system": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "SQLite": sqlite3.sqlite_version,
        "packages": ", ".join(filter(None, map(_installed, PACKAGES))),
    }


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    if path.exists():
        for line in path.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


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
