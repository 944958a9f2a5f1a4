"""The audit only takes new entries, and returns them by search and page."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from modhost.audit import AuditLog, AuditReader, AuditSearch, recorded
from modhost.caller import ActingFor, Caller
from modhost.database import Database
from modhost.services import Scope
from modhost.testing import RunningHost, running_host

pytestmark = pytest.mark.anyio

VERA = Caller("user", "user:1", "vera", "192.0.2.7")


@pytest.fixture
async def host(database_url: str) -> AsyncIterator[RunningHost]:
    async with running_host([], config={"host": {"database_url": database_url}}) as host:
        yield host


@pytest.fixture
async def scope(host: RunningHost) -> AsyncIterator[Scope]:
    async with host.scope() as scope:
        yield scope


async def test_an_entry_cannot_be_changed_or_deleted(scope: Scope) -> None:
    await (await scope.get(AuditLog)).record("jobs.cancel", "job:1", caller=VERA)
    database = await scope.get(Database)
    columns = "id, at, actor_kind, actor_id, actor_name, action, subject, outcome, detail"
    changed = columns.replace("actor_name", "'x'")
    audit = "modhost_audit" if database.dialect == "sqlite" else "modhost.audit"
    copied = f"INTO {audit} ({columns}) SELECT {changed} FROM {audit} WHERE true"
    if database.dialect == "sqlite":
        replacing = [f"INSERT OR REPLACE {copied}", f"REPLACE {copied}"]
    else:
        replacing = [f"INSERT {copied} ON CONFLICT (id) DO UPDATE SET actor_name = 'x'"]
    changing = [f"UPDATE {audit} SET actor_name = 'x'", f"DELETE FROM {audit}"]
    for statement in (*changing, *replacing):
        with pytest.raises(DBAPIError, match="new rows only"):
            async with database.session() as session:
                await (await session.connection()).execute(text(statement))
    (entry,) = await (await scope.get(AuditReader)).newest(AuditSearch(), 10)
    assert entry.actor_name == "vera"


async def test_an_entry_is_part_of_the_transaction_that_it_is_given(scope: Scope) -> None:
    audit, database = await scope.get(AuditLog), await scope.get(Database)
    async with database.session() as session:
        await audit.record("things.do", session=session)
        await session.rollback()
    assert await (await scope.get(AuditReader)).newest(AuditSearch(), 10) == []


async def test_entries_are_found_by_actor_action_and_subject(scope: Scope) -> None:
    audit, reader = await scope.get(AuditLog), await scope.get(AuditReader)
    for number in range(5):
        await audit.record("jobs.cancel", f"job:{number}", caller=VERA)
    await audit.record("jobs.retry", "job:1")
    found = await reader.newest(AuditSearch(actor="vera"), 2)
    assert [entry.subject for entry in found] == ["job:4", "job:3"]
    rest = await reader.newest(AuditSearch(actor="user:1"), 10, before=found[-1].id)
    assert [entry.subject for entry in rest] == ["job:2", "job:1", "job:0"]
    both = await reader.newest(AuditSearch(subject="job:1"), 10)
    assert [(entry.action, entry.actor_kind) for entry in both] == [
        ("jobs.retry", "system"),
        ("jobs.cancel", "user"),
    ]
    page = await reader.page(AuditSearch(action="jobs.cancel"), 2, 3)
    assert (page.total_count, [entry.subject for entry in page.items]) == (5, ["job:1", "job:0"])


async def test_what_goes_wrong_is_recorded_without_the_text_of_unknown_errors(
    scope: Scope,
) -> None:
    audit = await scope.get(AuditLog)
    with ActingFor(VERA):
        with pytest.raises(KeyError):
            async with recorded(audit, "things.do", "thing:1", LookupError):
                raise KeyError("a rule")
        with pytest.raises(ValueError, match="hunter2"):
            async with recorded(audit, "things.do", "thing:1", LookupError):
                raise ValueError("hunter2")
    failed, refused = await (await scope.get(AuditReader)).newest(AuditSearch(), 10)
    assert (failed.outcome, failed.detail) == ("failed", "ValueError")
    assert (refused.outcome, refused.detail) == ("refused", "'a rule'")
    assert failed.address == "192.0.2.7"


async def test_text_that_no_database_takes_is_made_storable(scope: Scope) -> None:
    await (await scope.get(AuditLog)).record("x", "a\x00b\ud800" + "c" * 1000)
    (entry,) = await (await scope.get(AuditReader)).newest(AuditSearch(), 10)
    assert entry.subject.startswith("a\N{REPLACEMENT CHARACTER}b?c")
    assert len(entry.subject) == 500


async def test_the_page_shows_entries_to_those_who_may_see_them(host: RunningHost) -> None:
    async with host.scope() as scope:
        audit = await scope.get(AuditLog)
        for number in range(55):
            await audit.record("jobs.cancel", f"job:{number:02}", caller=VERA)
    client = await host.client("Host.ViewAudit")
    page = await client.get("/admin/audit")
    assert page.status_code == 200
    assert "job:54" in page.text
    assert "job:04" not in page.text
    older = page.text.partition('href="/admin/audit?before=')[2].partition('"')[0]
    assert "job:04" in (await client.get(f"/admin/audit?before={older}")).text
    assert 'href="/admin/audit"' in (await client.get("/admin")).text
    other = await host.client("Identity.ManageUsers")
    assert (await other.get("/admin/audit")).status_code == 403
    assert (await other.get("/api/audit")).status_code == 403
    assert 'href="/admin/audit"' not in (await other.get("/admin")).text
