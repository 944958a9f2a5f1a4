"""The module for Sentry that the page about hooks shows, with something that stands for Sentry."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import pytest

from docs.pages import blocks, page, section
from hosts import host_with
from modhost import Module
from modhost_background_jobs.contracts import JobState
from telemetry.reporting_module import FailingJob, FailingModule, Parcel


class FakeSentry(ModuleType):
    """What the example uses of `sentry_sdk`."""

    def __init__(self) -> None:
        super().__init__("sentry_sdk")
        self.options: dict[str, Any] = {}
        self.captured: list[tuple[str, dict[str, Any]]] = []
        self._scope: dict[str, Any] = {}

    def init(self, **options: Any) -> None:
        self.options = options

    @contextmanager
    def new_scope(self) -> Iterator["FakeSentry"]:
        self._scope = {}
        yield self

    def set_transaction_name(self, name: str) -> None:
        self._scope["transaction"] = name

    def set_level(self, level: str) -> None:
        self._scope["level"] = level

    def set_tags(self, tags: dict[str, Any]) -> None:
        self._scope |= tags

    def capture_exception(self, error: BaseException) -> None:
        self.captured.append((str(error), self._scope))


@pytest.mark.anyio
async def test_it_captures_what_fails(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sentry = FakeSentry()
    monkeypatch.setitem(sys.modules, "sentry_sdk", sentry)
    monkeypatch.setitem(sys.modules, "example", ModuleType("example"))
    namespace: dict[str, Any] = {"__name__": "example"}
    exec(blocks(section(page("modules/hooks.md"), "report_error"), "python")[2], namespace)  # noqa: S102
    example: Module = namespace["SentryModule"]()
    consumer = {"worker_mode": "Consumer", "retry_base_delay": "10ms"}
    async with host_with(sqlite_url, FailingModule(), example, background_jobs=consumer) as jobs:
        job_id = await jobs.scheduling.enqueue(FailingJob, Parcel())
        await jobs.reaches(job_id, JobState.FAILED)
    assert sentry.options["include_local_variables"] is False
    of_jobs = [tags for _, tags in sentry.captured if tags["kind"] == "job"]
    assert [(tags["level"], tags["attempt"]) for tags in of_jobs] == [("warning", 1), ("error", 2)]
    assert of_jobs[0]["job_id"] == str(job_id)
    assert of_jobs[0]["transaction"] == "failing.FailingJob"
