"""What a job's type declares to be secret is a secret, however its data are given."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import pytest
from pydantic import (
    AliasChoices,
    AliasPath,
    BaseModel,
    Field,
    SecretStr,
    field_validator,
)
from typing_extensions import TypedDict

from hosts import HostedJobs, host_with
from modhost import Module, ServiceCollection, hookimpl
from modhost_background_jobs.contracts import (
    JobExecutionContext,
    JobState,
    ModuleJob,
    ResultNotAvailable,
    add_module_job,
)
from security.secrets.sentinels import SENTINEL

pytestmark = pytest.mark.anyio


@dataclass
class Door:
    floor: int
    word: SecretStr


class Card(TypedDict):
    holder: str
    digits: SecretStr


class Guest(BaseModel):
    name: str
    word: SecretStr | None = None
    badge: Annotated[str, Field(json_schema_extra={"secret": True}, alias="theBadge")] = ""
    room: SecretStr = Field(SecretStr(""), validation_alias=AliasChoices("suite", "chamber"))
    safe: SecretStr = Field(SecretStr(""), validation_alias=AliasPath("safes", 1, "opens"))
    doors: list[Door] = []
    cards: dict[str, Card] = {}
    spoken: list[SecretStr] = []
    pin: SecretStr = Field(SecretStr(""), validation_alias=AliasPath("login", 0))
    target: str | Door = ""
    others: list[str] | dict[str, SecretStr] = []

    @field_validator("spoken", mode="before")
    @classmethod
    def split(cls, given: Any) -> Any:
        return given.split() if isinstance(given, str) else given


class Blunt(BaseModel):
    """Raises what pydantic does not know."""

    word: SecretStr

    @field_validator("word")
    @classmethod
    def fits(cls, word: SecretStr) -> SecretStr:
        if word.get_secret_value() == SENTINEL:
            raise LookupError(f"there is no {SENTINEL}")
        return word


class Greet(ModuleJob[Guest]):
    got: ClassVar[list[Guest]] = []

    async def execute(self, context: JobExecutionContext) -> None:
        self.got.append(context.get_data(Guest))


class GreetBluntly(ModuleJob[Blunt]):
    async def execute(self, context: JobExecutionContext) -> Blunt:
        context.get_data(Blunt)
        return Blunt(word=SecretStr("other"))


class HotelModule(Module):
    name: ClassVar[str] = "hotel"
    requires: ClassVar[tuple[str, ...]] = ("background_jobs",)

    @hookimpl
    def configure_services(self, services: ServiceCollection) -> None:
        add_module_job(services, Greet)
        add_module_job(services, GreetBluntly)


@pytest.fixture
async def jobs(database_url: str) -> AsyncIterator[HostedJobs]:
    consumer = {"worker_mode": "Consumer"}
    async with host_with(database_url, HotelModule(), background_jobs=consumer) as hosted:
        yield hosted


GIVEN = [
    ({"name": "Vera", "word": SENTINEL}, {"name": "Vera", "word": "***"}),
    ({"name": "Vera", "theBadge": SENTINEL}, {"name": "Vera", "theBadge": "***"}),
    ({"name": "Vera", "suite": SENTINEL}, {"name": "Vera", "suite": "***"}),
    ({"name": "Vera", "chamber": SENTINEL}, {"name": "Vera", "chamber": "***"}),
    (
        {"name": "Vera", "safes": [{"opens": "a"}, {"opens": SENTINEL}]},
        {"name": "Vera", "safes": [{"opens": "a"}, {"opens": "***"}]},
    ),
    (
        {"name": "Vera", "doors": [{"floor": 1, "word": SENTINEL}, {"floor": 2, "word": "b"}]},
        {"name": "Vera", "doors": [{"floor": 1, "word": "***"}, {"floor": 2, "word": "***"}]},
    ),
    (
        {"name": "Vera", "cards": {"gold": {"holder": "V", "digits": SENTINEL}}},
        {"name": "Vera", "cards": {"gold": {"holder": "V", "digits": "***"}}},
    ),
    ({"name": "Vera", "spoken": ["a", SENTINEL]}, {"name": "Vera", "spoken": ["***", "***"]}),
    (
        {"name": "Vera", "target": "gate", "others": ["a", "b"]},
        {"name": "Vera", "target": "gate", "others": ["a", "b"]},
    ),
    (
        {"name": "Vera", "target": {"floor": 1, "word": SENTINEL}, "others": {"a": SENTINEL}},
        {"name": "Vera", "target": {"floor": 1, "word": "***"}, "others": {"a": "***"}},
    ),
    ({"name": "Vera", "login": ["1", "2"]}, {"name": "Vera", "login": ["***", "2"]}),
    # Its model has read it in a way of its own: all of it is secret.
    ({"name": "Vera", "spoken": f"a {SENTINEL}"}, {"name": "Vera", "spoken": "***"}),
]


@pytest.mark.parametrize(("given", "shown"), GIVEN)
async def test_it_is_masked_and_reaches_the_job_as_given(
    jobs: HostedJobs, given: Any, shown: Any
) -> None:
    Greet.got.clear()
    job_id = await jobs.scheduling.enqueue(Greet, given)
    detail = await jobs.reaches(job_id, JobState.COMPLETED)
    client = await jobs.host.client("BackgroundJobs.*")
    answers = [await client.get(f"{at}/{job_id}") for at in ("/api/jobs", "/admin/jobs")]
    assert detail.data == shown
    assert [each.status_code for each in answers] == [200, 200]
    assert not any(SENTINEL in each.text for each in answers)
    assert Greet.got == [Guest.model_validate(given)]


async def test_so_it_is_in_a_recurring_job(jobs: HostedJobs) -> None:
    data: Any = {"name": "Vera", "word": SENTINEL}
    id_ = await jobs.scheduling.add_recurring(
        Greet, name="Greet", cron_expression="0 3 * * *", data=data
    )
    client = await jobs.host.client("BackgroundJobs.*")
    shown = (await client.get(f"/admin/jobs/recurring/{id_}")).text
    assert "***" in shown
    assert SENTINEL not in shown


UNREADABLE = [
    ({"nmae": "Vera", "word": SENTINEL}, {"nmae": "Vera", "word": "***"}),
    ({"word": ["a", SENTINEL]}, {"word": "***"}),
    ({"doors": [SENTINEL, {"word": SENTINEL}]}, {"doors": ["***", {"word": "***"}]}),
    ({"cards": [{"digits": SENTINEL}]}, {"cards": "***"}),
    ({"login": SENTINEL}, {"login": "***"}),
    ({"login": {"0": SENTINEL}}, {"login": "***"}),
    ([SENTINEL], "***"),
    (SENTINEL, "***"),
]


@pytest.mark.parametrize(("given", "shown"), UNREADABLE)
async def test_it_is_masked_where_the_type_cannot_read_the_data(
    jobs: HostedJobs, given: Any, shown: Any
) -> None:
    job_id = await jobs.scheduling.enqueue(Greet, given, max_attempts=1)
    detail = await jobs.reaches(job_id, JobState.FAILED)
    assert detail.data == shown
    assert SENTINEL not in str(detail)


async def test_it_is_masked_where_a_validator_fails(jobs: HostedJobs) -> None:
    unreadable: Any = {"word": SENTINEL}
    job_id = await jobs.scheduling.enqueue(GreetBluntly, unreadable, max_attempts=1)
    detail = await jobs.reaches(job_id, JobState.FAILED)
    assert detail.data == {"word": "***"}
    assert SENTINEL not in str(detail)


async def test_an_error_of_any_kind_in_a_validator_refuses_the_edit(jobs: HostedJobs) -> None:
    job_id = await jobs.scheduling.enqueue(GreetBluntly, Blunt(word=SecretStr("right")))
    client = await jobs.host.client(roles=["Admin"])
    path = f"/admin/jobs/{job_id}/run-again"
    answer = await client.post(path, data={"data": f'{{"word": "{SENTINEL}"}}'})
    assert answer.status_code == 422
    assert "The job cannot read the input: LookupError" in answer.text


async def test_a_result_that_does_not_fit_is_named_without_its_secrets(jobs: HostedJobs) -> None:
    class Wary(BaseModel):
        word: str

        @field_validator("word")
        @classmethod
        def fits(cls, word: str) -> str:
            msg = f"there is no {word}"
            raise ValueError(msg)

    job_id = await jobs.scheduling.enqueue(GreetBluntly, Blunt(word=SecretStr("right")))
    await jobs.reaches(job_id, JobState.COMPLETED)
    with pytest.raises(ResultNotAvailable, match=r"there is no \*\*\*"):
        await jobs.querying.get_result(job_id, Wary)
