"""Requests to the web hosts, by which people see whether these answer."""

import json
import os
from collections import Counter
from http import HTTPStatus
from itertools import cycle
from pathlib import Path
from typing import Final

import anyio
import httpx2
from anyio import to_thread

from chaos.scene import Scene
from processes.forking import run_modhost

PATHS: Final = (
    "/api/jobs?page_size=5",
    "/health/ready",
    "/admin/jobs",
    "/api/jobs?state=Running",
    "/api/jobs/queues",
    "/api/jobs/recurring",
)
PAUSE_SECONDS: Final = 0.3
PATIENCE_SECONDS: Final = 60.0


async def token(scene: Scene) -> str:
    """Return a token that may see all jobs."""
    environment = {**os.environ, "MODHOST__HOST__DATABASE_URL": scene.served.url}
    words = ["tokens", "create", "chaos", "--json", "--permission", "BackgroundJobs.*"]
    config = Path(scene.folder, "host.toml")
    words += ["--config", str(config)]
    run = await to_thread.run_sync(run_modhost, words, scene.folder, environment)
    assert run.returncode == 0, run.stderr
    return str(json.loads(run.stdout)["token"])


async def request(scene: Scene, answers: Counter[str]) -> None:
    """Send requests to the producers in turn, and count what they answer."""
    headers = {"Authorization": f"Bearer {await token(scene)}"}
    async with httpx2.AsyncClient(headers=headers, timeout=PATIENCE_SECONDS) as client:
        for path in cycle(PATHS):
            for producer in list(scene.producers):
                try:
                    answer = await client.get(producer.url + path)
                    answers[str(answer.status_code)] += 1
                    if answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE:
                        scene.ledger.note("unavailable", path=path)
                except httpx2.TimeoutException:
                    answers[f"nothing for {PATIENCE_SECONDS:.0f} s: {path}"] += 1
                except httpx2.TransportError:
                    # It was killed.
                    await anyio.sleep(PAUSE_SECONDS)
            await anyio.sleep(PAUSE_SECONDS)
