"""A sentinel enters wherever secrets do, and must be missing from all output."""

import json
import logging
from typing import ClassVar
from uuid import UUID

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError
from sqlmodel import select

from hosts import host_with
from modhost import Module, ServiceCollection, hookimpl
from modhost.database import Database
from modhost.identity import TokenService, UserService
from modhost.identity.login.login import Login
from modhost.identity.tables import User
from modhost.testing import running_host
from modhost_background_jobs.contracts import (
    JobExecutionContext,
    JobId,
    ModuleJob,
    add_module_job,
)
from security.secrets.sentinels import SENTINEL, Credentials
from security.support import COOKIE

pytestmark = pytest.mark.anyio


class Heard(Exception):
    pass


class TalkativeJob(ModuleJob):
    """Leaks its secret wherever it can."""

    max_attempts: ClassVar[int | None] = 1
    got: ClassVar[list[tuple[str, str]]] = []

    async def execute(self, context: JobExecutionContext) -> None:
        data = context.get_data(Credentials)
        password = data.password.get_secret_value()
        self.got.append((password, data.key))
        context.log(f"Logging in by {password}")
        context.report_progress(50, f"with {password}")
        raise Heard(f"{password} was refused")


class TalkativeModule(Module):
    name: ClassVar[str] = "talkative"
    requires: ClassVar[tuple[str, ...]] = ("background_jobs",)

    @hookimpl
    def configure_services(self, services: ServiceCollection) -> None:
        add_module_job(services, TalkativeJob)


def logged(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the host logs: without its tests' own client, and what `modhost run` keeps quiet."""
    others = ("httpx2", "aiosqlite")
    formatter = logging.Formatter()
    return [formatter.format(each) for each in caplog.records if each.name not in others]


async def test_a_job_gets_its_secret_and_nobody_else_sees_it(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    TalkativeJob.got.clear()
    consumer = {"worker_mode": "Consumer"}
    async with host_with(database_url, TalkativeModule(), background_jobs=consumer) as jobs:
        host = jobs.host
        job_id = await jobs.scheduling.enqueue(TalkativeJob, Credentials())
        detail = await jobs.ends(job_id)
        client = await host.client(roles=["Admin"])
        own = f"/admin/jobs/{job_id}"
        form = json.dumps(detail.data | {"user": "anna"})
        again = await client.post(f"{own}/run-again", data={"data": form})
        new = JobId(UUID(again.headers["location"].partition("?")[0].rpartition("/")[2]))
        second = await jobs.ends(new)
        outputs = {
            path: (await client.get(path)).text
            for path in (
                f"/api/jobs/{job_id}",
                f"/api/jobs/{new}",
                "/api/jobs",
                "/api/audit",
                "/admin/jobs",
                "/admin/jobs/list",
                "/admin/audit",
                own,
                f"{own}/run-again",
                f"{own}/log.txt",
                f"{own}/input.json",
                f"/admin/jobs/events?watch=job&id={job_id}&poll=true",
                "/openapi.json",
            )
        }
    assert TalkativeJob.got == [(SENTINEL, SENTINEL)] * 2
    assert detail.data == {"user": "vera", "password": "***", "key": "***"}
    assert second.data == {"user": "anna", "password": "***", "key": "***"}
    assert detail.error is not None
    assert detail.error.startswith("Heard: *** was refused")
    assert [entry.message for entry in detail.logs] == ["Logging in by ***"]
    leaking = [path for path, output in outputs.items() if SENTINEL in output]
    assert leaking == []
    for path in (own, f"{own}/run-again"):
        assert "&#34;password&#34;: &#34;***&#34;" in outputs[path], path
    assert SENTINEL not in "".join(logged(caplog))


async def test_an_error_of_the_database_does_not_show_the_values(database_url: str) -> None:
    config = {"host": {"database_url": database_url}}
    async with running_host([], config=config) as host, host.scope() as scope:
        database = await scope.get(Database)
        await (await scope.get(UserService)).add("vera", None)
        async with database.reading() as reading:
            (vera,) = await reading.exec(select(User))
        values = {**vera.model_dump(), "password_hash": SENTINEL}
        with pytest.raises(IntegrityError) as caught:
            async with database.session() as session:
                await (await session.connection()).execute(insert(User).values(values))
        assert SENTINEL not in str(caught.value)


async def test_passwords_and_tokens_are_in_no_answer_and_no_log(
    sqlite_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    config = {"host": {"database_url": sqlite_url}}
    async with running_host([], config=config) as host, host.scope() as scope:
        await (await scope.get(UserService)).add("vera", SENTINEL)
        token = (await (await scope.get(TokenService)).create("ci", ["*"])).token
        client = await host.client()
        login = await client.post("/login", data={"name": "vera", "password": SENTINEL})
        session = client.cookies[COOKIE]
        texts = [
            login.text,
            (await client.post("/login", data={"name": SENTINEL, "password": SENTINEL[:-1]})).text,
            (await client.post("/account", data={"current": SENTINEL, "new": SENTINEL})).text,
            (await client.get("/account")).text,
            (await client.get(f"/{token}", headers={"accept": "application/json"})).text,
        ]
        bearer = {"Authorization": f"Bearer {token}"}
        other = await host.client()
        texts += [
            (await other.get(path, headers=bearer)).text
            for path in ("/admin/users", "/admin/tokens", "/admin/audit", "/api/audit")
        ]
        texts += [
            (await other.post("/admin/users", data={"password": SENTINEL}, headers=bearer)).text
        ]
    # What somebody types as a name is shown to them again, and the address of a page as well.
    reported = [texts[0], *texts[2:4], *texts[5:], *logged(caplog)]
    assert not [each for each in reported if SENTINEL in each or token in each or session in each]


async def test_a_one_time_link_of_a_request_that_fails_is_not_logged(
    sqlite_url: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> str:
        raise RuntimeError("no")

    monkeypatch.setattr(Login, "with_link", fail)
    async with running_host([], config={"host": {"database_url": sqlite_url}}) as host:
        answer = await (await host.client()).get(f"/login/once/{SENTINEL}")
    assert answer.status_code == 500
    assert "/login/once/***" in "".join(logged(caplog))
    assert SENTINEL not in answer.text + "".join(logged(caplog))
