"""The page about background jobs describes the whole contract, and shows real answers."""

import inspect
import json
import re

from docs.pages import blocks, page, section
from modhost.web import Endpoints
from modhost_background_jobs.api.endpoints import map_endpoints
from modhost_background_jobs.contracts import (
    BackgroundJobs,
    BackgroundJobsContracts,
    JobAction,
    JobDetail,
    JobExecutionContext,
    JobState,
    JobStatus,
    JobSummary,
    ModuleJob,
    PagedResult,
    RecurringJob,
)

PAGE = page("background-jobs.md")


def first_cells(heading: str) -> set[str]:
    """Return the names in the first column of the tables under a heading."""
    return set(re.findall(r"^\| `(\w+)", section(PAGE, heading), re.MULTILINE))


def members(contract: type) -> set[str]:
    return {name for name, _ in inspect.getmembers(contract) if not name.startswith("_")}


def test_every_method_of_the_contracts_is_there_and_no_other() -> None:
    wanted = members(BackgroundJobs) | members(BackgroundJobsContracts)
    assert first_cells("Putting jobs into the queue") == wanted


def test_the_parameters_of_scheduling_are_those_of_the_contract() -> None:
    for name, method in inspect.getmembers(BackgroundJobs, inspect.isfunction):
        if name.startswith("_"):
            continue
        row = re.search(rf"`{name}\(([^`]*)\)`", PAGE)
        assert row, name
        written = re.findall(r"(\w+)(?:=\w+)?(?:,|$)", row[1])
        assert written == list(inspect.signature(method).parameters)[1:], name


def test_all_that_a_job_is_given_is_there() -> None:
    assert first_cells("What a job is given") == members(JobExecutionContext)


def test_all_that_a_class_may_set_is_there() -> None:
    settings = {name for name in ModuleJob.__annotations__ if not name.startswith("_")}
    assert first_cells("What a class may set") == settings


def test_every_state_is_there() -> None:
    assert first_cells("States") == {state.value for state in JobState}


def test_every_route_is_there_with_its_permission() -> None:
    endpoints = Endpoints("background_jobs", "/api/jobs")
    map_endpoints(endpoints)
    served = {
        (f"{each.method} {each.path}", getattr(each.permission, "name", ""))
        for each in endpoints.declared
    }
    rows = re.findall(r"^\| `([A-Z]+ [^`]+)` \| `([^`]+)`", section(PAGE, "HTTP API"), re.MULTILINE)
    assert set(rows) == served


def test_the_answers_have_the_fields_of_the_models() -> None:
    shown = [json.loads(block) for block in blocks(PAGE, "json")]
    jobs, detail, status, _, actions, schedules = shown
    assert set(jobs) == set(PagedResult[JobSummary].model_fields)
    assert set(jobs["items"][0]) == set(JobSummary.model_fields)
    assert set(detail) == set(JobDetail.model_fields)
    assert set(status) == set(JobStatus.model_fields)
    assert set(actions[0]) == set(JobAction.model_fields)
    assert set(schedules[0]) == set(RecurringJob.model_fields)
    for model, answer in ((JobDetail, detail), (JobStatus, status), (RecurringJob, schedules[0])):
        model.model_validate(answer)
