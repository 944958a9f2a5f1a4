"""What type checkers accept and refuse of typed jobs: mypy, once for all lines."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from background_jobs.typed import event_types

pytestmark = pytest.mark.timeout(400)
ROOT = Path(__file__).parents[3]

HEAD = """
from datetime import datetime, timedelta
from typing import Any, TypeVar

from pydantic import BaseModel
from sqlmodel.ext.asyncio.session import AsyncSession

from modhost_background_jobs.contracts import (
    BackgroundJobs,
    BackgroundJobsContracts,
    JobExecutionContext,
    JobId,
    ModuleJob,
)


class Image(BaseModel):
    path: str


class Photo(Image):
    camera: str


class Size(BaseModel):
    width: int


class Resize(ModuleJob[Image, Size]):
    async def execute(self, context: JobExecutionContext[Image]) -> Size:
        path: str = context.data.path
        return Size(width=len(path))


class ResizeInThread(ModuleJob[Image, Size]):
    def execute(self, context: JobExecutionContext[Image]) -> Size:
        return Size(width=1)


class Show(ModuleJob[Image]):
    async def execute(self, context: JobExecutionContext[Image]) -> None:
        context.get_data(Image)


class MayShow(ModuleJob[Image | None]):
    async def execute(self, context: JobExecutionContext[Image | None]) -> None: ...


class Sweep(ModuleJob[None, int]):
    def execute(self, context: JobExecutionContext[None]) -> int:
        return 1


class Plain(ModuleJob):
    async def execute(self, context: JobExecutionContext) -> int:
        return len(context.data)


Item = TypeVar("Item")


class Import(ModuleJob[list[Item], int]):
    async def execute(self, context: JobExecutionContext[list[Item]]) -> int:
        return len(context.data)


class ImportImages(Import[Image]):
    pass


async def shrink(image: Image, width: int = 1) -> Size: return Size(width=width)
def measure(image: Image) -> Size: return Size(width=1)
async def keep(session: AsyncSession, image: Image) -> Size: return Size(width=1)
image = Image(path="a.png")
photo = Photo(path="a.png", camera="x")
"""

ACCEPTED = """
id: JobId = await jobs.enqueue(Resize, image)
await jobs.enqueue(Resize, photo, queue="q", priority=5, timeout=timedelta(1), job_id=id)
await jobs.enqueue(ResizeInThread, data=image, max_attempts=3)
await jobs.enqueue(Show, image)
await jobs.enqueue(MayShow)
await jobs.enqueue(MayShow, image)
await jobs.enqueue(Sweep)
await jobs.enqueue(Sweep, None)
await jobs.enqueue(ImportImages, [image, photo])
await jobs.enqueue(Plain)
await jobs.enqueue(Plain, {"a": 1}, priority=1)
await jobs.enqueue_many(Resize, [image, photo])
await jobs.enqueue_many(Plain, [1, "a", None])
await jobs.enqueue_many(Resize, [image], then=(Show, photo))
await jobs.enqueue_many(Resize, [image], then=(Sweep, None, "finished"))
await jobs.enqueue_many(Plain, [1], then=(Plain, {"a": 1}))
await jobs.schedule(Resize, at, image)
id = jobs.from_thread.enqueue(Resize, photo, priority=5)
id = jobs.from_thread.enqueue(Sweep)
id = jobs.from_thread.schedule(Plain, at)
ids: list[JobId] = jobs.from_thread.enqueue_many(Resize, [image])
got: Size = await contracts.get_result(id, Size)
sizes: list[Size] = await contracts.get_result(id, list[Size])
await jobs.schedule(Plain, at)
await jobs.schedule(Sweep, at)
await jobs.add_recurring(Resize, name="a", cron_expression="@daily", data=image, time_zone="UTC")
await jobs.add_recurring(Sweep, name="a", cron_expression="@daily")
await jobs.add_recurring(Plain, name="a", cron_expression="@daily", data=[1], tags=["t"])
some: list[tuple[type[ModuleJob], object]] = [(Resize, image), (Plain, 1)]
await jobs.enqueue(*some[0])
size: Size = await context.step("shrink", shrink, image)
size = await context.step("shrink", shrink, image, 2)
size = await context.step("measure", measure, photo)
size = await context.step("measure", lambda: measure(image))
size = await context.step("keep", keep, image, transactional=True)
size = context.from_thread.step("shrink", shrink, image)
size = context.from_thread.step("keep", keep, image, transactional=True)
given: Any = {"path": "a.png"}
await jobs.enqueue(Resize, given)
"""

REFUSED = """
await context.step("shrink", shrink)
await context.step("shrink", shrink, "a.png")
await context.step("keep", keep, image)
await context.step("measure", measure, image, transactional=True)
text: str = await context.step("text", measure, image)
text = context.from_thread.step("words", shrink, image)
await jobs.enqueue(Resize)
await jobs.enqueue(Resize, None)
await jobs.enqueue(Resize, "a.png")
await jobs.enqueue(Resize, {"path": "a.png"})
await jobs.enqueue(Show, Size(width=1))
await jobs.enqueue(Sweep, 1)
await jobs.enqueue(ImportImages, ["a.png"])
await jobs.enqueue(Resize, image, prioritty=5)
await jobs.enqueue(Resize, image, priority="high")
await jobs.enqueue(Size, image)
await jobs.enqueue_many(Resize, ["a.png"])
await jobs.enqueue_many(Resize, [image, None])
await jobs.enqueue_many(Resize, image)
await jobs.enqueue_many(Resize, [image], then=(Show, "a.png"))
await jobs.enqueue_many(Resize, [image], then=(Show, None, "failed"))
jobs.from_thread.enqueue(Resize)
jobs.from_thread.enqueue(Resize, "a.png")
jobs.from_thread.enqueue_many(Resize, ["a.png"])
jobs.from_thread.schedule(Resize, at)
await jobs.schedule(Resize, at)
await jobs.schedule(Resize, at, 1)
await jobs.schedule(Plain, image)
await jobs.add_recurring(Resize, name="a", cron_expression="@daily")
await jobs.add_recurring(Resize, name="a", cron_expression="@daily", data="a.png")
"""

ALL_ACCEPTED = ACCEPTED + event_types.ACCEPTED
ALL_REFUSED = REFUSED + event_types.REFUSED

REFUSED_CLASSES = {
    "another result": """
