"""The recipes of the page about workflows, run as they are shown."""

import re
from pathlib import Path
from runpy import run_path
from typing import Any, Final

import anyio
import pytest
from pydantic import BaseModel

from background_jobs.hosts import Jobs, jobs_host
from docs.pages import blocks, page
from modhost_background_jobs.contracts import (
    BackgroundJobs,
    JobExecutionContext,
    JobId,
    JobState,
    ModuleJob,
    PermanentJobError,
    WorkflowId,
    WorkflowState,
)

pytestmark = pytest.mark.anyio

RECIPES: Final = re.split(r"^## ", page("workflows.md"), flags=re.MULTILINE)
ROWS: Final = 40


class Page(BaseModel):
    text: str = "some words"


class Trip(BaseModel):
    has_cars: bool = True


class Source(BaseModel):
    rows: int = ROWS


class Importer:
    """Stores rows and notes them; it stops at one until it may continue."""

    def __init__(self) -> None:
        self.stored: list[int] = []
        self.gate = anyio.Event()

    async def store(self, _source: Source, row: int) -> None:
        self.stored.append(row)
        if row == ROWS // 2:
            await self.gate.wait()


ran: Final[list[str]] = []


def noting(name: str) -> type[ModuleJob]:
    """Return a job that notes that it ran."""

    async def execute(_: ModuleJob, context: JobExecutionContext) -> None:
        ran.append(name)
        if name == "RentCar" and not context.get_data(Trip).has_cars:
            raise PermanentJobError("there are no cars")

    return type(name, (ModuleJob,), {"execute": execute, "__module__": __name__})


SIMPLE: Final = (
    *("Check", "Translate", "Print", "Send", "Report"),
    *("BookFlight", "BookHotel", "RentCar", "CancelHotel", "CancelFlight"),
)


@pytest.fixture
def recipes(tmp_path: Path) -> dict[str, Any]:
    """All that the recipes define, and what they use."""
    (text,) = (each for each in RECIPES if each.startswith("Recipes"))
    importer = Importer()
    names: dict[str, Any] = {name: noting(name) for name in SIMPLE}
    names |= {each.__name__: each for each in (BackgroundJobs, JobExecutionContext, ModuleJob)}
    names |= {"JobId": JobId, "WorkflowId": WorkflowId, "Page": Page, "Trip": Trip}
    names |= {"Source": Source, "importer": importer, "store": importer.store}
    shown = tmp_path / "recipes.py"
    shown.write_text("\n".join(blocks(text, "python")))
    return run_path(str(shown), names, __name__)


def job_types(recipes: dict[str, Any]) -> list[type[ModuleJob]]:
    ran.clear()
    types = [each for each in recipes.values() if isinstance(each, type)]
    return [each for each in types if issubclass(each, ModuleJob) and each is not ModuleJob]


async def over(jobs: Jobs, workflow_id: WorkflowId) -> WorkflowState:
    with anyio.fail_after(60):
        while True:
            found = await jobs.scheduling.get_workflow(workflow_id)
            assert found is not None
            if found.state.is_final:
                return found.state
            await anyio.sleep(0.01)


async def test_the_recipes_do_what_they_say(sqlite_url: str, recipes: dict[str, Any]) -> None:
    pages = [Page(text="one two"), Page(text="three"), Page(text="")]
    types = job_types(recipes)
    async with jobs_host(sqlite_url, more_jobs=types) as jobs:
        total = await recipes["count_words"](jobs.scheduling, pages)
        await jobs.reaches(total, JobState.COMPLETED)
        assert await jobs.querying.get_result(total, int) == 3
        last = await recipes["publish"](jobs.scheduling, pages[0])
        await jobs.reaches(last, JobState.COMPLETED)
        assert ran == ["Check", "Translate", "Print"]
        good = await recipes["book_trip"](jobs.scheduling, Trip())
        assert await over(jobs, good) is WorkflowState.COMPLETED
        assert ran[3:] == ["BookFlight", "BookHotel", "RentCar"]
        bad = await recipes["book_trip"](jobs.scheduling, Trip(has_cars=False))
        assert await over(jobs, bad) is WorkflowState.FAILED
        assert set(ran[9:]) == {"CancelHotel", "CancelFlight"}
        sent = await recipes["send_all"](jobs.scheduling, pages)
        for each in sent:
            await jobs.reaches(each, JobState.COMPLETED)
        with anyio.fail_after(60):
            while ran[-1] != "Report":
                await anyio.sleep(0.01)
        assert ran[-4:] == ["Send", "Send", "Send", "Report"]


async def test_the_long_import_continues_after_a_deployment(
    sqlite_url: str, recipes: dict[str, Any]
) -> None:
    importer = recipes["importer"]
    types = job_types(recipes)
    async with jobs_host(sqlite_url, more_jobs=types, shutdown_grace="100ms") as jobs:
        done = await recipes["import_all"](jobs.scheduling, [Source()])
        with anyio.fail_after(60):
            while ROWS // 2 not in importer.stored:
                await anyio.sleep(0.01)
    importer.gate.set()
    async with jobs_host(sqlite_url, more_jobs=types) as jobs:
        await jobs.reaches(done, JobState.COMPLETED)
        assert await jobs.querying.get_result(done, int) == ROWS
    assert sorted(set(importer.stored)) == list(range(ROWS))
    assert len(importer.stored) == ROWS + 1
