"""The two configuration files of a split deployment, as they are shipped."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest

from processes.forking import run_modhost
from processes.host_process import HostProcess

pytestmark = pytest.mark.anyio

CONFIG = Path(__file__).parents[3] / "config"


class Split:
    """A producer and a consumer over one database."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self._folder = folder
        self._environment = {
            **os.environ,
            "MODHOST__HOST__DATABASE_URL": database_url,
            "MODHOST__HOST__BIND": "127.0.0.1:0",
        }
        self.processes: list[HostProcess] = []

    def modhost(self, *arguments: str) -> str:
        """Run a command to its end with the producer's configuration; return its output."""
        words = [*arguments, "--config", str(CONFIG / "producer.toml")]
        run = run_modhost(words, self._folder, self._environment)
        assert run.returncode == 0, run.stderr
        return run.stdout

    def start(self, command: str, config: str) -> HostProcess:
        arguments = [command, "--config", str(CONFIG / config)]
        process = HostProcess(arguments, self._environment, self._folder / f"{command}.log")
        self.processes.append(process)
        return process


@pytest.fixture
def split(tmp_path: Path, database_url: str) -> Iterator[Split]:
    split = Split(tmp_path, database_url)
    yield split
    for process in split.processes:
        process.kill()


async def test_a_report_asked_for_at_the_producer_is_made_by_the_consumer(split: Split) -> None:
    await anyio.to_thread.run_sync(split.modhost, "migrate")
    producer = split.start("run", "producer.toml")
    consumer = split.start("worker", "consumer.toml")
    permissions = ("Reports.*", "BackgroundJobs.ViewJobs")
    granted = [argument for each in permissions for argument in ("--permission", each)]
    printed = await anyio.to_thread.run_sync(
        split.modhost, "tokens", "create", "split", "--json", *granted
    )
    headers = {"Authorization": f"Bearer {json.loads(printed)['token']}"}
    await producer.ready()
    await consumer.ready()
    async with httpx2.AsyncClient(base_url=producer.url, headers=headers) as client:
        body = {"type": "monthly", "source": "seattle-weather"}
        answer = await client.post("/api/reports", json=body)
        assert answer.status_code == 202, answer.text
        job = await _ended(client, answer.headers["location"])
        assert (job["state"], job["progress_percentage"]) == ("Completed", 100), job
        assert f"-{consumer.pid}-" in job["worker"]
        report = (await client.get(f"/api/reports/{job['id']}")).json()
    assert (report["records"], len(report["rows"])) == (1461, 48)
    async with httpx2.AsyncClient(base_url=consumer.url) as client:
        assert (await client.get("/health/ready")).status_code == 200
        assert (await client.get("/api/jobs")).status_code == 404


async def _ended(client: httpx2.AsyncClient, url: str) -> dict[str, Any]:
    with anyio.fail_after(30):
        while True:
            job: dict[str, Any] = (await client.get(url)).json()
            if job["state"] not in ("Pending", "Running"):
                return job
            await anyio.sleep(0.05)
