"""What `execute` returns is kept with the job, and read again by `get_result`."""

import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import SecretStr

from background_jobs.hosts import QUICK
from background_jobs.typed.typed_jobs import (
    Image,
    Key,
    MakeKey,
    MayFind,
    Plain,
    Resize,
    ResizeInProcess,
    ResizeInThread,
    Size,
    Text,
    TextInProcess,
    TypedModule,
    Wrong,
)
from hosts import HostedJobs, host_with
from modhost import new_id
from modhost_background_jobs.contracts import (
    JobDetail,
    JobId,
    JobNotFound,
    JobState,
    ResultNotAvailable,
)
from sweeps import ONE_DATABASE

pytestmark = pytest.mark.anyio

A = Image(path="a.png")


@asynccontextmanager
async def typed_host(url: str, mode: str = "Consumer", **options: Any) -> AsyncIterator[HostedJobs]:
    options = {"worker_mode": mode, **QUICK, **options}
    async with host_with(url, TypedModule(), background_jobs=options) as jobs:
        yield jobs


async def test_what_a_job_returns_is_read_as_its_type(database_url: str) -> None:
    async with typed_host(database_url) as jobs:
        in_task = await jobs.scheduling.enqueue(Resize, A)
        in_thread = await jobs.scheduling.enqueue(ResizeInThread, A)
        assert (await jobs.ends(in_task)).result == {"width": 5, "height": 1}
        assert (await jobs.ends(in_thread)).result == {"width": 5, "height": 2}
        assert await jobs.querying.get_result(in_task, Size) == Size(width=5)
        assert await jobs.querying.get_result(in_thread, dict[str, int]) == {
            "width": 5,
            "height": 2,
        }


@ONE_DATABASE
async def test_a_job_in_a_process_returns_something(database_url: str) -> None:
    async with typed_host(database_url, max_result_size=1000) as jobs:
        job_id = await jobs.scheduling.enqueue(ResizeInProcess, A)
        too_large = await jobs.scheduling.enqueue(TextInProcess, 1000)
        assert (await jobs.ends(job_id)).state is JobState.COMPLETED
        result = await jobs.querying.get_result(job_id, dict[str, int])
        assert result["width"] == 5
        assert result["process"] != os.getpid()
        assert "The result has 1002 characters" in str((await jobs.ends(too_large)).error)


@pytest.mark.parametrize(
    "value", [{"a": [1, None]}, [1.5], "text", 0, False, "", [], {"$secret": 1}]
)
async def test_a_plain_job_returns_any_json(sqlite_url: str, value: object) -> None:
    async with typed_host(sqlite_url) as jobs:
        job_id = await jobs.scheduling.enqueue(Plain, value)
        assert (await jobs.ends(job_id)).result == value
        assert await jobs.querying.get_result(job_id, type(value)) == value


