"""Ledgers with a violation planted in each: the judges of a trial must find every one of them."""

from collections.abc import Callable

import pytest

from chaos.judging.recovery import Recovery, Sample
from chaos.judging.stored import StoredJob
from chaos.judging.writing import MINUTE, Writing, without_a_violation


def test_nothing_is_reported_of_what_is_allowed() -> None:
    writing = Writing()
    without_a_violation(writing)
    assert writing.verdict() == []


def lose_a_job(writing: Writing) -> None:
    writing.job("x")
    writing.run("x", 1, 2)
    del writing.evidence.stored.jobs["id-x"]


def lose_the_job_of_an_event(writing: Writing) -> None:
    writing.offer("x")
    writing.note(1, "stored", token="x", id="")


def end_a_job_that_never_ran(writing: Writing) -> None:
    writing.job("x")


def end_a_job_that_only_failed(writing: Writing) -> None:
    writing.job("x")
    writing.run("x", 1, 2, how="failed")


def leave_a_job_running(writing: Writing) -> None:
    writing.job("x", "Running")


def give_up_a_job(writing: Writing) -> None:
    writing.job("x", "Failed")
    writing.run("x", 1, 2, how="failed")


def cancel_a_job_that_nobody_cancelled(writing: Writing) -> None:
    writing.job("x", "Cancelled")


def keep_a_job_that_was_rolled_back(writing: Writing) -> None:
    writing.offer("x", expected="never")
    writing.store("x")
    writing.run("x", 1, 2)


def store_a_job_twice(writing: Writing) -> None:
    writing.job("x")
    writing.run("x", 1, 2)
    writing.evidence.stored.jobs["id-y"] = StoredJob("id-y", "Plain", "Cancelled", "x")


def overlap_on_living_workers(writing: Writing) -> None:
    writing.job("x")
    writing.run("x", 1, 3, pid=1)
    writing.run("x", 2, 4, pid=2)


def take_a_job_from_a_worker_too_soon(writing: Writing) -> None:
    writing.job("x")
    writing.away(1, 1.5, 9)
    writing.run("x", 1, 9.5, pid=1)
    writing.run("x", 3, 4, pid=2)


def overlap_long_after_the_worker_is_back(writing: Writing) -> None:
    writing.job("x")
    writing.away(1, 1.5, 9)
    writing.run("x", 1, 60, pid=1)
    writing.run("x", 8, 9, pid=2)


def run_again_after_success(writing: Writing) -> None:
    writing.job("x")
    writing.run("x", 1, 2)
    writing.run("x", 3, 4)


def begin_long_after_being_back(writing: Writing) -> None:
    writing.job("x")
    writing.away(1, 1.5, 9)
    writing.run("x", 8, 8.5, pid=2)
    writing.run("x", 60, 61, pid=1)


def begin_before_having_been_away_for_long(writing: Writing) -> None:
    writing.job("x")
    writing.away(1, 1.5, 9)
    writing.run("x", 2, 3, pid=2)
    writing.run("x", 9.1, 9.5, pid=1)


def never_end_an_attempt(writing: Writing) -> None:
    writing.job("x", "Cancelled", expected="maybe cancelled")
    writing.run("x", 1, None)


def exceed_a_limit(writing: Writing) -> None:
    for number, token in enumerate(("x", "y", "z")):
        writing.job(token)
        writing.run(token, 1 + number / 10, 2, "2:key")


def exceed_a_rate(writing: Writing) -> None:
    writing.evidence.stored.starts["rate key"] = (2, 1.0, [0.0, 0.5, 0.9])


def have_two_of_a_unique_key(writing: Writing) -> None:
    for token in ("x", "y"):
        writing.job(token, unique="key")
    writing.run("x", 1, 2, how="failed")
    writing.run("y", 2.5, 3)
    writing.run("x", 4, 5)


def _schedule(writing: Writing, *dues: float) -> None:
    writing.span("scheduled", 20, 20.1, name="tick", since=MINUTE - 90, until=MINUTE + 1)
    for number, due in enumerate(dues):
        writing.store(f"tick-{number}", due=due, schedule="tick")
        writing.run(f"tick-{number}", 1, 2, due=MINUTE)
    writing.evidence.stored.due_times["tick"] = set(dues)


def miss_a_due_time(writing: Writing) -> None:
    _schedule(writing, MINUTE)


