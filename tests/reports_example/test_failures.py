"""Mails about reports that have failed: files, or to a server."""

import email
import email.policy
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import anyio
import pytest

from hosts import HostedJobs, host_with
from modhost import Module, ServiceCollection, hookimpl, new_id
from modhost_background_jobs.contracts import (
    JobDetail,
    JobExecutionContext,
    JobFilter,
    JobState,
    ModuleJob,
    PermanentJobError,
    add_module_job,
)
from modhost_reports_example.contracts import ReportRequest, ReportType
from modhost_reports_example.jobs import GenerateReportJob
from modhost_reports_example.module import ReportsModule

pytestmark = pytest.mark.anyio

UNREADABLE = "date,visitors\n2024-01-01,12\n2024-01-02,many\n"
MAILING = "reports_example.MailFailureJob"


class FailingJob(ModuleJob):
    async def execute(self, context: JobExecutionContext) -> None:
        raise PermanentJobError


class OtherModule(Module):
    name = "other"
    requires = ("background_jobs",)

    @hookimpl
    def configure_services(self, services: ServiceCollection) -> None:
        add_module_job(services, FailingJob)


async def failed_report(jobs: HostedJobs, folder: Path) -> JobDetail:
    """Let a report of an upload fail that cannot be read, and return its job."""
    upload = f"{new_id()}.csv"
    await anyio.Path(folder / upload).write_text(UNREADABLE)
    request = ReportRequest(type=ReportType.MONTHLY, source="upload", upload=upload)
    report = await jobs.ends(await jobs.scheduling.enqueue(GenerateReportJob, request))
    assert report.state is JobState.FAILED
    return report


async def mailings(jobs: HostedJobs) -> list[JobDetail]:
    """Return the jobs that mail, once they have ended."""
    found = (await jobs.querying.get_jobs(JobFilter(job_type=MAILING))).items
    return [await jobs.ends(each.id) for each in found]


def options(folder: Path, **more: str) -> dict[str, Any]:
    return {
        "background_jobs": {"worker_mode": "Consumer"},
        "reports_example": {
            "upload_folder": str(folder),
            "mail_to": "vera@example.com",
            "mail_folder": str(folder / "mail"),
            **more,
        },
    }


async def test_a_failed_report_is_mailed_to_a_file(database_url: str, tmp_path: Path) -> None:
    modules = ReportsModule(), OtherModule()
    async with host_with(database_url, *modules, **options(tmp_path)) as jobs:
        report = await failed_report(jobs, tmp_path)
        await jobs.ends(await jobs.scheduling.enqueue(FailingJob))
        assert [each.state for each in await mailings(jobs)] == [JobState.COMPLETED] * 2
    (path,) = (tmp_path / "mail").iterdir()
    mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    assert (mail["To"], mail["Subject"]) == (
        "vera@example.com",
        f"A report has failed: {report.id}",
    )
    assert report.error
    assert report.error in " ".join(mail.get_content().split())


async def test_nobody_subscribes_without_an_address(sqlite_url: str, tmp_path: Path) -> None:
    without = options(tmp_path)
    del without["reports_example"]["mail_to"]
    async with host_with(sqlite_url, ReportsModule(), **without) as jobs:
        await failed_report(jobs, tmp_path)
        assert await mailings(jobs) == []
    assert not await anyio.Path(tmp_path / "mail").exists()


async def test_a_failed_report_is_mailed_to_a_server(sqlite_url: str, tmp_path: Path) -> None:
    with smtp_server() as (address, lines):
        mailed = options(tmp_path, smtp_host=address)
        async with host_with(sqlite_url, ReportsModule(), **mailed) as jobs:
            report = await failed_report(jobs, tmp_path)
            assert [each.state for each in await mailings(jobs)] == [JobState.COMPLETED]
    assert "rcpt TO:<vera@example.com>" in lines
    assert f"Subject: A report has failed: {report.id}" in lines


@contextmanager
def smtp_server() -> Iterator[tuple[str, list[str]]]:
    """Take one mail; yield the address, and the lines that the client sends."""
    lines: list[str] = []

    answers = {"data": b"354 continue\r\n", "QUIT": b"221 bye\r\n"}

    def serve() -> None:
        connection, _ = listening.accept()
        with connection, connection.makefile("rb") as received:
            connection.sendall(b"220 ready\r\n")
            in_mail = False
            for line in received:
                lines.append(line.decode().rstrip())
                if not in_mail or lines[-1] == ".":
                    in_mail = lines[-1] == "data"
                    connection.sendall(answers.get(lines[-1], b"250 fine\r\n"))

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = Thread(target=serve, daemon=True)
        thread.start()
        yield f"127.0.0.1:{listening.getsockname()[1]}", lines
        thread.join(10)
