"""The log: a line for each event, which says whose work it is about."""

import json
import logging
import re
import sys
import threading
import warnings
from datetime import timedelta

import pytest

from hosts import host_with
from modhost.configuration import HostOptions
from modhost.runtime.serving import logs
from modhost.runtime.serving.logs import JsonLines, TextLines, configure_logging
from modhost.telemetry import LoggedIn
from modhost.testing import running_host
from modhost_background_jobs.contracts import BackgroundJobs, ModuleJob
from modhost_background_jobs.module import BackgroundJobsModule
from telemetry.log_lines import written
from telemetry.logging_jobs import LOGGER, Login, ProcessJob, ShopModule, TaskJob, ThreadJob

CONSUMER = {"worker_mode": "Consumer"}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


@pytest.mark.anyio
@pytest.mark.parametrize("job", [TaskJob, ThreadJob])
async def test_what_a_job_logs_has_its_ids_and_not_its_secrets(
    job: type[ModuleJob[Login]], database_url: str
) -> None:
    with written() as log:
        async with host_with(database_url, ShopModule(), background_jobs=CONSUMER) as jobs:
            async with jobs.scheduling.workflow("orders") as workflow:
                node = workflow.add(job, Login())
            await jobs.ends(node.job_id)
    (line,) = log.of(LOGGER)
    assert TIME.fullmatch(line.pop("timestamp"))
    assert line == {
        "level": "INFO",
        "logger": LOGGER,
        "message": "Logging in with ***",
        "api_key": "***",
        "job_id": str(node.job_id),
        "job_type": f"shop.{job.__name__}",
        "attempt": 1,
        "workflow_id": str(workflow.id),
    }


@pytest.mark.anyio
async def test_what_a_job_logs_in_a_process_of_its_own_has_its_ids_too(
    sqlite_url: str, capfd: pytest.CaptureFixture[str]
) -> None:
    config = {
        "host": {"database_url": sqlite_url, "log_format": "json"},
        "modules": {"background_jobs": CONSUMER},
    }
    modules = [BackgroundJobsModule(), ShopModule()]
    async with running_host(modules, config=config) as host, host.scope() as scope:
        jobs = await scope.get(BackgroundJobs)
        job_id = await jobs.enqueue(ProcessJob, Login())
        await jobs.wait(job_id, timedelta(seconds=60))
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines() if LOGGER in line]
    assert [(line["message"], line["job_id"]) for line in lines] == [
        ("Logging in with ***", str(job_id))
    ]


def test_an_exception_is_part_of_its_line() -> None:
    with written() as log:
        error = ValueError("first\nsecond \N{LINE SEPARATOR}")
        logging.getLogger(LOGGER).error("It failed", exc_info=error)
    assert len(log.text.splitlines()) == 1
    (line,) = log.of(LOGGER)
    assert line["level"] == "ERROR"
    assert line["exc_info"] == ("ValueError: first\nsecond \N{LINE SEPARATOR}")


def test_what_else_is_logged_with_a_line_is_in_it_without_its_secrets() -> None:
    with written() as log:
        extra = {
            "order": 7,
            "url": "https://vera:hunter22@example.org/",
            "login": {"password": "hunter22"},
            "what": object(),
        }
        logging.getLogger(LOGGER).info("Ordered", extra=extra)
    (line,) = log.of(LOGGER)
    assert (line["order"], line["url"]) == (7, "https://vera:***@example.org/")
    assert "hunter22" not in log.text


def test_data_of_a_job_that_cannot_be_read_leave_no_secret_in_the_log() -> None:
    class Unreadable:
        def log_fields(self) -> dict[str, str | int]:
            return {"job_id": "j1"}

        def redact(self, text: str) -> str:
            raise ValueError(text)

    for formatter in (JsonLines(), TextLines()):
        with written(formatter) as log, LoggedIn(Unreadable()):
            logging.getLogger(LOGGER).info("hush-hush")
        assert "hush-hush" not in log.text
        assert logs.UNMASKED in log.text


def test_a_line_to_read_has_the_ids_in_brackets() -> None:
    with written(TextLines()) as log, LoggedIn(Numbered()):
        logging.getLogger(LOGGER).info("Ordered")
    assert re.fullmatch(rf"{TIME.pattern} INFO    shop: Ordered \[order=7\]\n", log.text)


class Numbered:
    def log_fields(self) -> dict[str, str | int]:
        return {"order": 7}

    def redact(self, text: str) -> str:
        return text


@pytest.mark.parametrize(
    ("options", "is_json"),
    [
        ({}, True),
        ({"environment": "development"}, False),
        ({"log_format": "text"}, False),
        ({"log_format": "json", "environment": "development"}, True),
    ],
)
def test_the_format_follows_the_environment_unless_it_is_set(
    options: dict[str, str], is_json: bool
) -> None:
    assert HostOptions.model_validate(options).logs_json is is_json


def test_what_python_prints_by_itself_is_in_the_log(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", root.handlers)
    monkeypatch.setattr(root, "level", root.level)
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    levels = {name: logging.getLogger(name).level for name in ("uvicorn", "alembic", "asyncio")}
    # Another test may have left it on: then nothing is captured anew.
    logging.captureWarnings(capture=False)
    configure_logging(HostOptions())
    try:
        thread = threading.Thread(target=lambda: 1 / 0, name="counter")
        thread.start()
        thread.join()
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.warn("old", DeprecationWarning, stacklevel=1)
        sys.excepthook(ValueError, ValueError("bad"), None)
    finally:
        logging.captureWarnings(capture=False)
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(line["logger"], line["level"]) for line in lines] == [
        ("modhost.process", "ERROR"),
        ("py.warnings", "WARNING"),
        ("modhost.process", "CRITICAL"),
    ]
    assert "ZeroDivisionError" in lines[0]["exc_info"]
