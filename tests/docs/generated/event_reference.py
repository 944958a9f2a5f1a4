"""Generate the reference of the events that the modules publish."""

import inspect
from typing import Any, Final

from pydantic import TypeAdapter

from modhost import Module
from modhost.events import Event
from modhost.web.reference.schemas import Schemas
from modhost_background_jobs.module import BackgroundJobsModule
from modhost_reports_example.module import ReportsModule

MODULES: Final[tuple[type[Module], ...]] = (BackgroundJobsModule, ReportsModule)


def events() -> str:
    """Return each event with its module, what it says, and its fields."""
    rows = [
        f"| `{event.__name__}` | `{module.name}` | {_summary(event)} | {_fields(event)} |"
        for module in MODULES
        for event in module.publishes
    ]
    return "\n".join(["| event | module | says | fields |", "| --- | --- | --- | --- |", *rows])


def _summary(event: type[Event]) -> str:
    return (inspect.getdoc(event) or "").splitlines()[0].rstrip(".")


def _fields(event: type[Event]) -> str:
    schema: dict[str, Any] = TypeAdapter(event).json_schema()
    fields = Schemas(schema.get("$defs", {})).fields(schema)
    return ", ".join(f"`{field.name}` ({field.kind.words})" for field in fields)
