"""Whether the data of a job have the fields that its flow control is per."""

import dataclasses
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from types import UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from pydantic import BaseModel, RootModel
from typing_extensions import is_typeddict

from modhost.checks import Rule
from modhost_background_jobs.contracts.flow import Per, declared_limits
from modhost_background_jobs.contracts.job_checks.problem import Problem

UNKNOWN_FIELD: Final = Rule("MH613", "Flow control is per a field that the data lack")

_WITHOUT_FIELDS: Final = (str, bytes, int, float, bool, Decimal, UUID, date, datetime, timedelta)


def unknown_fields(job: Any) -> Iterator[Problem]:
    """Yield the fields that flow control of a class names and its `data_model` lacks."""
    if job.data_model is None:
        return
    owner = f"{job.__module__}.{job.__qualname__}"
    for attribute, per in _named(job):
        for name in (per,) if isinstance(per, str) else per or ():
            if _lacks(job.data_model, name):
                detail = f"the {attribute} of {owner} is per {name!r}, which its data_model lacks."
                remedy = "Name a field of the data_model, dotted for one within another."
                yield Problem(UNKNOWN_FIELD, detail, remedy)


def _named(job: Any) -> Iterator[tuple[str, Per]]:
    for limit in declared_limits(job):
        yield type(limit).__name__.lower(), limit.per
    for attribute in ("unique", "fair"):
        if (value := getattr(job, attribute)) is not None:
            yield attribute, value.per


def _lacks(model: Any, name: str) -> bool:
    """Return whether a type certainly lacks a field; many types do not say which they have."""
    for step in name.split("."):
        fields = _fields(model)
        if fields is None:
            return False
        if step not in fields:
            return True
        model = fields[step]
    return False


def _fields(kind: Any) -> Mapping[str, Any] | None:
    """Return the types of the fields of a type; None where nobody can know them."""
    if get_origin(kind) is Annotated:
        return _fields(get_args(kind)[0])
    if get_origin(kind) in (Union, UnionType):
        inner = [each for each in get_args(kind) if each is not type(None)]
        return _fields(inner[0]) if len(inner) == 1 else None
    if not isinstance(kind, type):
        return None
    if issubclass(kind, RootModel):
        return _fields(kind.model_fields["root"].annotation)
    if issubclass(kind, BaseModel):
        if kind.model_config.get("extra") == "allow":
            return None
        computed = dict.fromkeys(kind.model_computed_fields, Any)
        return computed | {name: each.annotation for name, each in kind.model_fields.items()}
    if dataclasses.is_dataclass(kind) or is_typeddict(kind):
        try:
            return get_type_hints(kind)
        except (NameError, TypeError):
            return None
    return {} if kind in _WITHOUT_FIELDS else None
