"""What jobs are about: stored however they are enqueued, masked, and found by its words."""

import logging
from typing import Any, ClassVar

import pytest
from pydantic import BaseModel, SecretStr

from background_jobs.client.test_job_classes import GoodJob, found_in, with_attributes
from background_jobs.hosts import jobs_host
from modhost import Clock
from modhost.database import Database
from modhost_background_jobs.client.run_again import Rerunning
from modhost_background_jobs.contracts import (
    JobExecutionContext,
    JobFilter,
    JobId,
    ModuleJob,
    Unique,
)
from modhost_background_jobs.queries.search import JobBrowser, Search
from modhost_background_jobs.storage.retention import open_retention
from modhost_background_jobs.storage.tables import JOB_WORDS

pytestmark = pytest.mark.anyio


class Charge(BaseModel):
    customer: str
    pin: str = ""
    token: SecretStr = SecretStr("")


class ChargeJob(ModuleJob[Charge]):
    @staticmethod
    def summary(data: Charge) -> str:
        return f"Charge {data.customer}\n{data.pin} {data.token.get_secret_value()}"

    async def execute(self, context: JobExecutionContext[Charge]) -> None:
        pass


class ReplacedJob(ChargeJob):
    unique: ClassVar[Unique | None] = Unique(on_conflict="replace", per="pin")


class UntypedJob(GoodJob):
    @classmethod
    def summary(cls, data: Any) -> str:
        return f"{data['customer']} of {cls.__name__}"


JOBS = (ChargeJob, UntypedJob, GoodJob)


async def test_it_is_stored_however_a_job_is_enqueued(database_url: str) -> None:
    data = Charge(customer="C-10172")
    async with jobs_host(database_url, mode="Producer", more_jobs=JOBS) as jobs:
        schedule = jobs.scheduling
        ids = [
            await schedule.enqueue(ChargeJob, data),
            *await schedule.enqueue_many(ChargeJob, [data, data]),
            await schedule.schedule(ChargeJob, (await jobs.service(Clock)).now(), data),
            await schedule.enqueue(ChargeJob, data, tags=("vip",)),
        ]
        async with schedule.workflow("charges") as workflow:
            first = workflow.add(ChargeJob, data)
            ids += [first.job_id, workflow.add(ChargeJob, data, after=first).job_id]
        async with (await jobs.service(Database)).session() as session:
            ids.append(await schedule.enqueue(ChargeJob, data, session=session))
        recurring = await schedule.add_recurring(
            ChargeJob, name="charges", cron_expression="0 0 1 1 *", data=data
        )
        ids.append(await schedule.run_recurring_now(recurring))
        found = [await schedule.get_status(JobId(id_)) for id_ in ids]
        assert {each.summary for each in found if each} == {"Charge C-10172"}
        browser = await jobs.service(JobBrowser)
        for words in ("c-10172", "10172", "CHARGE C-10172"):
            page = await browser.older(Search(words=words), None, 100)
            assert [row.id for row in page.rows] == sorted(ids, reverse=True), words
        assert (await browser.older(Search(words="c-1017"), None, 100)).rows == []
        listed = await jobs.querying.get_jobs(JobFilter(tag="vip"))
        assert [each.summary for each in listed.items] == ["Charge C-10172"]
        rerunning = await jobs.service(Rerunning)
        again = await rerunning.run_again(ids[0], '{"customer": "C-2"}')
        assert (await jobs.detail(again)).summary == "Charge C-2"


async def test_without_a_model_it_has_the_json_and_without_a_summary_there_is_none(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    class BrokenJob(GoodJob):
        @staticmethod
        def summary(data: Any) -> str:
            raise KeyError(data)

    more = (*JOBS, BrokenJob)
    async with jobs_host(database_url, mode="Producer", more_jobs=more) as jobs:
        given = {"customer": "C-1", "password": "hunter22"}
        untyped = await jobs.scheduling.enqueue(UntypedJob, given)
        assert (await jobs.detail(untyped)).summary == "C-1 of UntypedJob"
        with caplog.at_level(logging.WARNING):
            broken = await jobs.scheduling.enqueue(BrokenJob, given)
            await jobs.scheduling.enqueue(BrokenJob, given)
        assert (await jobs.detail(broken)).summary is None
        assert (await jobs.detail(await jobs.scheduling.enqueue(GoodJob))).summary is None
    assert caplog.text.count("BrokenJob failed (KeyError): its job has none.") == 1
    assert "hunter22" not in caplog.text


@pytest.mark.parametrize(
    ("data", "summary"),
    [
        (Charge(customer="\x1b[31m\u202ered  x\x00"), "Charge [31m red x"),
        (Charge(customer="a" * 300), f"Charge {'a' * 192}…"),
        (Charge(customer="C-42, born 42", pin="42", token=SecretStr("Abc def")), None),
    ],
)
async def test_it_is_one_bounded_line_without_secrets(
    sqlite_url: str, data: Charge, summary: str | None
) -> None:
    async with jobs_host(sqlite_url, mode="Producer", more_jobs=JOBS) as jobs:
        found = (await jobs.detail(await jobs.scheduling.enqueue(ChargeJob, data))).summary
        assert found == (summary or "Charge C-***, born *** *** ***")
        secret = {"customer": "C-1 hunter22 HUNTER22 7 17", "password": "hunter22", "api_key": "7"}
        job_id = await jobs.scheduling.enqueue(UntypedJob, secret)
        masked = "C-1 *** *** *** 17 of UntypedJob"
        assert (await jobs.detail(job_id)).summary == masked


async def test_it_is_replaced_and_deleted_with_its_job(database_url: str) -> None:
    async with jobs_host(database_url, mode="Producer", more_jobs=(ReplacedJob,)) as jobs:
        database = await jobs.service(Database)

        async def words() -> set[str]:
            async with database.reading() as session:
                return set(
                    (await (await session.connection()).execute(JOB_WORDS.select())).scalars()
                )

        first = await jobs.scheduling.enqueue(ReplacedJob, Charge(customer="one"))
        assert await jobs.scheduling.enqueue(ReplacedJob, Charge(customer="two")) == first
        assert (await jobs.detail(first)).summary == "Charge two"
        assert await words() == {"charge", "two"}
        status = await jobs.scheduling.cancel(first)
        assert status.summary == "Charge two"
        later = (await jobs.service(Clock)).now()
        assert await open_retention(database).prune(status.state, later, 10) == 1
        assert await words() == set()


@pytest.mark.parametrize(
    ("summary", "why"),
    [
        (lambda self, data: "x", "method of instances"),
        (staticmethod(lambda: "x"), "does not take the data alone"),
        (staticmethod(lambda data, more: "x"), "does not take the data alone"),
        ("a text", "is 'a text'"),
    ],
)
def test_one_that_cannot_be_called_stops_the_start(summary: Any, why: str) -> None:
    (finding,) = found_in(with_attributes(summary=summary))
    assert finding.rule.code == "MH618"
    assert why in finding.detail


def test_one_that_is_async_stops_the_start() -> None:
    async def summary(data: Any) -> str:
        return "x"

    (finding,) = found_in(with_attributes(summary=staticmethod(summary)))
    assert (finding.rule.code, "async" in finding.detail) == ("MH618", True)