def fire_a_due_time_twice(writing: Writing) -> None:
    _schedule(writing, MINUTE, MINUTE)


def start_before_the_due_time(writing: Writing) -> None:
    writing.job("x", due=MINUTE + 5)
    writing.run("x", 4, 5)


def start_in_a_pause(writing: Writing) -> None:
    writing.job("x", queue="quiet")
    writing.span("paused", 1, 9, queue="quiet")
    writing.run("x", 6, 7)


def start_before_the_condition(writing: Writing) -> None:
    writing.job("x", after=[], when="succeeded")
    writing.run("x", 1, 3)
    writing.job("y", after=["id-x"], when="succeeded")
    writing.run("y", 2, 4)


def run_though_the_condition_failed(writing: Writing) -> None:
    writing.job("x", "Failed", after=[], when="succeeded", expected="any")
    writing.run("x", 1, 2, how="failed")
    writing.job("y", after=["id-x"], when="succeeded")
    writing.run("y", 3, 4)


def leave_a_workflow_open(writing: Writing) -> None:
    writing.evidence.stored.outcomes = ["Completed", None]


def take_a_step_twice(writing: Writing) -> None:
    writing.job("x", steps=2)
    writing.run("x", 1, 2)
    writing.evidence.stored.entries["x"] = {0: 2, 1: 1}


def stay_slow(writing: Writing) -> None:
    writing.evidence.recoveries = [Recovery("a fault", 10.0, None, 9.0)]


def leak_memory(writing: Writing) -> None:
    writing.evidence.samples = [Sample("a worker", n * 10 * 2**20, 40) for n in range(10, 30)]


def leak_descriptors(writing: Writing) -> None:
    writing.evidence.samples = [Sample("a worker", 10 * 2**20, 40 + 2 * n) for n in range(20)]


def deadlock(writing: Writing) -> None:
    writing.evidence.stored.deadlocks = 1


def refuse_a_request_for_no_reason(writing: Writing) -> None:
    writing.span("fault", 1, 2, name="a worker killed")
    writing.note(30, "unavailable", path="/api/jobs")


def fail_a_request(writing: Writing) -> None:
    writing.evidence.answers = {"500": 1}


@pytest.mark.parametrize(
    ("plant", "found"),
    [
        (lose_a_job, "is lost"),
        (lose_the_job_of_an_event, "is lost"),
        (end_a_job_that_never_ran, "never ran to its end"),
        (end_a_job_that_only_failed, "never ran to its end"),
        (leave_a_job_running, "has not ended"),
        (give_up_a_job, "is Failed"),
        (cancel_a_job_that_nobody_cancelled, "nobody has cancelled it"),
        (keep_a_job_that_was_rolled_back, "rolled back"),
        (store_a_job_twice, "is there twice"),
        (overlap_on_living_workers, "before it ended"),
        (take_a_job_from_a_worker_too_soon, "before it ended"),
        (overlap_long_after_the_worker_is_back, "before it ended"),
        (begin_long_after_being_back, "after success"),
        (begin_before_having_been_away_for_long, "after success"),
        (run_again_after_success, "after success"),
        (never_end_an_attempt, "still runs"),
        (exceed_a_limit, "3 run of a limit of 2:key"),
        (exceed_a_rate, "3 starts of rate key"),
        (have_two_of_a_unique_key, "unique key"),
        (miss_a_due_time, "did not fire"),
        (fire_a_due_time_twice, "fired 2 times"),
        (start_before_the_due_time, "before it was due"),
        (start_in_a_pause, "after its queue was paused"),
        (start_before_the_condition, "before its condition held"),
        (run_though_the_condition_failed, "and not Cancelled"),
        (leave_a_workflow_open, "no outcome"),
        (take_a_step_twice, "written 2 times"),
        (stay_slow, "at most 9.00 slots"),
        (leak_memory, "MiB"),
        (leak_descriptors, "descriptors"),
        (deadlock, "1 deadlocks"),
        (fail_a_request, "answered with 500"),
        (refuse_a_request_for_no_reason, "answered with 503"),
    ],
)
def test_a_planted_violation_is_found(plant: Callable[[Writing], None], found: str) -> None:
    writing = Writing()
    plant(writing)
    assert any(found in each for each in writing.verdict()), writing.verdict()
