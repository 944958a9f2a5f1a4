"""`modhost migrate` by a role that may not, and the doctor before it: both say what to grant."""

import re

import anyio
import pytest
from click.testing import Result
from sqlalchemy.engine import make_url

from diagnosis.grants import Grants
from modhost.checks import StartupError

pytestmark = pytest.mark.anyio


async def refused(grants: Grants) -> list[str]:
    """Migrate in vain; return what the role is said to lack."""
    with pytest.raises(StartupError) as error:
        await anyio.to_thread.run_sync(grants.doctor.modhost, "migrate")
    return [str(each) for each in error.value.findings]


async def migrated(grants: Grants) -> Result:
    return await anyio.to_thread.run_sync(grants.doctor.modhost, "migrate")


async def statements_of(grants: Grants) -> list[str]:
    """Return what the doctor and the command say to run, which is the same."""
    found = await grants.examined(exits=1)
    remedies = [each["remedy"] for each in found if each["code"] == "MH513"]
    assert [each["code"] for each in found if each["code"] != "MH513"] == ["MH501"]
    lines = await refused(grants)
    assert all(line.endswith(remedy) for line, remedy in zip(lines, remedies, strict=True))
    return [re.sub(r".*(GRANT .*;)", r"\1", each) for each in remedies]


async def test_a_role_that_may_not_create_schemas(grants_on_nothing: Grants) -> None:
    grants = grants_on_nothing
    (statement,) = await statements_of(grants)
    database = make_url(grants.owner_url).database
    assert statement == f"GRANT CREATE ON DATABASE {database} TO {grants.role};"
    await grants.run(statement)
    assert (await migrated(grants)).exit_code == 0
    assert await grants.examined(exits=0) == []


async def test_a_role_that_may_not_create_tables(grants_on_nothing: Grants) -> None:
    grants = grants_on_nothing
    schemas = ("modhost", "background_jobs", "reports_example")
    await grants.run("".join(f"CREATE SCHEMA {each};" for each in schemas))
    await grants.run("".join(f"GRANT USAGE ON SCHEMA {each} TO {grants.role};" for each in schemas))
    statements = await statements_of(grants)
    assert f"GRANT USAGE, CREATE ON SCHEMA modhost TO {grants.role};" in statements
    await grants.run("".join(statements))
    # It needs no right on the database for schemas that are there.
    assert (await migrated(grants)).exit_code == 0
    assert await grants.examined(exits=0) == []


async def test_a_role_that_does_not_own_the_tables(grants: Grants) -> None:
    await grants.grant_what_the_page_says()
    await grants.run(
        "UPDATE background_jobs.alembic_version SET version_num = '0008';"
        f"GRANT CREATE ON SCHEMA background_jobs TO {grants.role}"
    )
    assert await statements_of(grants) == [f"GRANT postgres TO {grants.role};"]
