"""Running a job again as a new one, with its input edited and checked by the job's model."""

import json
import math
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from modhost import new_id
from modhost.audit import AuditLog, recorded
from modhost.caller import current_caller
from modhost.failures import describe
from modhost_background_jobs.client.call_flow import call_flow
from modhost_background_jobs.client.limits import bounded
from modhost_background_jobs.contracts import InvalidJobData, JobId, JobNotFound
from modhost_background_jobs.model import Flow, JobRow, JobTypes, NewJob, UniqueKey
from modhost_background_jobs.model.data.declared_secrets import with_secrets_of
from modhost_background_jobs.model.data.job_data import edited, for_job
from modhost_background_jobs.model.data.masking import without_secrets
from modhost_background_jobs.model.data.read_back import read_as
from modhost_background_jobs.model.data.summaries import summary_of
from modhost_background_jobs.options import BackgroundJobsOptions
from modhost_background_jobs.queries.details import JobDetailReader
from modhost_background_jobs.queue.job_queue import DatabaseJobQueue
from modhost_background_jobs.storage import QueueClock

_JSON_FAULTS: Final = {
    "Expecting property name": "a name in double quotes is expected there",
    "Expecting value": "a value is expected there",
    "Expecting ',' delimiter": "a comma or the end is expected there",
    "Expecting ':' delimiter": "a colon is expected there",
    "Illegal trailing comma": "the comma before the end is one too many",
    "Unterminated string": "the text that begins there has no end",
    "Invalid control character": "a line break or a tab in a text is written \\n or \\t",
    "Invalid \\": "a backslash in a text is written \\\\",
    "Extra data": "unexpected text after the JSON",
}
_FIELD_FAULTS: Final = {
    "missing": "is missing",
    "extra_forbidden": "is not a field of this job",
    "int_type": "has to be a whole number",
    "int_parsing": "has to be a whole number",
    "int_from_float": "has to be a whole number",
    "float_type": "has to be a number",
    "float_parsing": "has to be a number",
    "bool_type": "has to be true or false",
    "bool_parsing": "has to be true or false",
    "string_type": "has to be a text in double quotes",
    "list_type": "has to be a list",
    "dict_type": "has to be an object",
    "model_type": "has to be an object",
    "dataclass_type": "has to be an object",
}