async def test_nothing_is_kept_of_a_plain_job_that_returns_what_is_not_json(
    sqlite_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """It was never an error to return something by the way; the log of the worker says it once."""
    async with typed_host(sqlite_url) as jobs:
        with caplog.at_level(logging.WARNING):
            for what in ("object", "surrogate", "nan", "bytes"):
                ended = await jobs.ends(await jobs.scheduling.enqueue(Plain, what))
                assert (ended.state, ended.result, ended.error) == (JobState.COMPLETED, None, None)
    (said,) = [each for each in caplog.messages if "is not kept" in each]
    assert said.startswith("What execute of typed.Plain returned is not kept (InvalidJobData: ")
    assert "declare ModuleJob[Data, Result] to let such a job fail" in said


async def failed(jobs: HostedJobs, job_id: JobId) -> JobDetail:
    ended = await jobs.ends(job_id)
    assert (ended.state, len(ended.attempts), ended.result) == (JobState.FAILED, 1, None)
    return ended


async def test_a_declared_result_that_does_not_fit_fails_the_job(sqlite_url: str) -> None:
    async with typed_host(sqlite_url) as jobs:
        texts = []
        for what in ("object", "text"):
            data = Image(path=what, password=SecretStr("top secret"))
            ended = await failed(jobs, await jobs.scheduling.enqueue(Wrong, data))
            texts.append(str(ended.error))
        fits = await jobs.ends(await jobs.scheduling.enqueue(Wrong, Image(path="dict")))
        nothing = await jobs.ends(await jobs.scheduling.enqueue(Wrong, Image(path="none")))
    for text in texts:
        assert text.startswith("PermanentJobError: What execute returned cannot be kept as the ")
        assert text.endswith("Return Size, or None.")
        assert "top secret" not in text
    assert "str does not fit Size: result: Input should be" in texts[1]
    assert fits.result == {"width": 5, "height": 1}
    assert (nothing.state, nothing.result) == (JobState.COMPLETED, None)


async def test_a_result_that_is_too_large_fails_the_job(database_url: str) -> None:
    async with typed_host(database_url, max_result_size=1000) as jobs:
        most = await jobs.ends(await jobs.scheduling.enqueue(Text, 998))
        assert most.result == "x" * 998
        for job_id in (
            await jobs.scheduling.enqueue(Text, 999),
            await jobs.scheduling.enqueue(Plain, "x" * 999),
        ):
            error = str((await failed(jobs, job_id)).error)
            assert error == (
                "PermanentJobError: The result has 1001 characters as JSON, and max_result_size "
                "allows 1000. Store it in a file or a table and return where it is, or raise "
                "max_result_size in [modules.background_jobs]."
            )


async def test_a_result_of_a_million_characters_is_kept(database_url: str) -> None:
    async with typed_host(database_url) as jobs:
        job_id = await jobs.scheduling.enqueue(Text, 999_998)
        assert (await jobs.ends(job_id)).state is JobState.COMPLETED
        assert len(await jobs.querying.get_result(job_id, str)) == 999_998


async def test_secrets_of_a_result_are_masked_for_people(database_url: str) -> None:
    data = Image(path="a", password=SecretStr("hidden value"))
    async with typed_host(database_url) as jobs:
        job_id = await jobs.scheduling.enqueue(MakeKey, data)
        detail = await jobs.ends(job_id)
        assert detail.result == {"name": "key", "value": "***", "pin": "***"}
        client = await jobs.host.client("BackgroundJobs.*")
        api = (await client.get(f"/api/jobs/{job_id}")).json()
        page = (await client.get(f"/admin/jobs/{job_id}")).text
        key = await jobs.querying.get_result(job_id, Key)
    assert api["result"] == detail.result
    assert '"value": "***"' in page.replace("&#34;", '"')
    assert "hidden value" not in page
    assert (key.value.get_secret_value(), key.pin) == ("hidden value", 1234)


async def test_a_result_that_is_not_there_says_why(database_url: str) -> None:
    async with typed_host(database_url, max_result_size=1000) as jobs:

        async def refused(job_id: JobId, model: Any = Size) -> tuple[str, str]:
            with pytest.raises(ResultNotAvailable) as refusal:
                await jobs.querying.get_result(job_id, model)
            assert f"The job {job_id} is {refusal.value.state}" in str(refusal.value)
            return refusal.value.state, refusal.value.reason

        later = await jobs.scheduling.schedule(Resize, datetime(2999, 1, 1, tzinfo=UTC), A)
        assert await refused(later) == ("Pending", "it has not finished.")
        await jobs.scheduling.cancel(later)
        assert await refused(later) == ("Cancelled", "it was cancelled.")
        too_large = await jobs.scheduling.enqueue(Text, 2000)
        other = await jobs.scheduling.enqueue(Text, 1)
        nothing = await jobs.scheduling.enqueue(MayFind, A)
        for each in (too_large, other, nothing):
            await jobs.ends(each)
        state, reason = await refused(too_large)
        assert (state, reason[:39]) == ("Failed", "PermanentJobError: The result has 2002 ")
        state, reason = await refused(other)
        assert state == "Completed"
        assert reason.startswith("what it returned does not fit Size: result: Input should be")
        assert await refused(nothing) == ("Completed", "it returned nothing.")
        optional: Any = Size | None
        assert await jobs.querying.get_result(nothing, optional) is None
        for unknown in (JobId(new_id()), "no id"):
            with pytest.raises(JobNotFound):
                await jobs.querying.get_result(unknown, Size)  # type: ignore[arg-type]
