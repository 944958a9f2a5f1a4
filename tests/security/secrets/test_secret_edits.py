"""What a job's own validators say of edited data, whose masks stand for the real secrets."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any, ClassVar, Self
from uuid import UUID

import httpx2
import pytest
from pydantic import BaseModel, Field, SecretStr, model_validator

from hosts import HostedJobs, host_with
from modhost import Module, ServiceCollection, hookimpl
from modhost_background_jobs.contracts import (
    JobExecutionContext,
    ModuleJob,
    RecurringJobId,
    add_module_job,
)
from modhost_background_jobs.queue.schedules import RecurringSchedules
from security.secrets.sentinels import SENTINEL

pytestmark = pytest.mark.anyio

PIN = "q7"


class Access(BaseModel):
    """Says its secrets when it is not valid, as its author did not mind."""

    region: str = "north"
    api_key: str = SENTINEL
    password: SecretStr = SecretStr(PIN)
    hosts: dict[str, Annotated[int, Field(le=9)]] = {}

    @model_validator(mode="after")
    def fits(self) -> Self:
        if self.region != "north":
            pin = self.password.get_secret_value()
            msg = f"{self.api_key.upper()}: the key {self.api_key!r} with {pin} is not of "
            raise ValueError(f"{msg}{self.region}")
        return self


class AccessJob(ModuleJob[Access]):
    async def execute(self, context: JobExecutionContext) -> None:
        context.log("done")


class Visit(BaseModel):
    """Has secrets of whose names nobody would think so."""

    guest: str
    word: SecretStr
    badge: Annotated[str, Field(json_schema_extra={"secret": True}, alias="theBadge")]


class VisitJob(ModuleJob[Visit]):
    async def execute(self, context: JobExecutionContext) -> None:
        context.log("done")


class AccessModule(Module):
    name: ClassVar[str] = "access"
    requires: ClassVar[tuple[str, ...]] = ("background_jobs",)

    @hookimpl
    def configure_services(self, services: ServiceCollection) -> None:
        add_module_job(services, AccessJob)
        add_module_job(services, VisitJob)


@asynccontextmanager
async def producer(database_url: str) -> AsyncIterator[tuple[HostedJobs, httpx2.AsyncClient]]:
    """A host with these jobs, and an administrator's client of it."""
    options = {"worker_mode": "Producer"}
    async with host_with(database_url, AccessModule(), background_jobs=options) as jobs:
        yield jobs, await jobs.host.client(roles=["Admin"])


def shows_secret(text: str) -> bool:
    return SENTINEL in text.lower() or f" {PIN} " in text


async def audited(client: httpx2.AsyncClient, action: str) -> list[dict[str, Any]]:
    answer = await client.get("/api/audit", params={"action": action})
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


EDITED = {"region": "south", "api_key": "***", "password": "***"}
SAID = "***: the key '***' with *** is not of south"
KEY_IN_PLACE = {"region": "north", "api_key": "***", "password": "***", "hosts": {SENTINEL: 10}}


async def test_run_again_says_what_is_wrong_without_the_secrets(database_url: str) -> None:
    async with producer(database_url) as (jobs, client):
        job_id = await jobs.scheduling.enqueue(AccessJob, Access())
        path = f"/admin/jobs/{job_id}/run-again"
        answers = [
            await client.post(path, data={"data": json.dumps(data)})
            for data in (EDITED, KEY_IN_PLACE)
        ]
        entries = await audited(client, "jobs.run_again")
    assert [each.status_code for each in answers] == [422, 422]
    assert "with *** is not of south" in answers[0].text
    assert not shows_secret(answers[0].text)
    assert SAID in entries[1]["detail"]
    assert "hosts.*** is wrong" in entries[0]["detail"]
    assert not shows_secret(json.dumps(entries))


async def test_an_edit_of_a_recurring_job_says_it_without_the_secrets(database_url: str) -> None:
    async with producer(database_url) as (_, client):
        sent = {"name": "Nightly", "job_type": "access.AccessJob", "cron_expression": "0 3 * * *"}
        stored = {"region": "north", "api_key": SENTINEL, "password": PIN}
        created = await client.post("/api/jobs/recurring", json={**sent, "data": stored})
        id_ = created.json()["id"]
        by_api = await client.put(f"/api/jobs/recurring/{id_}", json={**sent, "data": EDITED})
        form = {**sent, "data": json.dumps(EDITED)}
        by_page = await client.post(f"/admin/jobs/recurring/{id_}/edit", data=form)
        entries = await audited(client, "schedules.edit")
    assert [created.status_code, by_api.status_code, by_page.status_code] == [201, 422, 422]
    assert SAID in by_api.json()["detail"]
    assert "with *** is not of south" in by_page.text
    assert [SAID in each["detail"] for each in entries] == [True, True]
    assert not any(map(shows_secret, (by_api.text, by_page.text, json.dumps(entries))))


async def test_what_a_person_types_into_a_secret_field_is_a_secret(database_url: str) -> None:
    """It was stored as ordinary data, and shown to all who may view jobs."""
    async with producer(database_url) as (jobs, client):
        sent = {"name": "Visits", "job_type": "access.VisitJob", "cron_expression": "0 3 * * *"}
        typed = {"guest": "vera", "word": SENTINEL, "theBadge": SENTINEL}
        created = await client.post("/api/jobs/recurring", json={**sent, "data": typed})
        id_ = created.json()["id"]
        path = f"/admin/jobs/recurring/{id_}"
        pages = [(await client.get(each)).text for each in (path, f"{path}/edit")]
        run = await client.post(f"/api/jobs/recurring/{id_}/run-now")
        detail = await jobs.detail(UUID(run.json()["job_id"]))
        kept = {"guest": "ada", "word": "***", "theBadge": "***"}
        await client.put(f"/api/jobs/recurring/{id_}", json={**sent, "data": kept})
        row = await (await jobs.service(RecurringSchedules)).get(RecurringJobId(UUID(id_)))
    assert created.status_code == 201
    assert not any(map(shows_secret, (created.text, *pages)))
    assert detail.data == {"guest": "vera", "word": "***", "theBadge": "***"}
    assert json.loads(row.data or "") == {
        "guest": "ada",
        "word": {"$secret": SENTINEL},
        "theBadge": {"$secret": SENTINEL},
    }
