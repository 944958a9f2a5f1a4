"""Errors of any length are shown by their message and the end of their traceback, masked."""

import gc
import weakref
from typing import ClassVar, NoReturn

import pytest
from pydantic import BaseModel, SecretStr

from background_jobs.hosts import jobs_host
from background_jobs.jobs_module import ProbedJob
from modhost_background_jobs.contracts import (
    JobExecutionContext,
    JobState,
    ModuleJob,
    PermanentJobError,
)

pytestmark = pytest.mark.anyio

SECRET = "-----BEGIN KEY-----\nMIIEvSentinelOfTheFirstLine\nMIIEvSentinelOfTheSecondLine"
LIMIT = 16_000


class Login(BaseModel):
    password: SecretStr = SecretStr(SECRET)


class LongMessageJob(ProbedJob):
    async def execute(self, context: JobExecutionContext) -> None:
        self.culprit("x" * 50_000)

    def culprit(self, text: str) -> None:
        raise ValueError(text)


class LongChainJob(ProbedJob):
    async def execute(self, context: JobExecutionContext) -> None:
        error: Exception = ValueError("the first of all")
        for number in range(500):
            error = _raised(KeyError(number), error)
        _raise(RuntimeError("the last of all"), error)


class LargeGroupJob(ProbedJob):
    async def execute(self, context: JobExecutionContext) -> None:
        errors = [_raised(ValueError(f"{number} {'y' * 5000}"), None) for number in range(15)]
        raise ExceptionGroup("many", errors)


def _raised(error: Exception, cause: Exception | None) -> Exception:
    try:
        _raise(error, cause)
    except type(error):
        return error


def _raise(error: Exception, cause: Exception | None) -> NoReturn:
    raise error from cause


class LeakingJob(ProbedJob):
    """Its message is cut within the secret, wherever that begins."""

    kind: ClassVar[type[Exception]] = ValueError
    is_grouped: ClassVar[bool] = False

    async def execute(self, context: JobExecutionContext) -> None:
        secret = context.get_data(Login).password.get_secret_value()
        places = (1990, 2000, 3990, 15_980, 15_990, 16_000)
        text = "".join(("z" * place)[len(secret) :] + secret for place in places)
        context.log(text)
        context.report_progress(1, text)
        error = self.kind(text)
        if self.is_grouped:
            raise ExceptionGroup(text, [error])
        raise error


class LeakingGroupJob(LeakingJob):
    is_grouped: ClassVar[bool] = True


class LeakingPermanentJob(LeakingJob):
    kind: ClassVar[type[Exception]] = PermanentJobError


class Large:
    """Stands for a gigabyte."""

    alive: ClassVar["weakref.WeakSet[Large]"] = weakref.WeakSet()

    def __init__(self) -> None:
        self.alive.add(self)


class HoardingThreadJob(ProbedJob):
    def execute(self, context: JobExecutionContext) -> None:
        large = Large()
        try:
            _fail(large)
        except KeyError as error:
            raise ValueError from error


class HoardingJob(ProbedJob):
    async def execute(self, context: JobExecutionContext) -> None:
        HoardingThreadJob.execute(self, context)  # type: ignore[arg-type]


def _fail(large: Large) -> None:
    raise KeyError(str(large))


LONG: dict[type[ModuleJob], tuple[str, ...]] = {
    LongMessageJob: ("ValueError: xxx", "self.culprit(", "in culprit", "raise ValueError(text)"),
    LongChainJob: ("RuntimeError: the last of all", "in _raise"),
    LargeGroupJob: ("ExceptionGroup: many", "ValueError: 14 yyy", "+---"),
}
LEAKING = (LeakingJob, LeakingGroupJob, LeakingPermanentJob)
HOARDING = (HoardingThreadJob, HoardingJob)


@pytest.mark.parametrize("job", LONG)
async def test_a_long_error_shows_its_message_and_the_end_of_its_traceback(
    database_url: str, job: type[ModuleJob]
) -> None:
    """The end was cut off, where the traceback is."""
    async with jobs_host(database_url, more_jobs=tuple(LONG)) as jobs:
        error = str((await jobs.ends(await jobs.scheduling.enqueue(job, max_attempts=1))).error)
    assert len(error) <= LIMIT
    assert error.startswith(LONG[job][0])
    assert [each for each in LONG[job] if each not in error] == []


@pytest.mark.parametrize("job", LEAKING)
async def test_secrets_are_masked_before_a_text_is_cut(
    sqlite_url: str, job: type[ModuleJob]
) -> None:
    async with jobs_host(sqlite_url, more_jobs=LEAKING) as jobs:
        job_id = await jobs.scheduling.enqueue(job, Login(), max_attempts=1)
        ended = await jobs.ends(job_id)
    shown = ended.model_dump_json()
    assert "***" in str(ended.error)
    assert [part for part in ("BEGIN KEY", "MIIEv", "Sentinel") if part in shown] == []


@pytest.mark.parametrize("job", HOARDING)
async def test_what_the_frames_of_a_failed_job_held_is_freed(
    sqlite_url: str, job: type[ModuleJob]
) -> None:
    """Three failures with a gigabyte kept three until the next full collection."""
    async with jobs_host(sqlite_url, more_jobs=HOARDING) as jobs:
        gc.disable()
        try:
            ended = await jobs.ends(await jobs.scheduling.enqueue(job, max_attempts=3))
            assert (ended.state, len(Large.alive)) == (JobState.FAILED, 0)
        finally:
            gc.enable()
    assert "large = Large()" not in str(ended.error)
    assert "_fail(large)" in str(ended.error)
