"""Pages: their query strings and forms, and the stream that keeps them current."""

from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Any, Final, Literal, get_args, get_origin
from urllib.parse import quote

from hypothesis import strategies as st
from pydantic import BaseModel

from fuzzing.attacked import AttackedHost
from fuzzing.exchange import Fault, Request
from fuzzing.inputs.texts import ZONES, texts
from fuzzing.targets.cookies import FORM, check_location
from modhost.web.binding.parameters import Source
from modhost.web.routing.declarations import Declaration

IDS: Final = ("{job}", "{later}", "{recurring}", "{user}", "{token}")
VALUES: Final = (
    *("Failed", "Pending", "pending,Running", "kinds.TextJob", "reports_example.GenerateReportJob"),
    *("default", "true", "on", "1", "2", "200", "201", "hour", "day", "cancel", "retry", "delete"),
    *(
        "2026-11-29T12:00",
        "2026-11-29",
        "UTC",
        "dashboard",
        "job",
        "list",
        "types",
        "BackgroundJobs.*",
    ),
    *("queue", "type", "15m", "{}", '"a"', "Admin", "vera", "/admin/jobs", "workflow", "30d", *IDS),
)
EVENT_IDS: Final = ("", "0", "1", "-1", "a:b:c", "x" * 300, "\xff", "job:1:2", "{}", "1-1-1-1")


@dataclass
class Pages:
    """Each input is a request of a page or a form, by its fields."""

    host: AttackedHost
    name: str = "pages"

    @cached_property
    def declared(self) -> list[Declaration]:
        return [each for web in self.host.host.host.web for each in web.pages.declared]

    @property
    def inputs(self) -> st.SearchStrategy[Any]:
        return st.sampled_from(self.declared).flatmap(_requests)

    def attack(self, given: Any) -> str:
        request = Request.of(given)
        answer = self.host.attack(request)
        check_location(answer.header("location"))
        kind = answer.header("content-type")
        if "text/html" in kind and b"<script>alert(1)" in answer.body:
            raise Fault("a script is not shown as text")
        return f"{request.method} {answer.status}"


def _requests(declared: Declaration) -> st.SearchStrategy[Any]:
    place = st.one_of(st.sampled_from(IDS), st.sampled_from(VALUES), texts(*VALUES))
    path = st.just(declared.path)
    for name in declared.path.split("{")[1:]:
        whole = "{" + name.partition("}")[0] + "}"
        path = st.builds(_with, path, st.just(whole), place)
    query = _pairs(declared, Source.QUERY)
    form = _pairs(declared, Source.FORM) if declared.method == "POST" else st.just("")
    return st.builds(
        lambda path, query, form, caller, event, agent: {
            "as": caller,
            "method": declared.method,
            "target": f"{path}?{query}" if query else path,
            "headers": [*([FORM] if form else []), ("Last-Event-ID", event), ("Accept", agent)],
            "body": form,
        },
        path,
        query,
        form,
        st.sampled_from(("admin", "admin", "browser", "viewer", "anonymous")),
        st.one_of(st.just(""), st.sampled_from(EVENT_IDS)),
        st.sampled_from(("text/html", "*/*", "application/json")),
    )


def _pairs(declared: Declaration, source: Source) -> st.SearchStrategy[str]:
    """Return a strategy of query strings or forms with the fields that are declared."""
    known: dict[str, tuple[str, ...]] = {"csrf": ()}
    for parameter in declared.binding.of(source):
        model = parameter.adapter._type if parameter.adapter else None
        if isinstance(model, type) and issubclass(model, BaseModel):
            known |= {name: _words(each.annotation) for name, each in model.model_fields.items()}
    pair = st.sampled_from(sorted(known)).flatmap(
        lambda name: st.tuples(st.just(name), _value(name, known[name]))
    )
    return st.lists(pair, max_size=5).map(
        lambda pairs: "&".join(f"{_escaped(name)}={_escaped(text)}" for name, text in pairs)
    )


def _value(name: str, words: tuple[str, ...]) -> st.SearchStrategy[str]:
    usual = st.sampled_from(words) if words else st.sampled_from(VALUES)
    if "zone" in name:
        usual = st.sampled_from(ZONES)
    return st.one_of(usual, usual, texts(*VALUES))


def _words(annotation: Any) -> tuple[str, ...]:
    """Return the words that a field takes, where its type lists them."""
    if get_origin(annotation) is Literal:
        return tuple(map(str, get_args(annotation)))
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return tuple(str(each.value) for each in annotation)
    return tuple(word for each in get_args(annotation) for word in _words(each))


def _with(path: str, place: str, text: str) -> str:
    return path.replace(place, _escaped(text), 1)


def _escaped(text: str) -> str:
    """Return a text for an address; the braces of a name that stands for an id stay."""
    return quote(text.encode("utf-8", "surrogatepass"), safe="{}")
