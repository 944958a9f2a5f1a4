"""The documented servers of nginx, in front of a host that has no address of its own."""

from pathlib import Path

import anyio
import anyio.to_thread
import httpx2
import pytest

from deployments import nginx
from deployments.deploying import Machine
from deployments.documented import nginx_block
from deployments.nginx import needs_nginx
from ports import free_port

pytestmark = [pytest.mark.anyio, needs_nginx]

PASSWORD = "correct horse battery staple"
CONFIG = ["--config", "config/producer.toml"]


async def test_a_host_behind_it_goes_by_what_each_request_says(tmp_path: Path) -> None:
    """`Host` has the port, the proxy declares TLS, and events are not kept back."""
    port = free_port()
    machine = Machine(tmp_path / "machine")
    environment = {
        "MODHOST__HOST__BIND": "127.0.0.1:0",
        "MODHOST__HOST__DATABASE_URL": f"sqlite:///{tmp_path}/modhost.db",
        "MODHOST__HOST__TRUSTED_PROXIES": '["127.0.0.1"]',
        "MODHOST__HOST__ALLOWED_HOSTS": '["127.0.0.1"]',
    }
    adding = ["modhost", "users", "add", "ada", "--role", "Admin", *CONFIG]
    await anyio.to_thread.run_sync(machine.run, adding, environment, PASSWORD)
    process = machine.start(["modhost", "run", *CONFIG], environment)
    try:
        target = (await process.ready()).url
        with nginx.serving(tmp_path / "nginx", nginx_block("443"), port, target) as trusted:
            url = f"https://127.0.0.1:{port}"
            async with httpx2.AsyncClient(verify=trusted, base_url=url, timeout=20) as client:
                form = {"name": "ada", "password": PASSWORD, "next": "/admin/jobs"}
                answer = await client.post("/login", data=form, headers={"Origin": url})
                assert (answer.status_code, answer.headers["location"]) == (303, "/admin/jobs")
                assert "Secure" in answer.headers["set-cookie"]
                forged = {"Origin": "https://127.0.0.1"}
                assert (await client.post("/logout", headers=forged)).status_code == 403
                await _events_arrive_at_once(client)
    finally:
        machine.close()


async def _events_arrive_at_once(client: httpx2.AsyncClient) -> None:
    with anyio.fail_after(10):
        async with client.stream("GET", "/admin/jobs/events?watch=dashboard") as stream:
            assert stream.status_code == 200
            async for line in stream.aiter_lines():
                if line == "event: fragments":
                    return
    raise AssertionError("The stream ended without an event.")
