"""A job's data as it is stored, as the job gets it, and as people see it: secrets masked.

A secret is stored as `{"$secret": value}`, so that whoever reads the data knows it for one without
knowing the job's class.
"""

import dataclasses
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias
from urllib.parse import quote, quote_plus

from pydantic import BaseModel, RootModel
from pydantic.fields import FieldInfo
from pydantic.types import Secret, SecretBytes, SecretStr
from pydantic_core import PydanticSerializationError, from_json, to_json, to_jsonable_python

from modhost.database import UnreadableValue
from modhost_background_jobs.contracts import InvalidJobData

MASK: Final = "***"
_KEY: Final = "$secret"
_SHORTEST_REDACTED: Final = 4

_Path: TypeAlias = tuple[str | int, ...]
_SECRET_TYPES: Final = (SecretStr, SecretBytes, Secret)
_AS_IT_IS: Final = object()


def to_stored(data: Any) -> str | None:
    """Return the JSON to store. Raises `InvalidJobData`."""
    if data is None:
        return None
    try:
        text = to_json(data)
        secrets = list(_secrets(data, ()))
        stored = text.decode() if not secrets else _wrapped(from_json(text), secrets)
        stored.encode()
    except (PydanticSerializationError, UnicodeEncodeError) as error:
        msg = f"The data of type {type(data).__name__} cannot be stored as JSON: {error}"
        raise InvalidJobData(msg) from error
    return stored


def for_job(stored: str) -> str:
    """Return the JSON with the real values."""
    return stored if _KEY not in stored else json.dumps(_replaced(_read(stored), mask=False))


def for_people(stored: str | None) -> Any:
    """Return the value that the JSON stands for, with each secret masked."""
    return None if stored is None else _replaced(_read(stored), mask=True)


def edited(value: Any, stored: str | None) -> Any:
    """Return data that somebody has edited, to be stored.

    What was a secret stays one, and where the mask was left it keeps its value.
    """
    return value if stored is None or _KEY not in stored else _restored(value, json.loads(stored))


def secrets_in(stored: str | None) -> tuple[str, ...]:
    """Return the secret texts that are long enough to be distinct from other words, longest first.

    Each is there as programs write it: plain, line by line, quoted in Python and in JSON, and in a
    URL.
    """
    if stored is None or _KEY not in stored:
        return ()
    written = {each for text in _texts(json.loads(stored)) for each in _spellings(text)}
    texts = {text for text in written if len(text) >= _SHORTEST_REDACTED}
    return tuple(sorted(texts, key=len, reverse=True))


def _read(stored: str) -> Any:
    try:
        return json.loads(stored)
    except ValueError:
        msg = "it holds a text that is not JSON where the data of a job should be."
        raise UnreadableValue(msg) from None


def _spellings(text: str) -> tuple[str, ...]:
    as_json = (json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1])
    in_python = (repr(text)[1:-1], repr(text.encode(errors="replace"))[2:-1])
    quoted = (quote(text, safe=safe, errors="replace") for safe in ("/", ""))
    # The traceback of a group of errors indents each line.
    lines = text.splitlines() if "\n" in text else ()
    return (text, *lines, *in_python, *as_json, *quoted, quote_plus(text, errors="replace"))


def _secrets(value: Any, path: _Path) -> Iterator[tuple[_Path, Any]]:
    """Find the secrets of a value, with their places in its JSON."""
    if isinstance(value, _SECRET_TYPES):
        yield path, value.get_secret_value()
    elif isinstance(value, RootModel):
        yield from _secrets(value.root, path)
    elif isinstance(value, BaseModel):
        for name, field in type(value).model_fields.items():
            place = (*path, field.serialization_alias or field.alias or name)
            if _is_marked(field):
                yield place, _AS_IT_IS
            else:
                yield from _secrets(getattr(value, name), place)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for each in dataclasses.fields(value):
            yield from _secrets(getattr(value, each.name), (*path, each.name))
    elif isinstance(value, Mapping):
        for key, below in value.items():
            yield from _secrets(below, (*path, _json_key(key)))
    elif isinstance(value, Sequence | set | frozenset) and not isinstance(value, str | bytes):
        for number, below in enumerate(value):
            yield from _secrets(below, (*path, number))


def _is_marked(field: FieldInfo) -> bool:
    extra = field.json_schema_extra
    return isinstance(extra, dict) and extra.get("secret") is True


def _json_key(key: Any) -> str:
    return key if type(key) is str else next(iter(to_jsonable_python({key: None})))


def _wrapped(plain: Any, secrets: Sequence[tuple[_Path, Any]]) -> str:
    whole = {"data": plain}
    for path, secret in secrets:
        *above, last = ("data", *path)
        place: Any = whole
        try:
            for step in above:
                place = place[step]
            shown = place[last]
        except KeyError:
            continue  # left out of the JSON by its model
        except (TypeError, IndexError):
            where = ".".join(map(str, path))
            msg = f"The secret {where} is not where it should be in the JSON of the data; let its "
            msg += "model be serialised by its fields."
            raise InvalidJobData(msg) from None
        value = shown if secret is _AS_IT_IS else to_jsonable_python(secret)
        place[last] = {_KEY: value}
    return json.dumps(whole["data"], ensure_ascii=False, separators=(",", ":"))


def _is_wrapped(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == {_KEY}


def _replaced(value: Any, *, mask: bool) -> Any:
    if _is_wrapped(value):
        return MASK if mask else value[_KEY]
    if isinstance(value, dict):
        return {key: _replaced(below, mask=mask) for key, below in value.items()}
    if isinstance(value, list):
        return [_replaced(below, mask=mask) for below in value]
    return value


def _restored(value: Any, before: Any) -> Any:
    if _is_wrapped(before):
        return before if value == MASK else {_KEY: value}
    if isinstance(value, dict) and isinstance(before, dict):
        return {key: _restored(below, before.get(key)) for key, below in value.items()}
    if isinstance(value, list) and isinstance(before, list):
        older = [*before, *[None] * len(value)]
        return [_restored(*pair) for pair in zip(value, older, strict=False)]
    return value


def _texts(value: Any) -> Iterator[str]:
    if _is_wrapped(value):
        yield from _leaves(value[_KEY])
    elif isinstance(value, dict | list):
        for below in value.values() if isinstance(value, dict) else value:
            yield from _texts(below)


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield str(value)
    elif isinstance(value, dict | list):
        for below in value.values() if isinstance(value, dict) else value:
            yield from _leaves(below)
