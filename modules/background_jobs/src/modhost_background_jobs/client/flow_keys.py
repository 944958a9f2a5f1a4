"""Keys of flow control: the values of fields of a job's data, as texts that others share."""

import dataclasses
import json
from collections.abc import Iterable, Mapping, Set
from hashlib import sha256
from typing import Any, Final, NamedTuple

from pydantic import BaseModel, RootModel, TypeAdapter, ValidationError
from pydantic_core import to_jsonable_python

from modhost.configuration import is_secret_name
from modhost_background_jobs.contracts import InvalidJobData, ModuleJob
from modhost_background_jobs.contracts.flow import Per
from modhost_background_jobs.model.data.differences import SECRET_TYPES, is_list, is_model, json_key
from modhost_background_jobs.model.data.job_data import for_job, to_stored
from modhost_background_jobs.model.data.read_back import read_as
from modhost_background_jobs.model.data.secret_json import KEY, is_marked

MAX_KEY: Final = 200
"""How many characters of a key are kept as they are."""


class _Value(NamedTuple):
    """The value of a field, as JSON has it, and whether it is secret."""

    value: Any
    is_secret: bool


class DataKeys:
    """Keys of the data of one job.

    Args:
        job: the class of the job.
        data: what was given; None where only the JSON is known.
        stored: the JSON of it.

    """

    def __init__(self, job: type[ModuleJob], data: Any, stored: str | None) -> None:
        self._job = job
        self._stored = stored
        self._data = _read(job, data, stored)

    def key(self, per: Per, what: str) -> str:
        """Return the values of fields as a text; a digest of long, secret or unprintable ones.

        `what` is the attribute of the class that counts per these fields. Raises `InvalidJobData`
        for data that lack one of them.
        """
        if per is None:
            return ""
        found = self._find(per, what)
        values = [each.value for each in found]
        first = values[0] if isinstance(per, str) else values
        text = first if isinstance(first, str) else _json(first)
        if len(text) > MAX_KEY or not text.isprintable() or any(each.is_secret for each in found):
            return f"sha256:{sha256(_json(values).encode()).hexdigest()}"
        return text

    def digest(self, job_type: str, per: Per) -> str:
        """Return a digest of a type and of these fields, or of all data.

        Raises `InvalidJobData` for data that lack one of them.
        """
        if per is None:
            is_read = not isinstance(self._data, _Json)
            values = _as_json(self._data)[0] if is_read else json.loads(self._stored or "null")
        else:
            values = [each.value for each in self._find(per, "unique")]
        return sha256(_json([job_type, per, values]).encode()).hexdigest()

    def _find(self, per: str | tuple[str, ...], what: str) -> list[_Value]:
        names = (per,) if isinstance(per, str) else per
        try:
            return [_value_of(self._data, name) for name in names]
        except KeyError as error:
            msg = (
                f"The data of {self._job.__name__} have no field {error.args[0]!r}, and its {what} "
            )
            msg += f"is per {per!r}: give the field, or change the {what} of the class."
            raise InvalidJobData(msg) from None


def _read(job: type[ModuleJob], data: Any, stored: str | None) -> Any:
    """Return the data as the job will read them."""
    model = job.data_model
    if model is None or type(data) is model:
        return data if is_model(data) or _has_sets(data) else _Json(stored)
    try:
        return read_as(model, "null" if stored is None else for_job(stored))
    except ValidationError:
        # Such a job fails when it reads them; until then it counts for what is written there.
        return _Json(stored)


class _Json(NamedTuple):
    """Data of which only the JSON is known."""

    stored: str | None


def _value_of(data: Any, name: str) -> _Value:
    """Return the value of a field, dotted for a nested one. Raises `KeyError` with its name."""
    is_json = isinstance(data, _Json)
    value = json.loads(data.stored or "null") if is_json else data
    is_secret = False
    for step in name.split("."):
        value, is_hidden = _step(value, step, name, is_json=is_json)
        is_secret = is_secret or is_hidden or is_secret_name(step)
    if type(value) in (str, int, bool):
        return _Value(value, is_secret)
    if is_json:
        stored = _json(value)
        return _Value(json.loads(for_job(stored)), is_secret or KEY in stored)
    value, is_hidden = _as_json(value)
    return _Value(value, is_secret or is_hidden)


def _as_json(value: Any) -> _Value:
    """Return a value as JSON with its secrets, and whether it has any; sets in one order."""
    stored = to_stored(value) or "null"
    found = _ordered(value) if _has_sets(value) else json.loads(for_job(stored))
    return _Value(found, KEY in stored)


def _has_sets(value: Any) -> bool:
    return isinstance(value, Set) or any(map(_has_sets, _within(value)))


def _within(value: Any) -> Iterable[Any]:
    if isinstance(value, BaseModel):
        return [each for _, each in value]
    if is_model(value):
        return [getattr(value, each.name) for each in dataclasses.fields(value)]
    if isinstance(value, Mapping):
        return value.values()
    return value if is_list(value) else ()


def _ordered(value: Any) -> Any:
    """Return a value as JSON whose sets have one order in all processes."""
    if is_model(value):
        kind: Any = type(value)
        return _ordered(TypeAdapter(kind).dump_python(value))
    if isinstance(value, SECRET_TYPES):
        return _ordered(value.get_secret_value())
    if isinstance(value, Mapping):
        return {json_key(key): _ordered(each) for key, each in value.items()}
    if isinstance(value, Set):
        return sorted(map(_ordered, value), key=_json)
    return list(map(_ordered, value)) if is_list(value) else to_jsonable_python(value)


def _step(value: Any, step: str, name: str, *, is_json: bool) -> tuple[Any, bool]:
    """Return the value of a field, and whether it is secret. Raises `KeyError`."""
    is_secret = False
    if is_json and isinstance(value, dict) and value.keys() == {KEY}:
        value, is_secret = value[KEY], True
    if isinstance(value, SECRET_TYPES):
        value, is_secret = value.get_secret_value(), True
    if isinstance(value, RootModel):
        value = value.root
    if isinstance(value, BaseModel):
        kind = type(value)
        if field := kind.model_fields.get(step):
            return getattr(value, step), is_secret or is_marked(field)
        if step in kind.model_computed_fields or step in (value.model_extra or ()):
            return getattr(value, step), is_secret
    elif dataclasses.is_dataclass(value):
        if any(each.name == step for each in dataclasses.fields(value)):
            return getattr(value, step), is_secret
    elif isinstance(value, Mapping) and step in value:
        return value[step], is_secret
    raise KeyError(name)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
