"""Starts that meet a database that is down, locked or full, or a module that hangs."""

import os
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import anyio
import asyncpg
import httpx2
import pytest
from sqlalchemy.engine import make_url

from ports import free_port
from postgres import Postgres
from processes.deployment import QUICK, Deployment
from processes.host_process import HostProcess
from processes.living import lives
from processes.sharing.test_many_processes import workers

pytestmark = pytest.mark.anyio

SOON = 10


async def answer(address: str, path: str, containing: str = "") -> int:
    """Wait for an answer that contains a text, and return its status."""
    with anyio.fail_after(30):
        async with httpx2.AsyncClient(base_url=f"http://{address}") as client:
            while True:
                try:
                    answered = await client.get(path)
                    if containing in answered.text:
                        return answered.status_code
                except httpx2.ConnectError:
                    pass
                await anyio.sleep(0.05)


async def ends_at_once(process: HostProcess) -> None:
    asked_at = time.monotonic()
    process.signal(signal.SIGTERM)
    assert await process.exit_code(SOON) == 0, process.log
    assert time.monotonic() - asked_at < SOON
    assert "Traceback" not in process.log, process.log


@contextmanager
def locked(url: str, *, for_readers: bool) -> Iterator[None]:
    """Hold the lock for writing a SQLite file, or all of its locks."""
    with closing(sqlite3.connect(make_url(url).database or "", isolation_level=None)) as holder:
        if for_readers:
            holder.execute("PRAGMA locking_mode = EXCLUSIVE")
        holder.execute("BEGIN EXCLUSIVE")
        yield


@pytest.mark.parametrize(
    ("disabled", "for_readers", "step"),
    [
        ('["reports_example"]', False, "on_start of the module acting"),
        ('["reports_example", "acting"]', False, "the hosted service job processor"),
        ('["reports_example"]', True, "opening the database"),
    ],
)
async def test_a_worker_that_waits_for_a_locked_file_ends_at_once_and_another_starts_after_it(
    tmp_path: Path, sqlite_url: str, disabled: str, for_readers: bool, step: str
) -> None:
    """It exited with 2 after 31 s, whether it was asked to stop or not."""
    deployment = Deployment(tmp_path / "deployment", sqlite_url)
    options = {"host__modules__disabled": disabled}
    try:
        with locked(sqlite_url, for_readers=for_readers):
            address = f"127.0.0.1:{free_port()}"
            waiting = deployment.start(**options, host__bind=address)
            patient = deployment.start(**options)
            assert await answer(address, "/health/ready", step) == 503
            assert await answer(address, "/health/live", "alive") == 200
            await ends_at_once(waiting)
        await patient.ready()
    finally:
        deployment.kill_all()


@pytest.mark.parametrize("held", ["start", "event-loop"])
async def test_a_module_that_hangs_at_start_is_named_to_probes_and_holds_up_no_signal(
    deployment: Deployment, held: str
) -> None:
    deployment.stage.hold(held)
    address = f"127.0.0.1:{free_port()}"
    worker = deployment.start(host__bind=address)
    if held == "start":
        assert await answer(address, "/health/ready", "on_start of the module acting") == 503
        assert await answer(address, "/api/jobs", "The host is starting") == 503
    else:
        await deployment.marked("blocking")
    await ends_at_once(worker)


async def test_a_module_that_does_not_end_its_start_in_time_fails_it(
    deployment: Deployment,
) -> None:
    deployment.stage.hold("start")
    worker = deployment.start(host__start_timeout="3s")
    assert await worker.exit_code() == 1
    assert "it took longer than 3s" in worker.log
    assert "module acting" in worker.log


@pytest.mark.parametrize(
    ("command", "url", "exit_code", "words"),
    [
        ("worker", "postgresql://127.0.0.1:1/none", 1, "Check [host] database_url, and that the"),
        ("run", "postgresql://127.0.0.1:1/none", 1, "Check [host] database_url, and that the"),
        ("worker", "{server}/missing", 2, 'database "missing" does not exist'),
    ],
)
async def test_a_start_that_gives_up_says_by_its_code_whether_another_may_succeed(
    tmp_path: Path, postgres: Postgres, command: str, url: str, exit_code: int, words: str
) -> None:
    missing = make_url(postgres.url).set(database="missing")
    url = missing.render_as_string(hide_password=False) if "{server}" in url else url
    deployment = Deployment(tmp_path / "deployment", url)
    process = deployment.start(command, host__start_wait="500ms")
    try:
        assert await process.exit_code() == exit_code, process.log
    finally:
        deployment.kill_all()
    assert words in process.log
    assert ("The start waits for the database" in process.log) is (exit_code == 1)


async def test_a_worker_waits_until_the_server_has_room_for_it(
    postgres: Postgres, postgres_url: str, tmp_path: Path
) -> None:
    role = f"limited_{make_url(postgres_url).database}"
    await anyio.to_thread.run_sync(
        postgres.run,
        f'CREATE ROLE "{role}" LOGIN CONNECTION LIMIT 1 IN ROLE pg_write_all_data, '
        "pg_read_all_data",
    )
    url = make_url(postgres_url).set(username=role).render_as_string(hide_password=False)
    deployment = Deployment(tmp_path / "deployment", url)
    try:
        only_one = await asyncpg.connect(url)
        worker = deployment.start(host__environment="production")
        await worker.logs("The start waits for the database.*too many connections for role")
        await anyio.to_thread.run_sync(postgres.run, f'ALTER ROLE "{role}" CONNECTION LIMIT 50')
        await worker.ready()
        await only_one.close()
    finally:
        deployment.kill_all()
        await anyio.to_thread.run_sync(postgres.drop, f"{make_url(url).database}")
        await anyio.to_thread.run_sync(postgres.run, f'DROP ROLE "{role}"')


async def test_workers_that_die_while_the_server_is_down_are_replaced_and_the_others_live_on(
    tmp_path: Path, own_postgres: Postgres
) -> None:
    """20 s after the server was back no worker was left: a start without it ended all of them."""
    url = own_postgres.create("outage")
    async with Deployment(tmp_path / "deployment", url).producing() as deployment:
        options = {**QUICK, "stall_timeout": "5s"}
        supervisor = deployment.start("worker", "--processes", "2", **options)
        await supervisor.logs(r"Worker \S+ runs", times=2)
        survivor, victim = workers(supervisor)
        await anyio.to_thread.run_sync(own_postgres.crash)
        late = deployment.start(**options)
        await late.logs("The start waits for the database")
        os.kill(victim, signal.SIGKILL)
        await supervisor.logs("The start waits for the database")
        await anyio.to_thread.run_sync(own_postgres.start_again)
        await supervisor.logs(r"Worker \S+ runs", times=3, seconds=30)
        await late.ready()
        assert lives(survivor)
        for process in (supervisor, late):
            process.signal(signal.SIGTERM)
            assert await process.exit_code() == 0, process.log
