"""A small disk in memory, which can be full."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

MEBIBYTE = 2**20


class Disk:
    """A file system of its own, where this machine lets one be mounted."""

    def __init__(self, folder: Path, *, is_own: bool) -> None:
        self.folder = folder
        self.is_own = is_own

    @contextmanager
    def full(self) -> Iterator[None]:
        """Leave no byte free on it."""
        filler = self.folder / "filler"
        try:
            with filler.open("wb", buffering=0) as file, suppress(OSError):
                while True:
                    file.write(bytes(MEBIBYTE))
            with filler.open("ab", buffering=0) as file, suppress(OSError):
                while True:
                    file.write(bytes(512))
            yield
        finally:
            filler.unlink(missing_ok=True)


@contextmanager
def mounted(folder: Path, mebibytes: int) -> Iterator[Disk]:
    """Mount a disk for the block; only root can, and for others it is a plain folder."""
    folder.mkdir()
    options = f"size={mebibytes}m,mode=0777"
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    can_mount = os.geteuid() == 0 and subprocess.run(command, check=False).returncode == 0
    try:
        yield Disk(folder, is_own=can_mount)
    finally:
        if can_mount:
            subprocess.run(["umount", "--lazy", str(folder)], check=False)
