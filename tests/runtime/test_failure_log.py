"""What repeats is logged once, then counted."""

import logging

import asyncpg
import pytest

from modhost.failures import FailureLog

LOG = logging.getLogger("modhost.test")
REFUSED = ConnectionRefusedError(111, "Connect call failed")


class Stopwatch:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def stopwatch() -> Stopwatch:
    return Stopwatch()


@pytest.fixture
def failures(stopwatch: Stopwatch, caplog: pytest.LogCaptureFixture) -> FailureLog:
    caplog.set_level("INFO")
    return FailureLog(stopwatch)


def test_an_outage_is_one_line_a_reason_and_one_that_says_what_had_failed(
    failures: FailureLog, stopwatch: Stopwatch, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(100):
        for what in ("The claim of jobs", "The heartbeat"):
            failures.failed(LOG, what, REFUSED)
        failures.failed(LOG, "The sweep", TimeoutError())
        stopwatch.seconds += 0.3
    failures.passed("The heartbeat")
    failures.passed("The sweep")
    failures.passed("something else")
    failures.passed("The claim of jobs")
    refused, timed_out, good_news = caplog.messages
    reason = "ConnectionRefusedError: [Errno 111] Connect call failed"
    assert refused == f"The claim of jobs failed ({reason}); it is tried again until it works."
    assert timed_out == "The sweep failed (TimeoutError); it is tried again until it works."
    counted = "100 x The claim of jobs, 100 x The heartbeat, 100 x The sweep"
    assert good_news == f"All works again after 30 s; failed meanwhile: {counted}."
    assert not any(record.exc_info for record in caplog.records)


def test_what_no_wait_fixes_comes_with_the_remedy(
    failures: FailureLog, caplog: pytest.LogCaptureFixture
) -> None:
    error = asyncpg.InsufficientPrivilegeError("permission denied for table jobs")
    failures.failed(LOG, "The claim of jobs", error)
    failures.failed(LOG, "The claim of jobs", asyncpg.InvalidSQLStatementNameError("__stmt_4__"))
    denied, pooled = caplog.messages
    assert "permission denied for table jobs" in denied
    assert denied.endswith(
        "works. Grant it to the role of [host] database_url: `modhost doctor` "
        "names what is missing."
    )
    assert pooled.endswith("add ?statement_cache_size=0 to [host] database_url.")


def test_what_lasts_is_repeated_once_a_minute(
    failures: FailureLog, stopwatch: Stopwatch, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(310):
        failures.failed(LOG, "The claim of jobs", REFUSED)
        stopwatch.seconds += 1
    assert len(caplog.messages) == 6


def test_what_fails_every_other_time_fills_no_log(
    failures: FailureLog, stopwatch: Stopwatch, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(50):
        failures.failed(LOG, "The claim of jobs", REFUSED)
        failures.passed("The claim of jobs")
        stopwatch.seconds += 1
    assert len(caplog.messages) == 2


def test_a_bug_comes_with_its_traceback_once_and_holds_up_no_good_news(
    failures: FailureLog, stopwatch: Stopwatch, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(100):
        failures.failed(LOG, "The firing of the schedule 7", ValueError("Mars/Base"))
        stopwatch.seconds += 1
    failures.failed(LOG, "The claim of jobs", REFUSED)
    failures.passed("The claim of jobs")
    first, second, refused, good_news = caplog.records
    assert first.exc_info
    assert not second.exc_info
    assert not refused.exc_info
    assert good_news.getMessage() == (
        "All works again after 0 s; failed meanwhile: 1 x The claim of jobs."
    )


def test_health_reports_what_lasts_and_forgets_what_nobody_tries_any_more(
    failures: FailureLog, stopwatch: Stopwatch
) -> None:
    failures.failed(LOG, "The heartbeat", REFUSED)
    assert failures.lasting() == []
    stopwatch.seconds = 3
    assert failures.lasting() == ["The heartbeat"]
    stopwatch.seconds = 60
    assert failures.lasting() == []


def test_what_is_tried_rarely_holds_up_no_good_news(
    failures: FailureLog, stopwatch: Stopwatch, caplog: pytest.LogCaptureFixture
) -> None:
    failures.failed(LOG, "The deletion of old jobs", REFUSED)
    for _ in range(10):
        failures.failed(LOG, "The claim of jobs", REFUSED)
        stopwatch.seconds += 1
    for _ in range(10):
        failures.passed("The claim of jobs")
        stopwatch.seconds += 1
    assert caplog.messages[-1].startswith("All works again after 14 s")
