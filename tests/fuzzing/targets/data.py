"""Job data: through the form that runs a job again with other input, and through the contract."""

import json
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode

from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_jsonable_python

from fuzzing.attacked import AttackedHost
from fuzzing.exchange import Fault, Request
from fuzzing.inputs.kinds import EXAMPLES, JOBS
from fuzzing.inputs.texts import texts, varied
from fuzzing.targets.cookies import FORM
from modhost import Scope
from modhost_background_jobs.contracts import BackgroundJobs, BackgroundJobsError

FIELDS: Final = sorted(
    {name for texts_ in EXAMPLES.values() for text in texts_ for name in text.split('"')[1::2]}
)


def _json_texts() -> st.SearchStrategy[str]:
    leaf = st.one_of(
        *(st.none(), st.booleans(), st.integers(), st.floats(), st.text(st.characters())),
        st.sampled_from([0.1, -0.0, 1e308, 2**53 + 1, 10**400, "\0", "$secret", "1", "P1D"]),
        texts(),
    )
    names = st.one_of(st.sampled_from(FIELDS), texts())
    values = st.recursive(
        leaf,
        lambda below: st.one_of(
            st.lists(below, max_size=4), st.dictionaries(names, below, max_size=5)
        ),
        max_leaves=12,
    )
    return values.map(json.dumps)


@dataclass
class Data:
    """Each input is a JSON text, or nearly one, for a job type."""

    host: AttackedHost
    name: str = "data"
    _models: dict[str, str] = field(default_factory=dict)

    @property
    def inputs(self) -> st.SearchStrategy[Any]:
        known = [text for each in EXAMPLES.values() for text in each]
        anything = st.one_of(_json_texts(), varied(known), texts(*known))
        kind = st.sampled_from(sorted(JOBS))
        usual = kind.flatmap(
            lambda each: st.fixed_dictionaries(
                {
                    "kind": st.just(each),
                    "text": st.one_of(st.sampled_from(EXAMPLES[each]), varied(EXAMPLES[each])),
                    "by": st.sampled_from(("form", "contract", "model")),
                }
            )
        )
        odd = st.fixed_dictionaries(
            {"kind": kind, "text": anything, "by": st.sampled_from(("form", "contract", "model"))}
        )
        return st.one_of(usual, odd)

    def attack(self, given: Any) -> str:
        kind, text = given["kind"], given["text"]
        if given["by"] == "form":
            return self._by_form(kind, text)
        try:
            value = json.loads(text)
            if given["by"] == "model":
                value = TypeAdapter(JOBS[kind].data_model).validate_json(text)
        except (ValueError, ValidationError, RecursionError):
            return "not data"
        with self.host.logged.refused():
            try:
                job_id = self.host.run(_enqueued, kind, value)
            except BackgroundJobsError as error:
                return type(error).__name__
        return self._ended(str(job_id), kind, is_valid=given["by"] == "model")

    def _by_form(self, kind: str, text: str) -> str:
        if kind not in self._models:
            self._models[kind] = str(self.host.run(_model_job, kind))
        body = urlencode({"data": text.encode("utf-8", "surrogatepass")})
        path = f"/admin/jobs/{self._models[kind]}/run-again"
        answer = self.host.attack(Request("POST", path, (FORM,), body, "admin"))
        if answer.status != 303:
            return f"form {answer.status}"
        job_id = answer.header("location").rpartition("/")[2].partition("?")[0]
        return self._ended(job_id, kind, is_valid=True)

    def _ended(self, job_id: str, kind: str, *, is_valid: bool) -> str:
        job = self.host.end_of(job_id)
        if job.error and is_valid:
            raise Fault(f"the job of type {kind} ends with {job.error}")
        for path in (f"/api/jobs/{job_id}", f"/admin/jobs/{job_id}"):
            answer = self.host.attack(Request("GET", path, caller="viewer"))
            if answer.status != 200:
                raise Fault(f"{path} is answered with {answer.status}")
        if "Traceback" in (job.error or ""):
            raise Fault(f"the error of the job is {job.error}")
        return f"job {job.state.value}"


async def _enqueued(scope: Scope, kind: str, value: Any) -> Any:
    return await (await scope.get(BackgroundJobs)).enqueue(JOBS[kind], value)


async def _model_job(scope: Scope, kind: str) -> Any:
    """Enqueue a job of a type that is run again with other data."""
    valid = next(
        value
        for text in EXAMPLES[kind]
        if (value := _read(kind, text)) is not None and to_jsonable_python(value) is not None
    )
    return await (await scope.get(BackgroundJobs)).enqueue(JOBS[kind], valid)


def _read(kind: str, text: str) -> Any:
    try:
        return TypeAdapter(JOBS[kind].data_model).validate_json(text)
    except ValidationError:
        return None
