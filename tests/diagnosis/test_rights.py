"""A role that may read and write rows alone is enough, and one that lacks a right is reported."""

import pytest

from background_jobs.hosts import jobs_host
from background_jobs.jobs_module import ReportingJob, Work
from diagnosis.grants import Grants
from modhost_background_jobs.contracts import JobState

pytestmark = pytest.mark.anyio


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
