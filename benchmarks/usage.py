"""Processor time and memory of a process, as Linux reports them."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Usage:
    """The processor time of a process in seconds, and its memory in megabytes."""

    cpu: float
    memory: float


def usage_of(pid: int) -> Usage | None:
    """Return the usage of a process; None where the system has no /proc."""
    folder = Path(f"/proc/{pid}")
    if not (folder / "stat").exists():
        return None
    fields = (folder / "stat").read_text().rpartition(")")[2].split()
    ticks = int(fields[11]) + int(fields[12])
    resident = int((folder / "statm").read_text().split()[1])
    megabytes = resident * os.sysconf("SC_PAGE_SIZE") / 1_000_000
    return Usage(ticks / os.sysconf("SC_CLK_TCK"), megabytes)
