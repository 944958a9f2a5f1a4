"""What calls and classes say about queue, priority, tags and keys is stored with the job."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar, Final
from uuid import UUID

import pytest
from pydantic import BaseModel, Field, SecretStr
from sqlalchemy import select

from background_jobs.hosts import Jobs, jobs_host
from background_jobs.jobs_module import ReportingJob
from modhost.database import Database
from modhost_background_jobs.contracts import (
    Concurrency,
    Fair,
    InvalidFlow,
    InvalidJobData,
    JobExecutionContext,
    JobFilter,
    ModuleJob,
    Rate,
)
from modhost_background_jobs.storage.tables import JOB_TAGS, JOBS

pytestmark = pytest.mark.anyio


class Place(BaseModel):
    host: str
    port: int = 80


class Fetch(BaseModel):
    place: Place
    owner: str = Field("nobody", alias="Owner")
    token: SecretStr = SecretStr("hidden")


class FetchJob(ModuleJob):
    data_model: ClassVar[Any] = Fetch
    queue: ClassVar[str] = "fetch"
    priority: ClassVar[int] = 5
    tags: ClassVar[tuple[str, ...]] = ("web",)
    concurrency: ClassVar[Any] = (
        Concurrency(1, per="place.host"),
        Concurrency(3, per=("place.host", "place.port")),
        Concurrency(2, per="token", name="tokens"),
        Concurrency(9),
    )
    rate: ClassVar[Any] = Rate(10, timedelta(seconds=1), per="place.port")
    fair: ClassVar[Any] = Fair(per="owner")

    async def execute(self, context: JobExecutionContext) -> None:
        pass


class LooseJob(ModuleJob):
    """A job that says nothing about the type of its data."""

    concurrency: ClassVar[Any] = Concurrency(1, per="customer.id")

    async def execute(self, context: JobExecutionContext) -> None:
        pass


@dataclass
class Customer:
    id: int


@dataclass
class Order:
    customer: Customer


async def stored(jobs: Jobs, job_id: UUID) -> Mapping[str, Any]:
    """Return the row of a job."""
    database = await jobs.service(Database)
    async with database.reading() as session:
        found = await (await session.connection()).execute(select(JOBS).where(JOBS.c.id == job_id))
    return dict(found.mappings().one())


async def limits(jobs: Jobs, job_id: UUID) -> dict[str, str]:
    return dict(json.loads((await stored(jobs, job_id))["limits"]))


async def tagged(jobs: Jobs, tag: str) -> list[UUID]:
    database = await jobs.service(Database)
    finding = select(JOB_TAGS.c.job_id).where(JOB_TAGS.c.tag == tag)
    async with database.reading() as session:
        return list((await (await session.connection()).execute(finding)).scalars())


async def test_a_class_says_what_a_call_does_not(database_url: str) -> None:
    async with jobs_host(database_url, mode="Producer", more_jobs=[FetchJob]) as jobs:
        data = Fetch(place=Place(host="a.example"))
        by_class = await jobs.scheduling.enqueue(FetchJob, data)
        (by_call,) = await jobs.scheduling.enqueue_many(
            FetchJob, [data], queue="urgent", priority=-7, tags=["one", "two", "one"]
        )
        row, other = await stored(jobs, by_class), await stored(jobs, by_call)
        assert (row["queue"], row["priority"], row["tags"]) == ("fetch", 5, '["web"]')
        assert (other["queue"], other["priority"]) == ("urgent", -7)
        assert other["tags"] == '["one", "two"]'
        assert await tagged(jobs, "web") == [by_class]
        assert await tagged(jobs, "two") == [by_call]


async def test_a_plain_job_is_stored_without_flow_control(database_url: str) -> None:
    async with jobs_host(database_url, mode="Producer") as jobs:
        row = await stored(jobs, await jobs.scheduling.enqueue(ReportingJob))
        assert (row["queue"], row["priority"], row["lane"], row["limits"]) == (
            "default",
            0,
            None,
            None,
        )


async def test_keys_are_the_values_of_fields_as_the_job_reads_them(database_url: str) -> None:
    async with jobs_host(database_url, mode="Producer", more_jobs=[FetchJob]) as jobs:
        job_id = await jobs.scheduling.enqueue(FetchJob, {"place": {"host": "a.example"}})
        found = await limits(jobs, job_id)
        name = "tests.FetchJob"
        assert found.pop("tokens").startswith("sha256:")
        assert found == {
            f"{name}.concurrency.place.host": "a.example",
            f"{name}.concurrency.place.host+place.port": '["a.example",80]',
            f"{name}.concurrency": "",
            f"{name}.rate.place.port": "80",
        }
        assert (await stored(jobs, job_id))["fair_key"] == "nobody"


async def test_secrets_have_keys_of_their_own_that_show_nothing(database_url: str) -> None:
    async with jobs_host(database_url, mode="Producer", more_jobs=[FetchJob]) as jobs:
        keys = []
        for token in ("open sesame", "open barley", "open sesame"):
            data = Fetch(place=Place(host="a.example"), token=SecretStr(token))
            job_id = await jobs.scheduling.enqueue(FetchJob, data)
            keys.append((await limits(jobs, job_id))["tokens"])
            row = dict(await stored(jobs, job_id))
            del row["data"]
            assert token not in str(row)
        assert keys[0] == keys[2] != keys[1]


async def test_without_a_model_the_names_are_those_of_the_data(database_url: str) -> None:
    async with jobs_host(database_url, mode="Producer", more_jobs=[LooseJob]) as jobs:
        for data in ({"customer": {"id": 7}}, Order(Customer(7))):
            job_id = await jobs.scheduling.enqueue(LooseJob, data)
            assert await limits(jobs, job_id) == {"tests.LooseJob.concurrency.customer.id": "7"}


async def test_a_text_that_nobody_could_read_becomes_a_digest(database_url: str) -> None:
    async with jobs_host(database_url, mode="Producer", more_jobs=[LooseJob]) as jobs:
        for value in ("x" * 201, "line\nbreak", "null\x00"):
            job_id = await jobs.scheduling.enqueue(LooseJob, {"customer": {"id": value}})
            (key,) = (await limits(jobs, job_id)).values()
            assert key.startswith("sha256:")
            assert len(key) < 80


async def test_data_without_the_field_are_refused(database_url: str) -> None:
    async with jobs_host(database_url, mode="Producer", more_jobs=[LooseJob]) as jobs:
        missing = r"LooseJob .*no field 'customer\.id'.*concurrency"
        for data in (None, {}, {"customer": 5}, {"customer": None}, [1], "text"):
            with pytest.raises(InvalidJobData, match=missing):
                await jobs.scheduling.enqueue(LooseJob, data)
            with pytest.raises(InvalidJobData, match=missing):
                await jobs.scheduling.add_recurring(
                    LooseJob, name="hourly", cron_expression="@hourly", data=data
                )


async def test_data_that_the_model_cannot_read_count_by_their_json(
    database_url: str,
) -> None:
    async with jobs_host(database_url, mode="Producer", more_jobs=[FetchJob]) as jobs:
        data = {"place": {"host": "a", "port": "none"}, "owner": "b", "token": "c"}
        job_id = await jobs.scheduling.enqueue(FetchJob, data)
        assert (await limits(jobs, job_id))["tests.FetchJob.rate.place.port"] == "none"
        with pytest.raises(InvalidJobData, match=r"no field 'place\.host'") as error:
            await jobs.scheduling.enqueue(FetchJob, {"place": {"port": "sesame"}})
        assert "sesame" not in str(error.value)


WRONG: Final[Sequence[tuple[str, object]]] = (
    *(("queue", value) for value in ("", "a,b", "!a", "*", "x" * 101, "a\nb", 5)),
    *(("priority", value) for value in (101, -101, True, 1.5, "5")),
    *(("tags", value) for value in ("word", ["two words"], [""], ["x" * 101], ["a\x00"], [5])),
    *(("tags", value) for value in ({"a": 1}, [str(number) for number in range(11)])),
)


async def test_what_is_out_of_bounds_is_refused_everywhere(database_url: str) -> None:
    async with jobs_host(database_url, mode="Producer") as jobs:
        scheduling = jobs.scheduling
        for what, value in WRONG:
            options: dict[str, Any] = {what: value}
            with pytest.raises(InvalidFlow, match=f"^{what} "):
                await scheduling.enqueue(ReportingJob, **options)
            with pytest.raises(InvalidFlow, match=f"^{what} "):
                await scheduling.enqueue_many(ReportingJob, [None], **options)
            with pytest.raises(InvalidFlow, match=f"^{what} "):
                await scheduling.add_recurring(
                    ReportingJob, name="hourly", cron_expression="@hourly", **options
                )
        assert not (await jobs.querying.get_jobs(JobFilter())).items
        assert await jobs.querying.get_recurring_count() == 0
