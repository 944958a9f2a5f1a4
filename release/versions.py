"""The version of a release, wherever it is written: the three distributions have the same."""

import re
import subprocess
from datetime import date
from pathlib import Path
from typing import Final

from packaging.version import InvalidVersion, Version

PROJECTS: Final = ("host", "modules/background_jobs", "modules/reports_example")
_OWN: Final = re.compile(r'^version = "(.+)"$', re.MULTILINE)
_PINNED: Final = re.compile(r'"(modhost[\w-]*)==[^"]+"')
_UNRELEASED: Final = "## [Unreleased]\n"


class BadVersion(ValueError):
    """A version that this release cannot have."""


def set_version(root: Path, version: str, today: date, uv: str) -> None:
    """Give all distributions a version, with the changelog and the lock file.

    Args:
        root: the repository.
        version: as it is written in the projects; that of the last release, or a later one.
        today: the date in the changelog.
        uv: the program that locks.

    Raises:
        BadVersion: it is not one, or is older than the one before; nothing is written.

    """
    before = version_of(root)
    try:
        if str(Version(version)) != version:
            msg = f"{version!r} is not how the version is written: use {str(Version(version))!r}."
            raise BadVersion(msg)
    except InvalidVersion as error:
        msg = f"{version!r} is not a version. Use three numbers, such as '0.2.0' or '0.2.0rc1'."
        raise BadVersion(msg) from error
    if Version(version) < Version(before):
        raise BadVersion(f"{version} is older than {before}. Use that, or a later one.")
    for project in PROJECTS:
        file = root / project / "pyproject.toml"
        text = _OWN.sub(f'version = "{version}"', file.read_text("utf-8"), count=1)
        file.write_text(_PINNED.sub(rf'"\1=={version}"', text), "utf-8")
    _date_changes(root / "CHANGELOG.md", version, today)
    subprocess.run([uv, "lock", "--quiet"], cwd=root, check=True)


def version_of(root: Path) -> str:
    """Return the version of the projects. Raises `BadVersion` when they differ."""
    found = {
        project: match[1]
        for project in PROJECTS
        if (match := _OWN.search((root / project / "pyproject.toml").read_text("utf-8")))
    }
    if set(found) != set(PROJECTS) or len(set(found.values())) != 1:
        raise BadVersion(f"The versions of the projects are not in step: {found}.")
    return found["host"]


def _date_changes(file: Path, version: str, today: date) -> None:
    text = file.read_text("utf-8")
    if f"## [{version}]" not in text:
        dated = f"{_UNRELEASED}\n## [{version}] - {today}\n"
        file.write_text(text.replace(_UNRELEASED, dated, 1), "utf-8")
