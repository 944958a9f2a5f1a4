"""Texts of every kind, which both databases take or refuse alike."""

from typing import Any

import pytest

from background_jobs.hosts import jobs_host
from modhost_background_jobs.contracts import (
    InvalidCronExpression,
    InvalidJobData,
    JobExecutionContext,
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
