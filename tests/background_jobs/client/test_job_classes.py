"""Mistakes in job classes are found at start; what is not a job class is refused in words."""

from abc import abstractmethod
from collections.abc import Callable
from datetime import timedelta
from typing import Any, ForwardRef, cast

import pytest
from pydantic import BaseModel

from background_jobs.hosts import jobs_host
from background_jobs.jobs_module import ReportingJob
from modhost import Module, ServiceCollection, hookimpl
from modhost.checks import Finding, StartupError
from modhost.configuration import Configuration
from modhost.runtime.assembly import build_host
from modhost_background_jobs.contracts import (
    InvalidJobData,
    JobExecutionContext,
    ModuleJob,
    UnregisteredJob,
    add_module_job,
)
from modhost_background_jobs.module import BackgroundJobsModule


class GoodJob(ModuleJob):
    async def execute(self, context: JobExecutionContext) -> None:
        pass


# A model that names a type that there is not.
UNFINISHED = type("U", (BaseModel,), {"__module__": "u", "__annotations__": {"other": "Missing"}})


def found_in(*jobs: Any) -> list[Finding]:
    """Return what a start finds in job classes."""

    class JobsModule(Module):
        name = "probe"
        requires = ("background_jobs",)

        @hookimpl
        def configure_services(self, services: ServiceCollection) -> None:
            for job in jobs:
                add_module_job(services, job)

    try:
        build_host(Configuration(), "worker", modules=[BackgroundJobsModule(), JobsModule()])
    except StartupError as error:
        return list(error.findings)
    return []


def with_attributes(**attributes: Any) -> type[ModuleJob]:
    return type("J", (GoodJob,), {"__module__": "probe", **attributes})


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("max_atempts", "max_attempts"),
        ("max_retries", "max_attempts"),
        ("timeOut", "timeout"),
        ("time_limit", "timeout"),
        ("retry_delay", "retry_base_delay"),
        ("alias", "aliases"),
        ("excutor", "executor"),
        ("no_retries", "no_retry"),
        ("jobtype", "job_type"),
        ("datamodel", "data_model"),
    ],
)
def test_a_misspelt_attribute_is_found(name: str, meant: str) -> None:
    (finding,) = found_in(with_attributes(**{name: 5}))
    assert (finding.rule.code, finding.module) == ("MH606", "probe")
    assert (finding.detail, finding.remedy) == (
        f"probe.J sets {name}.",
        f"Did you mean {meant!r}?",
    )


@pytest.mark.parametrize(
    ("name", "values", "remedy"),
    [
        ("job_type", [5, "", " ", "a\0b"], "Write a name in quotes"),
        ("aliases", ["name", ("",), (GoodJob,), None], 'one alone needs a comma: ("name",)'),
        ("max_attempts", ["5", 0, -1, 2.0, True, 10**7], "Write a whole number from 1"),
        ("timeout", [30, "30s", timedelta(0), timedelta.max], "timedelta(seconds=30)"),
        ("retry_base_delay", [1, "1s", -timedelta(1)], "timedelta(seconds=30)"),
        ("no_retry", [KeyError, (KeyError(),), ("KeyError",), None], "needs a comma: (KeyError,)"),
        ("executor", ["thread", None, 5], "Set it to 'worker' or 'process'"),
        (
            "data_model",
            [5, object(), "x", "list[int]", len, UNFINISHED, ForwardRef("Missing")],
            "Write a type that pydantic can validate",
        ),
    ],
)
def test_an_attribute_with_an_unusable_value_is_found(
    name: str, values: list[Any], remedy: str
) -> None:
    for value in values:
        (finding,) = found_in(with_attributes(**{name: value}))
        assert finding.rule.code == ("MH601" if name == "executor" else "MH607")
        assert finding.detail == f"the {name} of probe.J is {value!r}."
        assert remedy in finding.remedy


class WithoutExecute(ModuleJob):
    async def exectue(self, context: JobExecutionContext) -> None:
        pass


class WithRun(ModuleJob):
    async def run(self, context: JobExecutionContext) -> None:
        pass


class Abstract(ModuleJob):
    @abstractmethod
    async def execute(self, context: JobExecutionContext) -> None:
        pass


class WithoutContext(ModuleJob):
    async def execute(self) -> None:  # type: ignore[override]
        pass


class WithMore(ModuleJob):
    async def execute(self, context: JobExecutionContext, path: str) -> None:  # type: ignore[override]
        pass


class NotCallable(ModuleJob):
    execute = None  # type: ignore[assignment]


@pytest.mark.parametrize(
    ("job", "words"),
    [
        (WithoutExecute, "WithoutExecute has no execute. Did you mean 'exectue' to be it?"),
        (WithRun, "WithRun has no execute. Did you mean 'run' to be it?"),
        (Abstract, "Abstract has no execute. Add it."),
        (WithoutContext, "execute(self) -> None does not take the context alone."),
        (WithMore, "path: str) -> None does not take the context alone."),
        (NotCallable, "NotCallable.execute is None. Write `async def execute(self, context)`."),
        ("probe.J", "add_module_job was given 'probe.J'. Pass a subclass of ModuleJob"),
        (dict, "add_module_job was given <class 'dict'>."),
        (GoodJob(), "GoodJob object at"),
    ],
)
def test_a_class_that_cannot_be_run_is_found(job: Any, words: str) -> None:
    (finding,) = found_in(job)
    assert finding.rule.code == "MH605"
    assert words in f"{finding.detail} {finding.remedy}"


def test_all_that_is_wrong_is_found_at_once() -> None:
    both = with_attributes(max_atempts=5, timeout=30)
    assert [each.rule.code for each in found_in(both, WithRun)] == ["MH606", "MH607", "MH605"]


class Decorated(ModuleJob):
    """What is right: attributes of its own, a decorator, a static method."""

    aliases = ["old"]  # type: ignore[assignment]  # noqa: RUF012
    no_retry = (KeyError, TimeoutError)
    max_attempts = 3
    timeout = timedelta(milliseconds=1)
    retry_base_delay = timedelta.max
    data_model = dict[str, int]
    folder = "x"
    limits = {"a": 1}  # noqa: RUF012

    @property
    def timeouts(self) -> int:
        return 1

    @staticmethod
    def execute(context: JobExecutionContext) -> None:
        pass


class AnyArguments(ModuleJob):
    execute: Callable[..., None] = lambda *args, **kwargs: None


def test_what_is_right_is_left_alone() -> None:
    assert found_in(GoodJob, Decorated, AnyArguments) == []


@pytest.mark.anyio
async def test_what_is_not_a_class_is_refused_with_a_sentence(sqlite_url: str) -> None:
    wrong: Any
    async with jobs_host(sqlite_url, mode="Producer") as jobs:
        for wrong in ("probe.J", GoodJob(), {"job": 1}, None):
            with pytest.raises(UnregisteredJob, match="is not a job class: pass the class itself"):
                await jobs.scheduling.enqueue(wrong)
            with pytest.raises(UnregisteredJob, match="is not a job class"):
                await jobs.scheduling.add_recurring(wrong, name="x", cron_expression="@daily")
        unreasonable: list[dict[str, Any]] = [{"max_attempts": "5"}, {"timeout": 30}]
        for options in unreasonable:
            with pytest.raises(InvalidJobData, match=r"max_attempts is '5'|timeout is 30"):
                await jobs.scheduling.enqueue(ReportingJob, **options)
        with pytest.raises(InvalidJobData, match="execute_at is '2026-01-01'; give a datetime"):
            await jobs.scheduling.schedule(ReportingJob, cast("Any", "2026-01-01"))
