"""Source distributions and wheels: built one from the other, and compared with the sources."""

import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from release.versions import PROJECTS

_METADATA: Final = ("LICENSE", "README.md", "pyproject.toml")


class Incomplete(Exception):
    """A distribution that is not what the sources are."""


def build(root: Path, folder: Path) -> list[Path]:
    """Build all distributions into a folder, which has none but these then; return their files.

    Each wheel is built from its source distribution: whoever has only that gets the same.
    """
    folder.mkdir(exist_ok=True)
    for before in (*folder.glob("modhost*.whl"), *folder.glob("modhost*.tar.gz")):
        before.unlink()
    for project in PROJECTS:
        _hatch("sdist", root / project, folder)
    for source in folder.glob("modhost*.tar.gz"):
        with TemporaryDirectory() as unpacked:
            shutil.unpack_archive(source, unpacked)
            _hatch("wheel", Path(unpacked, source.name.removesuffix(".tar.gz")), folder)
    return sorted(folder.glob("modhost*"))


def check(root: Path, built: Sequence[Path]) -> None:
    """Compare distributions with the sources, and have twine check what an index would show.

    Raises:
        Incomplete: names the files that are missing, or that do not belong there.

    """
    for project in PROJECTS:
        sources = _files_below(root / project / "src")
        name = f"modhost_{Path(project).name}" if "/" in project else "modhost"
        (wheel,) = (each for each in built if each.match(f"{name}-[0-9]*.whl"))
        (source,) = (each for each in built if each.match(f"{name}-[0-9]*.tar.gz"))
        with zipfile.ZipFile(wheel) as archive:
            brought = {each for each in archive.namelist() if ".dist-info/" not in each}
        _compare(wheel, brought, sources)
        with tarfile.open(source) as archive:
            names = {each.name.partition("/")[2] for each in archive.getmembers()}
        expected = {f"src/{each}" for each in sources} | set(_METADATA)
        _compare(source, names - {"PKG-INFO", ".gitignore"}, expected)
    twine = [sys.executable, "-m", "twine", "check", "--strict", *map(str, built)]
    checked = subprocess.run(twine, capture_output=True, text=True, check=False)
    if checked.returncode:
        raise Incomplete(f"twine refuses it:\n{checked.stdout}{checked.stderr}")


def _hatch(target: str, project: Path, folder: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(folder)]
    subprocess.run(command, cwd=project, capture_output=True, check=True)


def _files_below(folder: Path) -> set[str]:
    files = (each for each in folder.rglob("*") if each.is_file() and each.suffix != ".pyc")
    return {each.relative_to(folder).as_posix() for each in files}


def _compare(distribution: Path, brought: set[str], expected: set[str]) -> None:
    missing, foreign = sorted(expected - brought), sorted(brought - expected)
    if missing or foreign:
        msg = f"{distribution.name} lacks {missing}, and has {foreign} that are not sources."
        raise Incomplete(msg)
