"""The hook `report_error`: what nothing has handled, wherever it was raised."""

import os
import threading
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import anyio
import pytest

from hosts import HostedJobs, host_with
from modhost import ErrorOrigin
from modhost.events import Events
from modhost.telemetry import ErrorReports
from modhost.telemetry.errors import MAX_WAITING
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.worker.attempts.failures import AttemptBrokenOff
from telemetry.reporting_module import (
    DyingProcessJob,
    FailingJob,
    FailingModule,
    FailingProcessJob,
    Parcel,
    ReportingModule,
    Reports,
    Sent,
    SlowJob,
)

pytestmark = pytest.mark.anyio
CONSUMER = {"worker_mode": "Consumer", "retry_base_delay": "10ms"}


@pytest.fixture
def reports() -> Reports:
    return Reports()


@pytest.fixture
async def jobs(database_url: str, reports: Reports) -> AsyncIterator[HostedJobs]:
    modules = (FailingModule(), ReportingModule(reports))
    async with host_with(database_url, *modules, background_jobs=CONSUMER) as jobs:
        yield jobs


async def test_each_attempt_that_fails_is_reported_the_last_one_as_final(
    jobs: HostedJobs, reports: Reports
) -> None:
    job_id = await jobs.scheduling.enqueue(FailingJob, Parcel())
    permanent = await jobs.scheduling.enqueue(FailingJob, Parcel(permanently=True))
    got = {
        (where.ids["job_id"], where.ids["attempt"]): (repr(error), where)
        for error, where in await reports.of("job", 3)
    }
    assert {key: (error, where.is_final) for key, (error, where) in got.items()} == {
        (str(job_id), 1): ("ValueError('attempt 1')", False),
        (str(job_id), 2): ("ValueError('attempt 2')", True),
        (str(permanent), 1): ("PermanentJobError('never')", True),
    }
    _, where = got[str(job_id), 1]
    assert (where.name, where.ids["job_type"]) == ("failing.FailingJob", "failing.FailingJob")
    assert reports.threads == {"error reports of reporting"}


async def test_a_timeout_is_reported(jobs: HostedJobs, reports: Reports) -> None:
    await jobs.scheduling.enqueue(SlowJob, timeout=timedelta(milliseconds=50))
    ((error, where),) = await reports.of("job")
    assert isinstance(error, AttemptBrokenOff)
    assert (str(error), where.is_final) == (
        "timed out: the attempt took longer than 0.05 s.",
        True,
    )


async def test_a_job_that_is_cancelled_is_not_reported(jobs: HostedJobs, reports: Reports) -> None:
    job_id = await jobs.scheduling.enqueue(SlowJob)
    await jobs.reaches(job_id, JobState.RUNNING)
    await jobs.scheduling.cancel(job_id)
    await jobs.reaches(job_id, JobState.CANCELLED)
    await jobs.scheduling.enqueue(FailingJob, Parcel(permanently=True))
    ((error, _),) = await reports.of("job")
    assert str(error) == "never"


async def test_an_error_of_a_request_is_reported_with_its_route(
    jobs: HostedJobs, reports: Reports
) -> None:
    client = await jobs.host.client()
    response = await client.get("/api/failing/secret", headers={"X-Request-ID": "r-1"})
    assert response.status_code == 500
    ((error, where),) = await reports.of("request")
    assert repr(error) == "ValueError('secret')"
    assert where == ErrorOrigin(
        kind="request", name="GET /api/failing/{id}", ids={"request_id": "r-1"}
    )
    assert (await client.get("/api/failing/a/b")).status_code == 404
    assert len(reports.got) == len({id(error) for error, _ in reports.got})


async def test_services_that_crash_and_steps_that_fail_are_reported(
    jobs: HostedJobs, reports: Reports
) -> None:
    with anyio.fail_after(20):
        while len(got := {where.name: str(error) for error, where in reports.got}) < 2:
            await anyio.sleep(0.01)
    assert got["crashing"] == "crashed"
    assert got["The stumbling step"].startswith("stumbled")


async def test_a_subscriber_that_fails_is_reported(jobs: HostedJobs, reports: Reports) -> None:
    await (await jobs.service(Events)).publish(Sent(number=7))
    ((error, where),) = await reports.of("event")
    assert str(error) == "refused 7"
    assert where.ids == {"event": "Sent", "module": "failing"}
    assert where.name.endswith("refuse")


@pytest.mark.parametrize("hangs", [True, False])
async def test_a_hook_that_hangs_or_raises_harms_nobody(
    sqlite_url: str, reports: Reports, caplog: pytest.LogCaptureFixture, *, hangs: bool
) -> None:
    modules = (FailingModule(), ReportingModule(reports))
    reports.raises = not hangs
    if hangs:
        reports.hangs.set()
    with anyio.fail_after(20):
        async with host_with(sqlite_url, *modules, background_jobs=CONSUMER) as jobs:
            ids = [await jobs.scheduling.enqueue(FailingJob, Parcel()) for _ in range(5)]
            states = {(await jobs.ends(job_id)).state for job_id in ids}
    reports.hangs.clear()
    assert states == {JobState.FAILED}
    words = "has not ended; it is left" if hangs else "The hook report_error of reporting failed."
    assert words in caplog.text


async def test_what_is_too_much_for_a_hook_is_dropped_and_noted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    has_begun, may_go_on = threading.Event(), threading.Event()
    got: dict[str, list[str]] = {"slow": [], "quick": []}

    def slow(error: BaseException, where: ErrorOrigin) -> None:
        has_begun.set()
        may_go_on.wait(60)
        got["slow"].append(str(error))

    def quick(error: BaseException, where: ErrorOrigin) -> None:
        got["quick"].append(str(error))

    reports = ErrorReports({"slow": slow, "quick": quick})
    for number in range(2 * MAX_WAITING):
        reports.report(ValueError(number), ErrorOrigin(kind="service", name="sync"))
        with anyio.fail_after(20):
            while len(got["quick"]) <= number or not has_begun.is_set():
                await anyio.sleep(0.001)
    may_go_on.set()
    await anyio.to_thread.run_sync(reports.close, 60)
    # The one that it has begun does not wait.
    assert got["slow"] == [str(number) for number in range(MAX_WAITING + 1)]
    assert caplog.text.count("The hook report_error of slow is too slow: 1 errors are not") == 1


async def test_the_process_of_a_job_reports_its_errors_and_the_worker_its_death(
    sqlite_url: str, tmp_path: Path, reports: Reports, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "reports"
    folder.mkdir()
    monkeypatch.setenv("REPORTS", str(folder))
    modules = (FailingModule(), ReportingModule(reports))
    async with host_with(sqlite_url, *modules, background_jobs=CONSUMER) as jobs:
        for job in (FailingProcessJob, DyingProcessJob):
            assert (await jobs.ends(await jobs.scheduling.enqueue(job))).state is JobState.FAILED
        ((error, where),) = await reports.of("job")
    assert where.ids["job_type"] == "failing.DyingProcessJob"
    assert str(error) == "its process exited with status 3."
    written = {each.read_text() for each in folder.iterdir() if each.name != str(os.getpid())}
    assert written == {"ValueError('elsewhere') True"}
