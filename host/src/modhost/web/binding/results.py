"""The results of handlers, sent as JSON."""

import typing
from collections import deque
from collections.abc import Awaitable, Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter
from pydantic_core import to_json
from starlette.responses import Response

from modhost.calls.returned import function_of
from modhost.web.binding.parameters import Handler, adapter_for, hints_of, union_members

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Reply(Generic[T]):
    """A result with another status than the endpoint's own, or with headers."""

    content: T
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class ResultPlan:
    """Turns a handler's results into responses; `adapter` is None when there is no JSON.

    `is_sent_as_it_is` says whether the handler returns responses of its own.
    """

    def __init__(self, adapter: TypeAdapter[Any] | None, *, is_sent_as_it_is: bool = False) -> None:
        self.adapter = adapter
        self.is_sent_as_it_is = is_sent_as_it_is

    def response(self, result: object, status: int) -> Response:
        """Return the response; a result of None has the status 204 and no body."""
        if isinstance(result, Response):
            return result
        reply = result if isinstance(result, Reply) else Reply(result)
        if reply.content is None:
            return Response(status_code=reply.status or 204, headers=reply.headers)
        body = encode(self.adapter or TypeAdapter(Any), reply.content)
        return Response(body, reply.status or status, reply.headers, "application/json")


def plan_result(handler: Handler) -> ResultPlan:
    """Plan the result of a handler by its return annotation. Raises `UnusableType`."""
    function = function_of(handler)
    return _plan_of(getattr(function, "__func__", function))


# Once for all hosts of a process, whichever object a method is bound to.
@lru_cache(maxsize=1024)
def _plan_of(function: Handler) -> ResultPlan:
    annotation = hints_of(function).get("return", Any)
    content = _content_of(annotation)
    adapter = None if content is None else adapter_for(content, "serialization")
    return ResultPlan(adapter, is_sent_as_it_is=_is_response(annotation))


def _content_of(annotation: object) -> object:
    """Return the type that is sent as JSON, None when there is none."""
    members = union_members(annotation)
    if members is not None:
        sent = [each for member in members if (each := _content_of(member)) is not None]
        return typing.Union[tuple(sent)] if sent else None  # noqa: UP007
    if typing.get_origin(annotation) in (Reply, Awaitable, Coroutine):
        return _content_of(typing.get_args(annotation)[-1])
    return None if annotation is type(None) or _is_response(annotation) else annotation


def _is_response(annotation: object) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, Response)


def encode(adapter: TypeAdapter[Any], value: object) -> bytes:
    """Return the value as JSON, with every datetime in UTC and with `Z` (RFC 3339).

    A number that JSON lacks, such as NaN, is null.

    Raises:
        ValueError: for a datetime without a time zone, which names no moment.

    """
    plain = adapter.dump_python(value, mode="json", by_alias=True)
    with_times = _with_utc_times(plain, adapter.dump_python(value, by_alias=True))
    return to_json(with_times, inf_nan_mode="null")


def _with_utc_times(plain: object, original: object) -> object:
    """Walk the JSON tree beside the Python tree, which distinguishes datetimes from text."""
    if isinstance(original, datetime):
        if not isinstance(plain, str):
            return plain
        if original.tzinfo is None:
            msg = f"{original!r} has no time zone and cannot be sent; use aware datetimes in UTC."
            raise ValueError(msg)
        return original.astimezone(UTC).isoformat().removesuffix("+00:00") + "Z"
    if isinstance(plain, dict) and isinstance(original, dict):
        return {
            key if type(first) is str else _with_utc_times(key, first): _with_utc_times(value, each)
            for (key, value), (first, each) in zip(plain.items(), original.items(), strict=False)
        }
    if isinstance(plain, list) and isinstance(original, list | tuple | deque):
        return [_with_utc_times(*pair) for pair in zip(plain, original, strict=False)]
    if isinstance(plain, list) and isinstance(original, set | frozenset):
        # A copy of a set may have another order.
        members = {to_json(each, serialize_unknown=True): each for each in original}
        return [_with_utc_times(each, members.get(to_json(each))) for each in plain]
    return plain
