"""Job types whose data have types of every kind; each job returns the data as it got them."""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, SecretStr
from typing_extensions import TypedDict

from modhost import Module, ServiceCollection, hookimpl
from modhost_background_jobs.contracts import (
    Concurrency,
    Fair,
    JobExecutionContext,
    ModuleJob,
    Rate,
    Unique,
    add_module_job,
)


class Colour(Enum):
    RED = "red"
    GREEN = "green"


class Square(BaseModel):
    kind: Literal["square"] = "square"
    side: float


class Circle(BaseModel):
    kind: Literal["circle"] = "circle"
    radius: Decimal


class Tree(BaseModel):
    name: str = ""
    children: list["Tree"] = []


class Everything(BaseModel):
    model_config = ConfigDict(extra="forbid")

    whole: int = 0
    fraction: float = 0.0
    exact: Decimal = Decimal(0)
    moment: datetime | None = None
    day: date | None = None
    clock: time | None = None
    span: timedelta = timedelta(0)
    raw: bytes = b""
    ident: UUID | None = None
    colours: set[Colour] = set()
    pair: tuple[int, str] = (0, "")
    anything: Any = None
    secret: SecretStr = SecretStr("")


@dataclass
class Point:
    x: int
    when: datetime
    more: dict[str, list[int | None]] = field(default_factory=dict)


class Row(TypedDict, total=False):
    id: int
    text: str


class Limited(BaseModel):
    host: str = ""
    tenant: str | int | None = None


Shape = Annotated[Square | Circle, Field(discriminator="kind")]
MODELS: Final[dict[str, Any]] = {
    "Text": str,
    "Number": int | float,
    "Anything": Any,
    "Shapes": list[Shape],
    "Tree": Tree,
    "Everything": Everything,
    "Point": Point,
    "Rows": dict[int, Row],
    "Either": int | str | list[int] | None,
}


class EchoJob(ModuleJob):
    """It returns its data as its model reads them."""

    max_attempts = 1

    async def execute(self, context: JobExecutionContext[Any]) -> Any:
        model = type(self).data_model
        return context.get_data(model) if model is not Any else context.get_data(object)


class LimitedJob(EchoJob):
    """Jobs under flow control, whose keys are made of their data."""

    data_model = Limited
    concurrency = Concurrency(2, per="host")
    rate = Rate(1000, timedelta(seconds=1), per="tenant")
    unique = Unique(per=("host", "tenant"))
    fair = Fair(per="tenant")


def _echo(name: str, model: Any) -> type[ModuleJob]:
    return type(f"{name}Job", (EchoJob,), {"data_model": model, "__module__": __name__})


JOBS: Final[dict[str, type[ModuleJob]]] = {
    **{name: _echo(name, model) for name, model in MODELS.items()},
    "Limited": LimitedJob,
}
EXAMPLES: Final[dict[str, tuple[str, ...]]] = {
    "Text": ('"a"', '"\\u0000"', '"\\ud800"', '"é"', '""'),
    "Number": ("1", "1.5", "-0.0", "1e400", "123456789012345678901234567890", "true", '"7"'),
    "Anything": ("null", '{"$secret": "a"}', '{"a": [1, {"b": null}]}', "[1e308, -1]"),
    "Shapes": ('[{"kind": "square", "side": 1.5}, {"kind": "circle", "radius": "0.10"}]', "[]"),
    "Tree": ('{"name": "a", "children": [{"name": "b", "children": []}]}',),
    "Everything": (
        '{"whole": 1, "fraction": 0.1, "exact": "1.10", "moment": "2026-01-01T00:00:00Z"}',
        '{"day": "2026-02-28", "clock": "23:59:59.999999", "span": "P1DT2H", "raw": "abc"}',
        '{"ident": "01a217f6-6e54-7349-9072-2de22e5fa9bf", "colours": ["red"], "pair": [1, "a"]}',
        '{"anything": {"a": NaN}, "secret": "password"}',
        '{"moment": "0001-01-01T00:00:00+14:00", "span": "P999999999D", "exact": "1e999999"}',
    ),
    "Point": ('{"x": 1, "when": "2026-01-01T00:00:00Z", "more": {"a": [1, null]}}',),
    "Rows": ('{"1": {"id": 1, "text": "a"}}', '{"1": {}, " 1": {}, "01": {}}'),
    "Either": ("1", '"1"', "[1]", "null", "1.0"),
    "Limited": ('{"host": "a", "tenant": 1}', '{"host": "\\u0000"}', '{"tenant": "x"}'),
}


class KindsModule(Module):
    """The module of these jobs."""

    name = "kinds"
    version = "1.0.0"

    @hookimpl
    def configure_services(self, services: ServiceCollection) -> None:
        for job in JOBS.values():
            add_module_job(services, job)
