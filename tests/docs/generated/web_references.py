"""Generate the references of the API and of the permissions from a host with all modules."""

from collections.abc import Iterator, Sequence
from functools import lru_cache

from docs.pages import anchor
from modhost.configuration import Configuration
from modhost.runtime.assembly import build_host
from modhost.runtime.host import Host
from modhost.web.openapi import OpenApi
from modhost.web.reference import ApiReference, Operation
from modhost.web.reference.schemas import Field, Kind
from modhost_background_jobs.module import BackgroundJobsModule
from modhost_reports_example.module import ReportsModule

URL = "http://127.0.0.1:8000"


def api() -> str:
    """Return every operation of the API, by module, and the values that they take and give."""
    lines: list[str] = []
    for section in _reference().sections():
        lines += ["", f"## {section.title}"]
        for operation in section.operations:
            lines += ["", *_operation(operation)]
    lines += ["", "## Values"]
    for model in _reference().models():
        lines += ["", f"### {model.title}", ""]
        lines += [model.description, ""] if model.description else []
        lines += _table(model.fields) if model.fields else [f"{model.kind.words}."]
    return "\n".join(lines).strip()


def permissions() -> str:
    """Return every permission with the module that declares it and what it is for."""
    declared = sorted(_host().permissions.declared_by(), key=lambda each: each[0].name)
    rows = [
        f"| `{each.name}` | `{module}` | {each.label[0].lower()}{each.label[1:]} |"
        for each, module in declared
    ]
    return "\n".join(["| permission | module | allows |", "| --- | --- | --- |", *rows])


@lru_cache(maxsize=1)
def _host() -> Host:
    host = {"environment": "development", "database_url": "sqlite:///unused.db"}
    jobs = {"background_jobs": {"worker_mode": "Producer"}}
    configuration = Configuration({"host": host, "modules": jobs})
    modules = [BackgroundJobsModule(), ReportsModule()]
    return build_host(configuration, "web", modules=modules)


def _operation(operation: Operation) -> Iterator[str]:
    yield f"### {operation.method} {operation.path}"
    yield ""
    yield f"{operation.summary} {operation.note}".strip()
    if operation.parameters:
        yield ""
        yield from _table(operation.parameters)
    for body in operation.bodies:
        yield ""
        yield f"Body as `{body.media_type}`: {_linked(body.kind)}."
    yield ""
    yield "```sh"
    yield operation.sample
    yield "```"
    yield ""
    for answer in operation.answers:
        kind = f": {_linked(answer.kind)}" if answer.kind else ""
        yield f"Answered with {answer.status} {answer.phrase}{kind}."
    if operation.errors:
        yield f"Refused with {', '.join(operation.errors)}."


def _table(fields: Sequence[Field]) -> Iterator[str]:
    yield "| name | value |"
    yield "| --- | --- |"
    for each in fields:
        place = f" ({each.place})" if each.place else ""
        required = ", required" if each.is_required else ""
        words = ". ".join(filter(None, [_linked(each.kind), each.description.rstrip(".")]))
        yield f"| `{each.name}`{place}{required} | {words} |".replace(" || ", " \\|\\| ")


def _linked(kind: Kind) -> str:
    """Return a kind of values, with a link to where they are described."""
    if not kind.schema:
        return kind.words
    return f"[{kind.words}](#{anchor(_titles()[kind.schema])})"


@lru_cache(maxsize=1)
def _reference() -> ApiReference:
    return ApiReference(OpenApi(_host().web, "").document(), URL)


@lru_cache(maxsize=1)
def _titles() -> dict[str, str]:
    return {model.name: model.title for model in _reference().models()}