class UnreadableInput(InvalidJobData):
    """Input that the job could not read; `problems` are sentences, without what was given."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(" ".join(problems))
        self.problems = problems


def read_edited(text: str, before: str | None, model: Any = None) -> str | None:
    """Return the JSON to store for an edited text; None for an empty one.

    What was a secret stays one. With a model, the job must be able to read it, and what the model
    declares to be secret becomes one. Raises `UnreadableInput`.
    """
    value = read_json(text) if text.strip() else None
    stored = None
    if value is not None:
        stored = json.dumps(edited(value, before), ensure_ascii=False, separators=(",", ":"))
    if model is not None:
        _check(stored, model)
        stored = None if stored is None else with_secrets_of(model, stored)
    return stored


def read_json(text: str) -> Any:
    """Return the value of a JSON text that a person typed. Raises `UnreadableInput`."""
    try:
        value = json.loads(
            text,
            parse_constant=_refuse,
            parse_float=_finite,
            object_pairs_hook=_with_each_key_once,
        )
        # An unpaired surrogate is valid JSON, and cannot be stored.
        json.dumps(value, ensure_ascii=False).encode()
    except UnreadableInput:
        raise
    except json.JSONDecodeError as error:
        known = (words for start, words in _JSON_FAULTS.items() if error.msg.startswith(start))
        fault = next(known, "it cannot be read from there on")
        place = f"line {error.lineno}, column {error.colno}"
        raise UnreadableInput([f"The input is not JSON: {place}: {fault}."]) from error
    except RecursionError as error:
        raise UnreadableInput(["The input is nested too deeply."]) from error
    except UnicodeEncodeError as error:
        raise UnreadableInput(["A text of the input contains an unpaired surrogate."]) from error
    except ValueError as error:
        raise UnreadableInput(["A number of the input has thousands of digits."]) from error
    return value


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise UnreadableInput([f"The number {text[:40]} of the input is too large."])
    return value


def _with_each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        name = next(name for name in counts if counts[name] > 1)
        raise UnreadableInput([f"The input has the key {name!r} twice; keep one."])
    return found


def _refuse(name: str) -> None:
    raise UnreadableInput([f"The input is not JSON: it has no {name}."])


def _check(stored: str | None, model: Any) -> None:
    try:
        read_as(model, "null" if stored is None else for_job(stored))
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)
        raise UnreadableInput([_sentence(each, stored) for each in found]) from None
    except Exception as error:  # noqa: BLE001 - a validator of the job's own
        why = without_secrets(describe(error), stored)
        raise UnreadableInput([f"The job cannot read the input: {why}."]) from None


def _sentence(error: ErrorDetails, stored: str | None) -> str:
    # The job's own validators say what they like, and see secrets whose mask was left.
    name = without_secrets(".".join(map(str, error["loc"])), stored)
    fault = _FIELD_FAULTS.get(error["type"])
    if fault is None:
        message = without_secrets(error["msg"], stored)
        fault = f"is wrong: {message[:1].lower()}{message[1:]}"
    return f"{name or 'The input'} {fault}."


class Rerunning:
    """Makes new jobs after the model of old ones."""

    def __init__(
        self,
        details: JobDetailReader,
        queue: DatabaseJobQueue,
        types: JobTypes,
        options: BackgroundJobsOptions,
        audit: AuditLog,
        clock: QueueClock,
    ) -> None:
        self._max_data_size = options.max_data_size
        self._details = details
        self._queue = queue
        self._types = types
        self._audit = audit
        self._clock = clock

    async def run_again(self, job_id: UUID, data: str) -> JobId:
        """Enqueue a job of the same type with other data (JSON text; empty for none).

        A secret whose mask was left as it is keeps its value. Returns the id of the new job, or of
        the one that has its unique key. Raises `JobNotFound`, and `UnreadableInput` for data that
        the job could not read.
        """
        refusals = (JobNotFound, UnreadableInput)
        async with recorded(self._audit, "jobs.run_again", f"job:{job_id}", *refusals) as entry:
            (enqueued,) = await self._queue.enqueue([await self._copy(job_id, data)])
            entry.detail = f"as job:{enqueued}"
        return JobId(enqueued)

    async def _copy(self, job_id: UUID, data: str) -> NewJob:
        found = await self._details.find(job_id, lines=0)
        if found is None:
            raise JobNotFound(job_id)
        row, now = found.row, self._clock.now()
        edited = read_edited(data, found.data, self._types.model_of(row.job_type))
        try:
            edited = bounded(edited, self._max_data_size)
            flow = self._flow_of(row, edited)
        except InvalidJobData as error:
            raise UnreadableInput([without_secrets(str(error), edited)]) from error
        known = self._types.current(row.job_type)
        return NewJob(
            id=new_id(),
            job_type=row.job_type,
            module_name=row.module_name,
            module_version=self._types.version_of(row.job_type),
            data=edited,
            created_at=now,
            execute_at=now,
            due_at=row.due_at,
            max_attempts=row.max_attempts,
            timeout_seconds=row.timeout_seconds,
            enqueued_by=(await current_caller()).person,
            summary=summary_of(known.job_class, None, edited) if known else None,
            flow=flow,
        )

    def _flow_of(self, row: JobRow, data: str | None) -> Flow:
        """Return the flow control of a job with other data; of an unknown type, as it is stored."""
        registered = self._types.current(row.job_type)
        if registered is None:
            return Flow(
                queue=row.queue,
                priority=row.priority,
                tags=row.tags,
                limits=row.limits,
                unique=UniqueKey.of(row.unique_key),
                fair_key=row.fair_key,
            )
        return call_flow(registered, row.queue, row.priority, row.tags).of(None, data)
