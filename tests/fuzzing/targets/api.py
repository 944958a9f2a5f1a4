"""The API, by the document that describes it, as callers of each kind."""

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from hypothesis import strategies as st

from fuzzing.attacked import CALLERS, AttackedHost
from fuzzing.exchange import Answer, Request
from fuzzing.inputs.texts import NASTY, edited, texts
from fuzzing.targets.pages import IDS, VALUES

_ID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.I)
_VALUE: Final = re.compile(r"(?<==)[^&]*")


@dataclass
class Api:
    """Each input is a request, or several; ids in paths may be those of what there is.

    `{made}` is what the last answer with an id is about.
    """

    host: AttackedHost
    name: str = "api"

    @cached_property
    def cases(self) -> st.SearchStrategy[Any]:
        # A process that only repeats inputs does without; it takes two seconds to import.
        import schemathesis
        from schemathesis.core.result import Ok
        from schemathesis.generation import GenerationMode

        document = self.host.answer(Request("GET", "/openapi.json")).json()
        schema = schemathesis.openapi.from_dict(document)
        found = [each.ok() for each in schema.get_all_operations() if isinstance(each, Ok)]
        modes = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
        return st.one_of(
            *(each.as_strategy(generation_mode=mode) for each in found for mode in modes)
        )

    @property
    def inputs(self) -> st.SearchStrategy[Any]:
        value = st.one_of(st.none(), st.sampled_from(VALUES), texts(*NASTY, *VALUES))
        edit = st.tuples(st.integers(0, 500), st.just("replace"), st.sampled_from(NASTY))
        request = st.builds(
            _written,
            self.cases,
            st.sampled_from(CALLERS[:3] * 3 + CALLERS),
            st.sampled_from((None, *IDS, "{made}")),
            value,
            st.lists(edit, max_size=2),
        )
        return st.one_of(request, st.lists(request, min_size=2, max_size=5))

    def attack(self, given: Any) -> str:
        outcome = ""
        for each in given if isinstance(given, list) else [given]:
            request = Request.of(each)
            answer = self.host.attack(request)
            outcome = f"{request.method} {answer.status}"
            if made := _id_in(answer):
                self.host.names["made"] = made
        return outcome


def _id_in(answer: Answer) -> str | None:
    found = answer.json() if answer.header("content-type") == "application/json" else None
    if isinstance(found, dict) and isinstance(found.get("items"), list):
        found = found["items"]
    if isinstance(found, list):
        found = found[0] if found else None
    if not isinstance(found, dict):
        return None
    return next((str(found[name]) for name in ("job_id", "id") if name in found), None)


def _written(
    case: Any, caller: str, known: str | None, value: str | None, edits: list[tuple[int, str, str]]
) -> dict[str, Any]:
    from requests import Request as Requested

    prepared = Requested(**case.as_transport_kwargs(base_url="http://localhost")).prepare()
    target, body = prepared.path_url, prepared.body
    if known is not None:
        target = _ID.sub(known, target)
    if value is not None:
        # In place of each value of the query string.
        escaped = "".join(f"%{byte:02x}" for byte in value.encode("utf-8", "surrogatepass"))
        target = _VALUE.sub(escaped, target)
    text = (body if isinstance(body, bytes) else str(body or "").encode()).decode("latin-1")
    if text and edits:
        text = edited(text, edits).encode("utf-8", "surrogatepass").decode("latin-1")
    headers = [
        [name, text_]
        for name, text_ in prepared.headers.items()
        if name.lower() in ("content-type", "accept") and isinstance(text_, str)
    ]
    return {
        "as": caller,
        "method": prepared.method,
        "target": target,
        "headers": headers,
        "body": text,
    }
