"""`make release`: the distributions are whole, in step, and start where nothing else is."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest

from release.distributions import Incomplete, check
from release.versions import PROJECTS

ROOT = Path(__file__).parents[2]
BOOTSTRAPPED = ROOT / ".bootstrap" / "bin" / "uv"
UV = str(BOOTSTRAPPED) if BOOTSTRAPPED.exists() else shutil.which("uv")


class Checkout:
    """A copy of what is released, with the command that does it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        ignored = shutil.ignore_patterns("__pycache__", "var")
        for each in ("host", "modules", "release"):
            shutil.copytree(ROOT / each, folder / each, ignore=ignored)
        for name in ("pyproject.toml", "uv.lock", "CHANGELOG.md"):
            shutil.copy(ROOT / name, folder)

    def release(self, version: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "release", version],
            cwd=self.folder,
            env={**os.environ, "UV": UV or "uv", "PYTHONPATH": ""},
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )

    def built(self) -> list[Path]:
        return sorted((self.folder / "dist").iterdir())

    def text(self, name: str) -> str:
        return (self.folder / name).read_text()


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A release, whose wheels have served their pages from an environment without anything else."""
    if UV is None:
        pytest.skip("there is no uv on this machine")
    checkout = Checkout(tmp_path_factory.mktemp("release") / "checkout")
    done = checkout.release("77.0.0rc1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Ready:\n  dist/modhost-77.0.0rc1-py3-none-any.whl" in done.stdout
    return checkout


def metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (each for each in archive.namelist() if each.endswith(".dist-info/METADATA"))
        return Parser().parsestr(archive.read(name).decode())


def test_all_distributions_have_its_version_and_need_each_other_at_it(released: Checkout) -> None:
    wheels = [each for each in released.built() if each.suffix == ".whl"]
    assert len(wheels) == len(released.built()) - len(wheels) == len(PROJECTS)
    for wheel in wheels:
        described = metadata(wheel)
        assert described["Version"] == "77.0.0rc1"
        needed = [each for each in described.get_all("Requires-Dist", []) if "modhost" in each]
        assert all(each.endswith("==77.0.0rc1") for each in needed), needed
    locked = tomllib.loads(released.text("uv.lock"))["package"]
    versions = {each["name"]: each["version"] for each in locked if "modhost" in each["name"]}
    assert versions.pop("modhost-workspace") == "0.0.0"
    assert set(versions.values()) == {"77.0.0rc1"}


def test_the_changelog_has_a_date(released: Checkout) -> None:
    dated = r"^## \[Unreleased\]\n\n## \[77\.0\.0rc1\] - \d{4}-\d\d-\d\d\n\n### "
    assert re.search(dated, released.text("CHANGELOG.md"), re.MULTILINE)


def test_an_index_can_show_what_each_is(released: Checkout) -> None:
    for wheel in (each for each in released.built() if each.suffix == ".whl"):
        described = metadata(wheel)
        assert described["License-Expression"] == "MIT"
        assert described["License-File"] == "LICENSE"
        assert described["Description-Content-Type"] == "text/markdown"
        assert "Typing :: Typed" in described.get_all("Classifier", [])
        with zipfile.ZipFile(wheel) as archive:
            names = archive.namelist()
        assert f"{described['Name'].replace('-', '_')}/py.typed" in names
    for project in PROJECTS:
        assert (ROOT / project / "LICENSE").read_text() == (ROOT / "LICENSE").read_text()


@pytest.mark.parametrize(
    "file", ["modhost/web/static/shell.css", "modhost/web/templates/base.html"]
)
def test_what_a_wheel_lacks_is_found(released: Checkout, tmp_path: Path, file: str) -> None:
    for each in released.built():
        shutil.copy(each, tmp_path)
    (wheel,) = tmp_path.glob("modhost-*.whl")
    with zipfile.ZipFile(wheel) as whole:
        kept = {name: whole.read(name) for name in whole.namelist() if name != file}
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, content in kept.items():
            archive.writestr(name, content)
    with pytest.raises(Incomplete, match=rf"{wheel.name} lacks \['{file}'\]"):
        check(released.folder, list(tmp_path.iterdir()))


@pytest.mark.parametrize(
    ("version", "reason"),
    [
        ("later", "not a version"),
        ("v78.0", "use '78.0'"),
        ("78.0.0-rc1", "use '78.0.0rc1'"),
        ("76.9", "older than 77.0.0rc1"),
        ("", "not a version"),
    ],
)
def test_a_version_that_cannot_be_is_refused(released: Checkout, version: str, reason: str) -> None:
    before = released.text("host/pyproject.toml")
    refused = released.release(version)
    assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (2, "", 1)
    assert reason in refused.stderr
    assert released.text("host/pyproject.toml") == before
