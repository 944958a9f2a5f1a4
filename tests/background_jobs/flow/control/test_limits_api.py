"""The API of limits, who may change it and the rest, and its description."""

from typing import Any
from urllib.parse import quote

import pytest

from background_jobs.flow.control.served import MANAGE, VIEW, MailJob, by_name, served
from background_jobs.jobs_module import Work

pytestmark = pytest.mark.anyio


async def test_limits_are_listed_and_changed(database_url: str) -> None:
    async with served(database_url) as (_, client):
        limits = await by_name(client, "limits")
        assert limits["tests.MailJob.concurrency.name"] == {
            "name": "tests.MailJob.concurrency.name",
            "kind": "concurrency",
            "limit": 1,
            "period": None,
            "default_limit": 1,
            "keys_waiting": 0,
            "jobs_waiting": 0,
            "running": 0,
        }
        rate = limits["provider/eu #1"]
        assert (rate["kind"], rate["limit"], rate["period"]) == ("rate", 500, 60)
        path = f"/api/jobs/limits/{quote('provider/eu #1', safe='')}"
        changed = await client.put(path, json={"limit": 7})
        assert (changed.status_code, changed.json()) == (200, {**rate, "limit": 7})
        assert (await by_name(client, "limits"))["provider/eu #1"] == changed.json()
        reset = await client.put(path, json={"limit": None})
        assert (reset.status_code, reset.json()) == (200, rate)


async def test_what_waits_behind_a_limit_is_counted(database_url: str) -> None:
    async with served(database_url, "Consumer") as (jobs, client):
        for name in ("a", "a", "a", "b", "b", "c"):
            await jobs.scheduling.enqueue(MailJob, Work(name=name))
        await jobs.probe.until(lambda: sum(jobs.probe.started.values()) == 3)
        limit = "tests.MailJob.concurrency.name"
        found = (await by_name(client, "limits"))[limit]
        assert (found["keys_waiting"], found["jobs_waiting"], found["running"]) == (2, 3, 3)
        assert (await by_name(client, "queues"))["mail/out.eu"]["due"] == 3
        jobs.probe.gate.set()


@pytest.mark.parametrize("limit", [0, -1, 1_000_001, 1.5, "3", True])
async def test_a_bad_number_of_a_limit_is_a_422_that_names_it(sqlite_url: str, limit: Any) -> None:
    async with served(sqlite_url) as (_, client):
        path = "/api/jobs/limits/tests.MailJob.concurrency.name"
        answer = await client.put(path, json={"limit": limit})
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == "limit"
        assert (await client.put(path, json={})).status_code == 422


async def test_an_unknown_limit_is_a_404(sqlite_url: str) -> None:
    async with served(sqlite_url) as (_, client):
        answer = await client.put("/api/jobs/limits/provider%2Feu", json={"limit": 1})
        assert answer.status_code == 404
        assert "Did you mean 'provider/eu #1'?" in answer.json()["detail"]


async def test_viewers_see_and_only_managers_change(sqlite_url: str) -> None:
    async with served(sqlite_url) as (jobs, _):
        viewer, nobody = await jobs.host.client(VIEW), await jobs.host.client("Host.ViewAudit")
        manager = await jobs.host.client(MANAGE)
        for what in ("queues", "types", "limits"):
            assert (await viewer.get(f"/api/jobs/{what}")).status_code == 200
            assert (await nobody.get(f"/api/jobs/{what}")).status_code == 403
        for change in ("queues/a/pause", "queues/a/resume", "types/tests.WaitingJob/pause"):
            assert (await viewer.post(f"/api/jobs/{change}")).status_code == 403
            assert (await manager.post(f"/api/jobs/{change}")).status_code == 200
        path = "/api/jobs/limits/tests.MailJob.concurrency.name"
        assert (await viewer.put(path, json={"limit": 2})).status_code == 403
        assert (await manager.put(path, json={"limit": 2})).status_code == 200


async def test_the_routes_are_in_the_description_of_the_api(sqlite_url: str) -> None:
    async with served(sqlite_url) as (_, client):
        paths = (await client.get("/openapi.json")).json()["paths"]
    assert {(path, *sorted(methods)) for path, methods in paths.items()} >= {
        ("/api/jobs/queues", "get"),
        ("/api/jobs/queues/{name}/pause", "post"),
        ("/api/jobs/queues/{name}/resume", "post"),
        ("/api/jobs/types", "get"),
        ("/api/jobs/types/{job_type}/pause", "post"),
        ("/api/jobs/types/{job_type}/resume", "post"),
        ("/api/jobs/limits", "get"),
        ("/api/jobs/limits/{name}", "put"),
    }
    assert paths["/api/jobs/queues/{name}/pause"]["post"]["requestBody"].get("required") is not True
