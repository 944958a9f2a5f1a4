"""The filters of the API, of the command line, and of changes of many jobs."""

import json
from collections.abc import Sequence
from urllib.parse import urlencode
from uuid import UUID

import pytest
from pydantic import ValidationError

from background_jobs.commands import Commands
from background_jobs.flow.reading.flowing_jobs import enqueue, job_with, move_to
from background_jobs.hosts import Jobs, jobs_host
from modhost.database import Database
from modhost_background_jobs.bulk.change import BulkChange, Change
from modhost_background_jobs.bulk.changes import BulkChanges
from modhost_background_jobs.contracts import JobFilter, JobId, JobState
from modhost_background_jobs.model import Flow, NewJob
from modhost_background_jobs.queries.search.job_search import JobSearch
from modhost_background_jobs.queue.job_queue import DatabaseJobQueue

pytestmark = pytest.mark.anyio

TAGGED = Flow(queue="bulk", priority=-5, tags=("customer:42", "nightly"))


async def add(jobs: Jobs, made: Sequence[NewJob]) -> None:
    database, queue = await jobs.service(Database), await jobs.service(DatabaseJobQueue)
    await enqueue(database, queue, made)


def three_jobs() -> list[NewJob]:
    return [job_with(flow, job_type="tests.WaitingJob") for flow in (Flow(), TAGGED, TAGGED)]


async def test_the_api_finds_jobs_by_queue_tag_and_several_states(database_url: str) -> None:
    async with jobs_host(database_url, mode="Producer") as jobs:
        plain, first, second = three_jobs()
        await add(jobs, [plain, first, second])
        await jobs.scheduling.cancel(JobId(first.id))
        client = await jobs.host.client("BackgroundJobs.ViewJobs")

        async def found(query: str) -> list[UUID]:
            answer = await client.get(f"/api/jobs?{query}")
            assert answer.status_code == 200, answer.text
            page = answer.json()
            assert page["total_count"] == len(page["items"])
            return [UUID(item["id"]) for item in page["items"]]

        assert await found("queue=bulk") == [second.id, first.id]
        assert await found("queue=default") == [plain.id]
        assert await found("queue=") == [second.id, first.id, plain.id]
        assert await found("tag=customer%3A42") == [second.id, first.id]
        assert await found("tag=customer") == []
        assert await found("tag=nightly&state=Cancelled") == [first.id]
        assert await found("state=pending&state=CANCELLED") == [second.id, first.id, plain.id]
        assert await found("state=pending") == [second.id, plain.id]
        assert await found("state=pending&state=&queue=bulk") == [second.id]
        wrong = await client.get("/api/jobs?state=pending&state=gone")
        assert wrong.status_code == 422
        assert "'gone' is not a state of a job" in wrong.text
        (item,) = (await client.get("/api/jobs?state=Pending&queue=bulk")).json()["items"]
        assert (item["queue"], item["priority"]) == ("bulk", -5)
        assert item["tags"] == ["customer:42", "nightly"]
        detail = (await client.get(f"/api/jobs/{second.id}")).json()
        assert {name: detail[name] for name in ("queue", "priority", "tags")} == {
            name: item[name] for name in ("queue", "priority", "tags")
        }


async def test_a_filter_takes_one_state_or_several(database_url: str) -> None:
    async with jobs_host(database_url, mode="Producer") as jobs:
        await add(jobs, three_jobs())
        for state, total in (
            (JobState.PENDING, 3),
            ((JobState.PENDING,), 3),
            ((JobState.RUNNING, JobState.FAILED), 0),
            ((JobState.PENDING, JobState.FAILED), 3),
            ((), 3),
            (None, 3),
        ):
            found = await jobs.querying.get_jobs(JobFilter(state=state, page_size=1))
            assert found.total_count == total
    assert JobFilter(state=JobState.FAILED).state is JobState.FAILED


@pytest.mark.parametrize("name", ["queue", "tag"])
def test_what_no_database_stores_is_refused_on_both(name: str) -> None:
    for text in ("a\x00b", "\ud800"):
        with pytest.raises(ValidationError):
            JobFilter.model_validate({name: text})


async def test_the_openapi_document_describes_the_filters(sqlite_url: str) -> None:
    async with jobs_host(sqlite_url, mode="Producer") as jobs:
        client = await jobs.host.client("BackgroundJobs.ViewJobs")
        document = (await client.get("/openapi.json")).json()
    (listing,) = [each for path, each in document["paths"].items() if path == "/api/jobs"]
    parameters = {each["name"]: each["schema"] for each in listing["get"]["parameters"]}
    assert {"state", "job_type", "queue", "tag", "page", "page_size", "after"} == set(parameters)
    assert parameters["state"]["type"] == "array"


async def test_the_command_line_finds_jobs_by_queue_tag_and_several_states(
    database: Database, queue: DatabaseJobQueue, commands: Commands
) -> None:
    plain, first, second = three_jobs()
    await enqueue(database, queue, [plain, first, second])
    await move_to(database, queue, first.id, JobState.FAILED)

    async def found(*words: str) -> list[str]:
        return [item["id"] for item in (await commands.json("list", *words))["items"]]

    assert await found("--queue", "bulk") == [str(second.id), str(first.id)]
    assert await found("--tag", "nightly", "--state", "failed") == [str(first.id)]
    both = await found("--state", "Failed", "--state", "pending", "--queue", "bulk")
    assert both == [str(second.id), str(first.id)]
    shown = await commands.done("show", str(second.id))
    assert "customer:42 nightly" in shown
    assert "No worker is alive: start one with" in shown
    refused = await commands.run("list", "--tag", "a\x01")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "--tag has a character" in refused.output


async def test_changes_of_a_search_carry_its_queue_and_tag(database_url: str) -> None:
    async with jobs_host(database_url, mode="Producer") as jobs:
        plain, first, second = three_jobs()
        await add(jobs, [plain, first, second])
        bulk = await jobs.service(BulkChanges)
        search = JobSearch(queue="bulk", tag="nightly")
        assert (await bulk.count(Change.CANCEL, search)).number == 2
        assert (await bulk.count(Change.RETRY, search)).number == 0
        done_with = JobSearch(state=(JobState.COMPLETED,), tag="nightly")
        assert (await bulk.count(Change.CANCEL, done_with)).number == 0
        request = BulkChange(change=Change.CANCEL, search=search, last=second.id)
        stored = BulkChange.model_validate_json(request.model_dump_json())
        assert stored == request
        assert await bulk.next_ids(stored, None) == ([second.id, first.id], None)


def test_a_search_is_read_back_from_its_query_string() -> None:
    search = JobSearch(state=(JobState.FAILED, JobState.RUNNING), queue="a b", tag="x&y", q="ü")
    assert JobSearch.of_query(urlencode(search.as_query())) == search
    assert JobSearch.of_query("") == JobSearch()


@pytest.mark.parametrize(
    ("stored", "states"), [('"Failed"', (JobState.FAILED,)), ("null", ()), ("[]", ())]
)
def test_a_search_that_was_stored_with_one_state_is_still_read(
    stored: str, states: tuple[JobState, ...]
) -> None:
    data = {
        "change": "retry",
        "search": {"state": json.loads(stored), "job_type": None, "q": "x", "since": None},
        "last": "01a20b0d-7d9d-74f0-826d-4b22f3e0d9c2",
    }
    search = BulkChange.model_validate_json(json.dumps(data)).search
    assert search == JobSearch(state=states, q="x")
