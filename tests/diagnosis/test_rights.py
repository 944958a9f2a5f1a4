"""A role that may read and write rows alone is enough, and one that lacks a right is reported."""

import re
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import anyio
import asyncpg
import pytest
from sqlalchemy.engine import make_url

from background_jobs.hosts import jobs_host
from background_jobs.jobs_module import ReportingJob, Work
from diagnosis.support import Doctor
from docs.pages import page, section
from modhost_background_jobs.contracts import JobState
from postgres import Postgres

pytestmark = pytest.mark.anyio


class Grants:
    """A role of the server, and the owner of a migrated database, who grants it rights."""

    def __init__(self, owner_url: str, role: str, doctor: Doctor) -> None:
        self.owner_url = owner_url
        self.role = role
        self.doctor = doctor

    async def run(self, statements: str) -> None:
        connection = await asyncpg.connect(self.owner_url)
        try:
            await connection.execute(statements)
        finally:
            await connection.close()

    async def grant_what_the_page_says(self) -> None:
        text = section(page("operations.md"), "A role without CREATE")
        (block,) = re.findall(r"```sql\n(.*?)```", text, re.DOTALL)
        await self.run(block.replace("modhost_app", self.role))

    async def examined(self, exits: int) -> list[dict[str, str]]:
        return await anyio.to_thread.run_sync(lambda: self.doctor.findings(exits=exits))


@pytest.fixture
def grants(postgres: Postgres, postgres_url: str, tmp_path: Path) -> Iterator[Grants]:
    role = f"app_{uuid4().hex}"
    postgres.run(f"CREATE ROLE {role} LOGIN PASSWORD 'app'")
    try:
        url = make_url(postgres_url).set(username=role, password="app")
        doctor = Doctor.of(tmp_path, url.render_as_string(hide_password=False))
        yield Grants(postgres_url, role, doctor)
    finally:
        postgres.drop(make_url(postgres_url).database or "")
        postgres.run(f"DROP ROLE {role}")


async def test_the_documented_grants_are_all_that_a_host_needs(grants: Grants) -> None:
    await grants.grant_what_the_page_says()
    async with jobs_host(grants.doctor.database_url) as jobs:
        ended = await jobs.ends(await jobs.scheduling.enqueue(ReportingJob, Work(lines=2)))
        client = await jobs.host.client(roles=["Admin"])
        assert (await client.get("/health/ready")).json()["status"] == "healthy"
        await client.aclose()
    assert (ended.state, len(ended.logs)) == (JobState.COMPLETED, 2)
    assert [each for each in await grants.examined(exits=0) if each["severity"] == "error"] == []


@pytest.mark.parametrize(
    ("lost", "named"),
    [
        ("UPDATE ON background_jobs.jobs", "UPDATE ON background_jobs.jobs"),
        ("INSERT, DELETE ON modhost.users", "INSERT, DELETE ON modhost.users"),
        ("SELECT ON background_jobs.alembic_version", "SELECT ON background_jobs.alembic_version"),
        ("USAGE ON SCHEMA background_jobs", "USAGE ON SCHEMA background_jobs"),
    ],
)
async def test_a_right_that_is_missing_is_reported_with_its_grant(
    grants: Grants, lost: str, named: str
) -> None:
    await grants.grant_what_the_page_says()
    await grants.run(f"REVOKE {lost} FROM {grants.role}")
    (finding,) = await grants.examined(exits=1)
    assert finding["code"] == "MH513"
    statement = f"GRANT {named} TO {grants.role};"
    assert finding["remedy"] == f"Run as their owner: {statement}"
    await grants.run(statement)
    assert [each for each in await grants.examined(exits=0) if each["severity"] == "error"] == []


async def test_the_rights_that_a_host_does_not_use_are_not_asked_for(grants: Grants) -> None:
    await grants.grant_what_the_page_says()
    await grants.run(
        f"REVOKE UPDATE, DELETE ON modhost.audit FROM {grants.role};"
        f"REVOKE INSERT, UPDATE, DELETE ON modhost.alembic_version FROM {grants.role}"
    )
    assert [each for each in await grants.examined(exits=0) if each["severity"] == "error"] == []