class OtherResult(ModuleJob[Image, Size]):
    async def execute(self, context: JobExecutionContext[Image]) -> int: return 1
""",
    "no result": """
class NoResult(ModuleJob[Image, Size]):
    async def execute(self, context: JobExecutionContext[Image]) -> None: pass
""",
    "no result of a thread": """
class NoResultInThread(ModuleJob[Image, Size]):
    def execute(self, context: JobExecutionContext[Image]) -> None: pass
""",
    "other data": """
class OtherData(ModuleJob[Image, Size]):
    async def execute(self, context: JobExecutionContext[str]) -> Size: return Size(width=1)
""",
    "a field that the data lack": """
class OtherField(ModuleJob[Image]):
    async def execute(self, context: JobExecutionContext[Image]) -> None: print(context.data.name)
""",
}


def lines(text: str) -> list[str]:
    return list(filter(None, text.splitlines()))


@pytest.fixture(scope="module")
def errors(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """Return what mypy says about all snippets: the error by the line, or by the name of a class.

    Lines without an error are not among them.
    """
    program = [(line, "") for line in lines(HEAD + event_types.HEAD)]
    given = "jobs: BackgroundJobs, contracts: BackgroundJobsContracts, at: datetime"
    given += ", context: JobExecutionContext, services: ServiceCollection, events: Events"
    given += ", session: AsyncSession"
    program.append((f"async def calls({given}) -> None:", ""))
    program += [(f"    {line}", line) for line in lines(ALL_ACCEPTED + ALL_REFUSED)]
    for name, snippet in REFUSED_CLASSES.items():
        program += [(line, name) for line in lines(snippet)]
    file = tmp_path_factory.mktemp("types") / "snippets.py"
    file.write_text("\n".join(line for line, _ in program))
    ran = subprocess.run(
        [sys.executable, "-m", "mypy", "--no-error-summary", "--hide-error-context", str(file)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=350,
    )
    assert ran.returncode in (0, 1), ran.stderr
    found = {}
    for each in ran.stdout.splitlines():
        place, kind, message = each.split(": ", 2)
        if kind == "error":
            line, name = program[int(place.rsplit(":", 1)[1]) - 1]
            found[name or line] = message
    return found


def test_what_fits_is_accepted(errors: Mapping[str, str]) -> None:
    refused = {*lines(ALL_REFUSED), *REFUSED_CLASSES}
    assert {line: error for line, error in errors.items() if line not in refused} == {}


@pytest.mark.parametrize("what", [*lines(ALL_REFUSED), *REFUSED_CLASSES])
def test_what_does_not_fit_is_refused(errors: Mapping[str, str], what: str) -> None:
    assert what in errors
