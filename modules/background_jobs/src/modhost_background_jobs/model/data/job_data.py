"""A job's data as it is stored, as the job gets it, and as people see it: secrets masked."""

import json
from collections.abc import Callable
from types import UnionType
from typing import Any, Final, Union, get_args, get_origin
from urllib.parse import quote, quote_plus

from pydantic_core import PydanticSerializationError, from_json, to_json

from modhost.database import UnreadableValue
from modhost_background_jobs.contracts import InvalidJobData
from modhost_background_jobs.model.data.declared_secrets import with_secrets_of
from modhost_background_jobs.model.data.read_back import is_plain, loss_in
from modhost_background_jobs.model.data.secret_json import (
    KEY,
    escaped,
    find_secrets,
    masked,
    may_have_secrets,
    restored,
    revealed,
    secret_texts,
    with_secrets,
)

_MARK: Final = b'$secret"'
# Whether fields are written by their aliases, and so that they can be read again: Json as text,
# computed fields not at all. The first is what people expect to see.
_WAYS: Final = ((True, False), (True, True), (False, False), (False, True))
_SHORTEST_REDACTED: Final = 4
_READABLE: Final = 200
"""Bytes of JSON that are too few to nest too deeply, or for a number that is too long."""


class _Unreadable(Exception):
    """JSON beyond what is read: nested too deeply, or with a number that is too long."""


def to_stored(data: Any, model: Any = None, write: Callable[..., bytes] = to_json) -> str | None:
    """Return the JSON to store, as which the job gets the data as they were given.

    Args:
        data: what the job is to get.
        model: the type that the job reads; None for that of the data.
        write: makes JSON of the data.

    Raises:
        InvalidJobData: for what is not JSON, or would be read otherwise.

    """
    if data is None:
        return None
    kind = type(data).__name__
    try:
        stored = _written(data, write, *_WAYS[0])
        if not _is_read_as_given(data, model):
            return with_secrets_of(model, stored)
        loss = loss_in(data, for_job(stored))
        for way in _WAYS[1:] if loss else ():
            other = _written(data, write, *way)
            if loss_in(data, for_job(other)) is None:
                return other
    except (PydanticSerializationError, UnicodeError) as error:
        msg = f"The data of type {kind} cannot be stored as JSON: {error}"
        raise InvalidJobData(msg) from error
    except _Unreadable as error:
        msg = f"The data of type {kind} could not be read again: {error.__cause__}. Nest them less "
        msg += "deeply, and give numbers of thousands of digits as texts."
        raise InvalidJobData(msg) from None
    if loss:
        msg = f"The data of type {kind} would not reach the job as they are: {loss}. Let the model "
        msg += "read what it writes."
        raise InvalidJobData(msg)
    return stored


def _is_read_as_given(data: Any, model: Any) -> bool:
    """Return whether a job reads the data as their own type."""
    if model is None or (get_origin(model) or model) is type(data):
        return True
    is_union = get_origin(model) in (Union, UnionType)
    return is_union and any(_is_read_as_given(data, each) for each in get_args(model))


def _written(
    data: Any,
    write: Callable[..., bytes],
    by_alias: bool,  # noqa: FBT001 - a way
    round_trip: bool,  # noqa: FBT001
) -> str:
    text = write(data, by_alias=by_alias, round_trip=round_trip)
    if b"NaN" in text or b"Infinity" in text:
        json.loads(text, parse_constant=_refuse_number)
    if len(text) > _READABLE:
        try:
            from_json(text)
        except ValueError as error:
            raise _Unreadable from error
    kind: Any = type(data)
    secrets = [] if is_plain(kind) else list(find_secrets(data, (), by_alias=by_alias))
    is_ordinary = not secrets and _MARK not in text
    stored = text.decode() if is_ordinary else with_secrets(escaped(from_json(text)), secrets)
    stored.encode()
    return stored


def _refuse_number(name: str) -> None:
    msg = f"The data have the number {name}, which JSON lacks; give None or a text instead."
    raise InvalidJobData(msg)


def for_job(stored: str) -> str:
    """Return the JSON with the real values."""
    return stored if KEY not in stored else json.dumps(revealed(_read(stored)))


def for_people(stored: str | None) -> Any:
    """Return the value that the JSON stands for, with each secret masked."""
    return None if stored is None else masked(_read(stored))


def json_for_people(stored: str | None) -> str | None:
    """Return JSON as people see it, indented, with each secret masked."""
    if stored is None:
        return None
    return json.dumps(for_people(stored), indent=2, ensure_ascii=False)


def edited(value: Any, stored: str | None) -> Any:
    """Return data that somebody has edited, to be stored.

    What was a secret stays one, and where the mask was left it keeps its value.
    """
    ordinary = escaped(value)
    if stored is None or not may_have_secrets(stored):
        return ordinary
    return restored(ordinary, json.loads(stored))


def secrets_in(stored: str | None) -> tuple[str, ...]:
    """Return the secret texts that are long enough to be distinct from other words, longest first.

    Each is there as programs write it: plain, line by line, quoted in Python and in JSON, and in a
    URL.
    """
    if stored is None or not may_have_secrets(stored):
        return ()
    written = {each for text in secret_texts(json.loads(stored)) for each in spellings(text)}
    texts = {text for text in written if len(text) >= _SHORTEST_REDACTED}
    return tuple(sorted(texts, key=len, reverse=True))


def _read(stored: str) -> Any:
    try:
        return json.loads(stored)
    except ValueError:
        msg = "it holds a text that is not JSON where the data of a job should be."
        raise UnreadableValue(msg) from None


def spellings(text: str) -> tuple[str, ...]:
    """Return a text as programs write it, so that it is known wherever it stands."""
    as_json = (json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1])
    in_python = (repr(text)[1:-1], repr(text.encode(errors="replace"))[2:-1])
    quoted = (quote(text, safe=safe, errors="replace") for safe in ("/", ""))
    # The traceback of a group of errors indents each line.
    lines = text.splitlines() if "\n" in text else ()
    return (text, *lines, *in_python, *as_json, *quoted, quote_plus(text, errors="replace"))
