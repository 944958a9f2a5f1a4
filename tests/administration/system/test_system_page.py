"""The page of the system: modules, processes, findings and the configuration, whatever is slow."""

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, ClassVar

import anyio
import asyncpg
import pytest
from pydantic import BaseModel, SecretStr
from sqlalchemy import text

from hosts import host_with
from modhost import (
    HealthReport,
    Module,
    ModuleOptions,
    Permission,
    ProcessReport,
    Scope,
    hookimpl,
)
from modhost.administration.system.contracts import SystemReader
from modhost.checks import Finding, Rule
from modhost.database import Database
from modhost.testing import RunningHost, running_host

pytestmark = pytest.mark.anyio

VIEW = "Host.ViewSystem"
LOST = Rule("PRB101", "Probe is lost")


class ProbeOptions(ModuleOptions):
    key: SecretStr = SecretStr("")
    size: int = 1


class Probe(Module):
    """Reports what a test wants it to."""

    name = "probe"
    version = "3.2.1"
    options: ClassVar[type[BaseModel]] = ProbeOptions
    health = HealthReport("healthy")
    error: Exception | None = None
    hangs = False

    async def _asked(self) -> None:
        if self.hangs:
            await anyio.sleep_forever()
        if self.error:
            raise self.error

    @hookimpl
    def configure_permissions(self) -> Sequence[Permission]:
        return [Permission("Probe.Unused", "Open nothing")]

    @hookimpl
    async def check_health(self, scope: Scope) -> HealthReport:
        await self._asked()
        return self.health

    @hookimpl
    async def diagnose(self, scope: Scope) -> Sequence[Finding]:
        await self._asked()
        return [Finding(LOST, "the probe 5 is lost.", "Send another by `probe send`.")]

    @hookimpl
    async def report_processes(self, scope: Scope) -> Sequence[ProcessReport]:
        await self._asked()
        at = datetime(2026, 1, 1, tzinfo=UTC)
        return [ProcessReport("probe-1", "probe", "9", "mars", at, at, is_alive=False, load="low")]


@asynccontextmanager
async def probed(
    database_url: str, probe: Probe, seconds: float = 30, **host: Any
) -> AsyncIterator[RunningHost]:
    config = {
        "host": {"database_url": database_url, **host},
        "modules": {"probe": {"key": "hush", "size": 7}},
    }
    async with running_host([probe], config=config) as running:
        async with running.scope() as scope:
            vars(await scope.get(SystemReader))["seconds"] = seconds
        yield running


async def shown(host: RunningHost) -> dict[str, str]:
    """Return the parts of the page by their headings, as texts; the head of it by none."""
    client = await host.client(VIEW)
    answer = await client.get("/admin/system")
    assert answer.status_code == 200, answer.text
    parts = re.split(r"<h2[^>]*>(.*?)</h2>", answer.text.partition("<main")[2])
    texts = [" ".join(re.sub(r"<[^>]*>", " ", part).split()) for part in parts]
    return {"": texts[0], **dict(zip(texts[1::2], texts[2::2], strict=True))}


async def test_modules_processes_and_configuration_are_shown(database_url: str) -> None:
    consumer = {"worker_mode": "Consumer", "max_concurrency": 3}
    async with host_with(database_url, background_jobs=consumer) as jobs:
        with anyio.fail_after(30):
            while "slots busy" not in (page := await shown(jobs.host))["Processes"]:
                await anyio.sleep(0.05)
    assert "could not be read" not in page[""]
    assert re.search(r"This host 0\.1\.0 healthy modhost \S+ at 0007", page["Modules"])
    assert re.search(r"Background jobs \S+ healthy modhost_background_jobs", page["Modules"])
    assert re.search(r"this host web, \S+ .*? alive", page["Processes"])
    assert re.search(r"worker, \S+ .*? alive 0 of 3 slots busy", page["Processes"])
    assert "max_concurrency 3 the configuration" in page["Configuration"]
    assert "poll_interval 1s default" in page["Configuration"]


async def test_other_web_hosts_are_shown_until_they_leave(database_url: str) -> None:
    async with host_with(database_url) as jobs:
        async with host_with(database_url):
            with anyio.fail_after(30):
                while (page := await shown(jobs.host))["Processes"].count("web,") == 1:
                    await anyio.sleep(0.1)
            other = r"\S+, process \d+ web, \S+ .*? alive \d+ requests a minute"
            assert re.search(other, page["Processes"])
        assert (await shown(jobs.host))["Processes"].count("web,") == 1


async def test_what_is_wrong_is_shown_with_its_remedy_and_secrets_are_not(
    database_url: str,
) -> None:
    probe = Probe()
    probe.health = HealthReport("degraded", "Half of it is away.")
    async with probed(database_url, probe) as host:
        page = await shown(host)
    assert (
        "error Probe is lost PRB101, Probe The probe 5 is lost. Send another by probe send ."
        in page["What is wrong"]
    )
    assert "MH405" in page["What is wrong"]
    assert "Probe 3.2.1 degraded Half of it is away." in page["Modules"]
    assert "probe-1 probe, 9 mars not responding" in page["Processes"]
    assert "size 7 the configuration" in page["Configuration"]
    assert "key ***" in page["Configuration"]
    assert "hush" not in str(page)


async def test_what_the_configuration_silences_is_not_shown(sqlite_url: str) -> None:
    async with probed(sqlite_url, Probe(), silence=["PRB101", "MH405"]) as host:
        page = await shown(host)
    assert "Nothing that is found while the host runs." in page["What is wrong"]


async def test_a_module_that_hangs_leaves_the_rest_of_the_page(sqlite_url: str) -> None:
    probe = Probe()
    async with probed(sqlite_url, probe, seconds=3) as host:
        probe.hangs = True
        with anyio.fail_after(20):
            page = await shown(host)
    for what in ("health", "findings", "processes"):
        assert f"The {what} of probe could not be read within 3 s." in page[""]
    assert "Probe 3.2.1 unknown" in page["Modules"]
    assert "This host 0.1.0 healthy" in page["Modules"]


async def test_what_a_module_raises_is_for_the_log(
    sqlite_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    probe = Probe()
    async with probed(sqlite_url, probe) as host:
        probe.error = RuntimeError("the password is hush")
        page = await shown(host)
    assert "The processes of probe could not be read; the log says why." in page[""]
    assert "Probe 3.2.1 unhealthy" in page["Modules"]
    assert "MH110" in page["What is wrong"]
    assert "hush" in caplog.text
    assert "hush" not in page[""] + page["Modules"]


async def test_a_table_that_is_locked_leaves_the_rest_of_the_page(postgres_url: str) -> None:
    async with probed(postgres_url, Probe(), seconds=3) as host:
        other = await asyncpg.connect(postgres_url)
        try:
            async with other.transaction():
                await other.execute("LOCK TABLE modhost.alembic_version")
                with anyio.fail_after(20):
                    page = await shown(host)
        finally:
            await other.close()
        assert "The revisions of the tables could not be read within 3 s." in page[""]
        assert re.search(r"This host 0\.1\.0 healthy modhost \S+ unknown", page["Modules"])
        assert "at 0007" in (await shown(host))["Modules"]


async def test_tables_that_are_behind_are_named(sqlite_url: str) -> None:
    async with probed(sqlite_url, Probe()) as host:
        async with host.scope() as scope, (await scope.get(Database)).session() as session:
            statement = text("UPDATE modhost_alembic_version SET version_num = '0006'")
            await (await session.connection()).execute(statement)
        assert "at 0006, not 0007" in (await shown(host))["Modules"]
