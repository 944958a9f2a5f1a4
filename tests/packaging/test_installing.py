"""What this repository installs: whole, by pip, as the README says."""

import subprocess
from pathlib import Path

import pytest

from environments import new_environment

ROOT = Path(__file__).parents[2]

USING = """
import anyio
import modhost, modhost_background_jobs
from modhost.testing import running_host

async def use():
    async with running_host() as host:
        client = await host.client(roles=["Admin"])
        for path in ("/admin", "/admin/jobs", "/static/background_jobs/jobs.css", "/openapi.json"):
            print(path, (await client.get(path)).status_code)

print(modhost.__file__)
print(modhost_background_jobs.__file__)
anyio.run(use)
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("installed")
    return new_environment(folder, ROOT / "host", ROOT / "modules" / "background_jobs")


def test_the_packages_have_all_that_they_need_to_run(python: Path, tmp_path: Path) -> None:
    used = subprocess.run(
        [python, "-c", USING], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert used.returncode == 0, used.stderr
    places, answers = used.stdout.splitlines()[:2], used.stdout.splitlines()[2:]
    assert all(place.startswith(str(python.parents[1])) for place in places), places
    assert [answer.split()[1] for answer in answers] == ["200"] * 4, answers


def test_the_command_is_installed(python: Path, tmp_path: Path) -> None:
    command = python.with_name("modhost")
    reported = subprocess.run(
        [command, "--version"], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60
    )
    assert reported.stdout.startswith("modhost, version ")
