"""Workflows through the HTTP API: listed, shown with their jobs, cancelled and retried."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import anyio
import httpx2
import pytest

from background_jobs.workflows.nodes import Workflows, add, workflows_host
from modhost import new_id
from modhost_background_jobs.contracts import (
    JobState,
    WorkflowFilter,
    WorkflowJobFilter,
    WorkflowSummary,
)

pytestmark = pytest.mark.anyio

VIEW, MANAGE = "BackgroundJobs.ViewJobs", "BackgroundJobs.ManageJobs"
PATH = "/api/jobs/workflows"


@asynccontextmanager
async def served(
    url: str, *permissions: str, **options: Any
) -> AsyncIterator[tuple[Workflows, httpx2.AsyncClient]]:
    async with workflows_host(url, **options) as jobs:
        yield jobs, await jobs.host.client(*permissions or (VIEW, MANAGE))
        jobs.probe.gate.set()


async def got(client: httpx2.AsyncClient, path: str, status: int = 200) -> Any:
    answer = await client.get(f"{PATH}{path}")
    assert answer.status_code == status, answer.text
    return answer.json()


async def one_job(jobs: Workflows, name: str, **more: Any) -> UUID:
    async with jobs.scheduling.workflow(name) as workflow:
        add(workflow, name, **more)
    return workflow.id


async def test_workflows_are_listed_by_state_and_page(database_url: str) -> None:
    async with served(database_url) as (jobs, client):
        done = [await one_job(jobs, f"done {number}") for number in range(3)]
        bad = await one_job(jobs, "bad", failures=9)
        running = await one_job(jobs, "running", waits=True)
        async with jobs.scheduling.workflow("half done") as workflow:
            first = add(workflow, "first")
            slow = add(workflow, "slow", waits=True, after=first)
            add(workflow, "last", after=slow)
        for each in (*done, bad):
            await jobs.over(each)
        await jobs.reaches(slow.job_id, JobState.RUNNING)
        names = [each["name"] for each in (await got(client, ""))["items"]]
        assert names == ["half done", "running", "bad", "done 2", "done 1", "done 0"]
        (failed,) = (await got(client, "?state=failed"))["items"]
        assert {name: failed[name] for name in ("id", "state", "total", "failed")} == {
            "id": str(bad),
            "state": "Failed",
            "total": 1,
            "failed": 1,
        }
        assert set(failed) == set(WorkflowSummary.model_fields)
        open_ones = (await got(client, "?state=Running"))["items"]
        assert [(each["id"], each["running"]) for each in open_ones] == [
            (str(workflow.id), 1),
            (str(running), 1),
        ]
        assert (await got(client, "?state=Pending"))["items"] == []
        page = await got(client, "?state=Completed&page_size=2")
        assert [each["id"] for each in page["items"]] == [str(done[2]), str(done[1])]
        assert (page["total_count"], page["page"], page["page_size"]) == (3, 1, 2)
        for rest in (f"&after={page['next']}", "&page=2"):
            page = await got(client, f"?state=Completed&page_size=2{rest}")
            assert [each["id"] for each in page["items"]] == [str(done[0])]
            assert (page["total_count"], page["next"]) == (3, None)
        jobs.probe.gate.set()
        await jobs.over(workflow.id)


async def test_a_pending_workflow_is_found_as_such(database_url: str) -> None:
    async with served(database_url, mode="Producer") as (jobs, client):
        waiting = await one_job(jobs, "waiting")
        (found,) = (await got(client, "?state=Pending"))["items"]
        assert (found["id"], found["state"], found["pending"]) == (str(waiting), "Pending", 1)
        assert (await got(client, "?state=Running"))["items"] == []


async def test_a_workflow_is_shown_with_its_jobs_and_those_before_them(database_url: str) -> None:
    async with served(database_url, mode="Producer") as (jobs, client):
        async with jobs.scheduling.workflow("Import") as workflow:
            pages = [add(workflow, f"page {number}") for number in range(5)]
            merged = add(workflow, "merge", after=pages)
            notice = add(workflow, "tell", after=merged, when="failed")
        added = [str(node.job_id) for node in (*pages, merged, notice)]
        detail = await got(client, f"/{workflow.id}")
        nodes = detail["nodes"]
        assert (detail["name"], detail["total"], nodes["total_count"]) == ("Import", 7, 7)
        assert [each["id"] for each in nodes["items"]] == added
        assert [each["after"] for each in nodes["items"]] == [*[[]] * 5, added[:5], [added[5]]]
        assert [each["after_count"] for each in nodes["items"]] == [*[0] * 5, 5, 1]
        assert [each["when"] for each in nodes["items"]] == [*["succeeded"] * 6, "failed"]
        assert nodes["items"][5]["state"] == "Pending"
        page = (await got(client, f"/{workflow.id}?page_size=3"))["nodes"]
        assert ([each["id"] for each in page["items"]], page["next"]) == (added[:3], added[2])
        rest = (await got(client, f"/{workflow.id}?page_size=4&after={page['next']}"))["nodes"]
        assert ([each["id"] for each in rest["items"]], rest["next"]) == (added[3:], None)
        third = (await got(client, f"/{workflow.id}?page_size=3&page=3"))["nodes"]
        assert ([each["id"] for each in third["items"]], third["next"]) == (added[6:], None)


async def test_its_jobs_are_found_by_state(database_url: str) -> None:
    async with served(database_url) as (jobs, client):
        async with jobs.scheduling.workflow("Mixed") as workflow:
            bad = add(workflow, "bad", failures=9)
            good = add(workflow, "good")
            never = add(workflow, "never", after=bad)
        await jobs.over(workflow.id)

        async def ids(query: str) -> list[str]:
            nodes = (await got(client, f"/{workflow.id}?{query}"))["nodes"]
            assert nodes["total_count"] == len(nodes["items"])
            return [each["id"] for each in nodes["items"]]

        assert await ids("state=failed") == [str(bad.job_id)]
        both = await ids("state=Cancelled&state=Completed")
        assert both == [str(good.job_id), str(never.job_id)]
        assert await ids("state=Pending&state=Skipped") == []


async def test_a_workflow_is_cancelled_and_retried(database_url: str) -> None:
    async with served(database_url) as (jobs, client):
        bad = await one_job(jobs, "bad", failures=1)
        await jobs.over(bad)
        answer = await client.post(f"{PATH}/{bad}/cancel")
        assert answer.status_code == 409
        assert answer.headers["content-type"] == "application/problem+json"
        assert "is Failed and cannot be cancelled" in answer.json()["detail"]
        again = await client.post(f"{PATH}/{bad}/retry")
        assert (again.status_code, again.json()["id"]) == (200, str(bad))
        with anyio.fail_after(20):
            while (found := await got(client, f"/{bad}"))["state"] != "Completed":
                await anyio.sleep(0.02)
        assert (found["completed"], found["failed"]) == (1, 0)
        answer = await client.post(f"{PATH}/{bad}/retry")
        assert answer.status_code == 409
        waiting = await one_job(jobs, "waiting", waits=True)
        stopped = await client.post(f"{PATH}/{waiting}/cancel")
        assert stopped.status_code == 200, stopped.text
        assert (await jobs.over(waiting)).state == "Cancelled"
        audited = {entry["action"] for entry in await audit(jobs)}
        assert {"workflows.cancel", "workflows.retry"} <= audited


async def audit(jobs: Workflows) -> list[dict[str, Any]]:
    client = await jobs.host.client("Host.ViewAudit")
    items: list[dict[str, Any]] = (await client.get("/api/audit")).json()["items"]
    return items


async def test_what_is_not_there_or_makes_no_sense_is_refused(database_url: str) -> None:
    async with served(database_url, mode="Producer") as (_, client):
        for path in ("", "/cancel", "/retry"):
            method = client.post if path else client.get
            answer = await method(f"{PATH}/{new_id()}{path}")
            assert answer.status_code == 404
            assert "There is no workflow with the id" in answer.json()["detail"]
        assert (await client.get(f"{PATH}/nonsense")).status_code in (404, 422)
        for query in ("state=Skipped", "page=0", "page_size=201", f"page=2&after={new_id()}"):
            assert (await client.get(f"{PATH}?{query}")).status_code == 422, query
        problem = (await client.get(f"{PATH}?state=odd")).json()
        assert "'odd' is not a state of a workflow" in str(problem)


async def test_contracts_read_the_same(database_url: str) -> None:
    async with served(database_url, mode="Producer") as (jobs, client):
        waiting = await one_job(jobs, "waiting")
        listed = await jobs.querying.get_workflows(WorkflowFilter())
        assert listed.model_dump(mode="json") == await got(client, "")
        detail = await jobs.querying.get_workflow_detail(listed.items[0].id, WorkflowJobFilter())
        assert detail is not None
        assert detail.model_dump(mode="json") == await got(client, f"/{waiting}")
