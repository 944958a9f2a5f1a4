"""Texts of every kind, which both databases take or refuse alike."""

from typing import Any

import pytest

from background_jobs.hosts import jobs_host
from modhost_background_jobs.contracts import (
    InvalidCronExpression,
    InvalidJobData,
    JobExecutionContext,
    JobNotFound,
    JobState,
    ModuleJob,
    UnknownTimeZone,
)

pytestmark = pytest.mark.anyio

LONG = "x" * 100_000


class EchoJob(ModuleJob):
    """Gives back the text of its data in every way that a job has."""

    async def execute(self, context: JobExecutionContext) -> None:
        text = context.get_data(list[str])[0]
        context.log(text)
        context.report_progress(50, text)
        raise ValueError(text)


@pytest.mark.parametrize("text", ["", " ", "a\x00b", "\u2028 🌙", LONG])
async def test_a_text_comes_back_as_it_was_given(database_url: str, text: str) -> None:
    async with jobs_host(database_url, more_jobs=[EchoJob], max_attempts=1) as jobs:
        job = await jobs.ends(await jobs.scheduling.enqueue(EchoJob, [text]))
    printed = text.replace("\x00", "\N{REPLACEMENT CHARACTER}")
    assert (job.state, job.data) == (JobState.FAILED, [text])
    for shown in (job.logs[0].message, job.progress_message, job.error):
        assert printed[:1000] in str(shown)


@pytest.mark.parametrize("text", ["\ud800", "a\udfffb"])
async def test_a_text_that_is_none_is_refused(database_url: str, text: str) -> None:
    async with jobs_host(database_url, mode="Producer", more_jobs=[EchoJob]) as jobs:
        with pytest.raises(InvalidJobData):
            await jobs.scheduling.enqueue(EchoJob, [text])


@pytest.mark.parametrize("text", ["", " ", "a\x00b", "\ud800", LONG])
async def test_expressions_zones_ids_and_modules_are_no_texts_of_every_kind(
    database_url: str, text: str
) -> None:
    as_id: Any = text
    async with jobs_host(database_url, mode="Producer", more_jobs=[EchoJob]) as jobs:
        add = jobs.scheduling.add_recurring
        with pytest.raises(InvalidCronExpression) as refused:
            await add(EchoJob, name="odd", cron_expression=text)
        assert len(str(refused.value)) < 500
        with pytest.raises(UnknownTimeZone) as unknown:
            await add(EchoJob, name="odd", cron_expression="@daily", time_zone=text)
        assert len(str(unknown.value)) < 500
        with pytest.raises(InvalidJobData, match="give a UUID"):
            await jobs.scheduling.enqueue(EchoJob, ["a"], job_id=as_id)
        with pytest.raises(InvalidJobData, match="not the name of a module"):
            await jobs.scheduling.set_recurring(text + "-", [])


@pytest.mark.parametrize("odd", ["", "x", "a\x00b", "\ud800", None, 5, b"x" * 16])
async def test_what_is_not_an_id_is_the_id_of_nothing(database_url: str, odd: Any) -> None:
    """PostgreSQL's driver reported it."""
    async with jobs_host(database_url, mode="Producer") as jobs:
        scheduling, querying = jobs.scheduling, jobs.querying
        assert await scheduling.get_status(odd) is None
        assert await querying.get_job_detail(odd) is None
        for change in (
            scheduling.cancel,
            querying.retry,
            scheduling.enable_recurring,
            scheduling.disable_recurring,
            scheduling.toggle_recurring,
            scheduling.remove_recurring,
            scheduling.run_recurring_now,
        ):
            with pytest.raises(JobNotFound, match="There is no"):
                await change(odd)


async def test_the_text_of_an_id_is_that_id(database_url: str) -> None:
    """A cancellation by it took place, and said that there was no such job."""
    async with jobs_host(database_url, mode="Producer", more_jobs=[EchoJob]) as jobs:
        text: Any = str(await jobs.scheduling.enqueue(EchoJob, ["a"])).upper()
        assert await jobs.scheduling.get_status(text) is not None
        assert await jobs.querying.get_job_detail(text) is not None
        assert (await jobs.scheduling.cancel(text)).state is JobState.CANCELLED


@pytest.mark.parametrize("odd", [None, 5, ["@daily"]])
async def test_what_is_not_a_text_is_refused_by_name(database_url: str, odd: Any) -> None:
    async with jobs_host(database_url, mode="Producer", more_jobs=[EchoJob]) as jobs:
        add = jobs.scheduling.add_recurring
        with pytest.raises(InvalidCronExpression, match="give it a text"):
            await add(EchoJob, name="odd", cron_expression=odd)
        with pytest.raises(UnknownTimeZone, match="give the text of an IANA name"):
            await add(EchoJob, name="odd", cron_expression="@daily", time_zone=odd)
        with pytest.raises(InvalidJobData, match=r"none of OverlapPolicy\.SKIP, "):
            await add(EchoJob, name="odd", cron_expression="@daily", overlap=odd)
        with pytest.raises(InvalidJobData, match=r"none of CatchUpPolicy\.ONE, "):
            await add(EchoJob, name="odd", cron_expression="@daily", catch_up=odd)
        with pytest.raises(InvalidJobData, match="not the name of a module"):
            await jobs.scheduling.set_recurring(odd, [])
