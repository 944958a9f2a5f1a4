"""A new application, deployed on PostgreSQL by the steps of its Dockerfile and its compose file."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
import yaml
from click.testing import CliRunner

from modhost.cli.main import cli
from postgres import Postgres
from release.distributions import build
from sweeps import EXHAUSTIVE

ROOT = Path(__file__).parents[2]
pytestmark = [EXHAUSTIVE, pytest.mark.timeout(600)]


class Image:
    """What the Dockerfile makes, in a folder of this machine."""

    def __init__(self, app: Path, folder: Path, database_url: str) -> None:
        self.folder = folder
        self._services = yaml.safe_load((app / "compose.yaml").read_text())["services"]
        self._database_url = database_url
        self._processes: list[subprocess.Popen[str]] = []
        dockerfile = (app / "Dockerfile").read_text().replace("\\\n", " ")
        step = re.findall(r"^RUN (.*venv.*)$", dockerfile, re.MULTILINE)[0]
        step = step.replace("python -m", f"{sys.executable} -m").replace(
            "/srv/web-shop", str(folder)
        )
        done = subprocess.run(
            ["sh", "-ec", step], cwd=app, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        shutil.copytree(app / "config", folder / "config")

    def run(self, *words: str) -> str:
        """Run a command with the variables of the services, and return what it prints."""
        command = [str(self.folder / ".venv" / "bin" / words[0]), *words[1:]]
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self._variables(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def start(self, service: str) -> str:
        """Start a service, and return where it serves."""
        words = self.words(service)
        command = [str(self.folder / ".venv" / "bin" / words[0]), *words[1:]]
        process = subprocess.Popen(
            command, cwd=self.folder, env=self._variables(), text=True, stdout=subprocess.PIPE
        )
        self._processes.append(process)
        for line in process.stdout or ():
            if found := re.match(r"  (?:address|health) +(http://[\w.:]+)", line):
                return found[1]
        raise AssertionError(service)

    def words(self, service: str) -> list[str]:
        return shlex.split(self._services[service]["command"])

    def stop(self) -> list[int]:
        """Stop all services, and return their exit codes."""
        for process in self._processes:
            process.terminate()
        codes = []
        for process in self._processes:
            with process:
                codes.append(process.wait(60))
        self._processes.clear()
        return codes

    def _variables(self) -> dict[str, str]:
        bare = {name: text for name, text in os.environ.items() if not name.startswith("MODHOST")}
        given = self._services["web"]["environment"]
        return {
            **bare,
            **given,
            "MODHOST__HOST__BIND": "127.0.0.1:0",
            "MODHOST__HOST__PUBLIC_URL": "https://shop.example.org/",
            "MODHOST__HOST__TRUSTED_PROXIES": '["127.0.0.0/8"]',
            "MODHOST__HOST__DATABASE_URL": self._database_url,
        }


@pytest.fixture
def image(tmp_path: Path, postgres: Postgres) -> Iterator[Image]:
    app = tmp_path / "app"
    written = CliRunner().invoke(cli, ["new", "app", "web_shop", "--folder", str(app)])
    assert written.exit_code == 0, written.output
    for wheel in build(ROOT, tmp_path / "dist"):
        shutil.copy(wheel, app / "wheels")
    with postgres.lent() as database_url:
        made = Image(app, tmp_path / "srv", database_url)
        try:
            yield made
        finally:
            made.stop()


def test_a_producer_and_two_workers_share_a_database(image: Image) -> None:
    assert "web_shop went from revision none to 0001" in image.run(*image.words("migrate"))
    web = image.start("web")
    image.start("worker")
    image.start("worker")
    permissions = ("--permission", "WebShop.*", "--permission", "BackgroundJobs.*")
    config = ("--config", "config/producer.toml")
    token = image.run("modhost", "tokens", "create", "test", *permissions, *config).strip()

    headers = {"Authorization": f"Bearer {token}"}
    headers |= {"Host": "shop.example.org", "X-Forwarded-Proto": "https"}
    with httpx2.Client(base_url=web, headers=headers) as client:
        for number in range(5):
            asked = client.post("/api/web-shop", json={"text": f"text {number}"})
            assert asked.status_code == 202, asked.text
        deadline = time.monotonic() + 60
        while client.get("/api/jobs?state=Completed").json()["total_count"] < 10:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    assert image.run("modhost", "doctor", *config) == "Nothing is wrong.\n"
    assert image.stop() == [0, 0, 0]
