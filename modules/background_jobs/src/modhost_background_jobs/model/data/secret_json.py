"""Secrets in the JSON of a job's data: marked where they are, and found again.

A secret is stored as `{"$secret": value}`, so that whoever reads the data knows it for one without
knowing the job's class. A key of ordinary data that resembles it gets one more dollar. Texts under
a name like `password` or `api_key` are secrets too, whatever their type.
"""

import dataclasses
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel, RootModel
from pydantic.fields import FieldInfo
from pydantic_core import to_jsonable_python

from modhost.configuration import is_secret_name
from modhost_background_jobs.contracts import InvalidJobData
from modhost_background_jobs.model.data.differences import SECRET_TYPES, Place, json_key

MASK: Final = "***"
KEY: Final = "$secret"
_RESEMBLING: Final = re.compile(r"\$+secret")
_NAME: Final = re.compile(r'"([^"\\]{1,200})":')
_AS_IT_IS: Final = object()


def find_secrets(value: Any, path: Place, *, by_alias: bool) -> Iterator[tuple[Place, Any]]:
    """Find the secrets of a value, with their places in its JSON."""
    if isinstance(value, SECRET_TYPES):
        yield path, value.get_secret_value()
        return
    below: Iterable[tuple[str | int, Any]] = ()
    if isinstance(value, RootModel):
        yield from find_secrets(value.root, path, by_alias=by_alias)
    elif isinstance(value, BaseModel):
        for name, field in type(value).model_fields.items():
            alias = field.serialization_alias or field.alias if by_alias else None
            place = (*path, alias or name)
            if is_marked(field):
                yield place, _AS_IT_IS
            else:
                yield from find_secrets(getattr(value, name), place, by_alias=by_alias)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        below = ((each.name, getattr(value, each.name)) for each in dataclasses.fields(value))
    elif isinstance(value, Mapping):
        below = ((json_key(key), each) for key, each in value.items())
    elif isinstance(value, Sequence | set | frozenset) and not isinstance(value, str | bytes):
        below = enumerate(value)
    for step, each in below:
        yield from find_secrets(each, (*path, step), by_alias=by_alias)


def is_marked(field: FieldInfo) -> bool:
    """Return whether a field of a model is declared to be secret."""
    extra = field.json_schema_extra
    return isinstance(extra, dict) and extra.get("secret") is True


def with_secrets(plain: Any, secrets: Sequence[tuple[Place, Any]]) -> str:
    """Return escaped JSON in which the secrets are marked. Raises `InvalidJobData`."""
    whole = {"data": plain}
    for path, secret in secrets:
        *above, last = ("data", *(escaped_key(step) for step in path))
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
        if not is_wrapped(shown):
            value = shown if secret is _AS_IT_IS else to_jsonable_python(secret)
            place[last] = {KEY: value}
    return json.dumps(whole["data"], ensure_ascii=False, separators=(",", ":"))


def escaped(value: Any) -> Any:
    """Return JSON in which no key of ordinary data resembles that of a secret."""
    if isinstance(value, dict):
        return {escaped_key(key): escaped(below) for key, below in value.items()}
    return list(map(escaped, value)) if isinstance(value, list) else value


def escaped_key(key: Any) -> Any:
    """Return the key as which stored JSON has a key or an index of ordinary data."""
    return f"${key}" if isinstance(key, str) and _RESEMBLING.fullmatch(key) else key


def is_wrapped(value: Any) -> bool:
    """Return whether a value of stored JSON is marked as a secret."""
    return isinstance(value, dict) and value.keys() == {KEY}


def revealed(value: Any) -> Any:
    """Return JSON as it was given, with the secrets."""
    if is_wrapped(value):
        return value[KEY]
    if isinstance(value, dict):
        return {_plain_key(key): revealed(below) for key, below in value.items()}
    return list(map(revealed, value)) if isinstance(value, list) else value


def masked(value: Any, *, is_secret: bool = False) -> Any:
    """Return JSON as it was given, with masks for the secrets; all texts of one that is secret."""
    if is_wrapped(value) or (is_secret and isinstance(value, str) and value):
        return MASK
    if isinstance(value, dict):
        return {
            _plain_key(key): masked(below, is_secret=is_secret or is_secret_name(key))
            for key, below in value.items()
        }
    if isinstance(value, list):
        return [masked(below, is_secret=is_secret) for below in value]
    return value


def _plain_key(key: str) -> str:
    return key[1:] if _RESEMBLING.fullmatch(key) and key != KEY else key


def restored(value: Any, before: Any, *, is_secret: bool = False) -> Any:
    """Return edited JSON with the secrets that were there before, where a mask was left."""
    if is_wrapped(before):
        return before if value == MASK else {KEY: value}
    if is_secret and value == MASK and isinstance(before, str):
        return before
    if isinstance(value, dict) and isinstance(before, dict):
        return {
            key: restored(below, before.get(key), is_secret=is_secret or is_secret_name(key))
            for key, below in value.items()
        }
    if isinstance(value, list) and isinstance(before, list):
        older = [*before, *[None] * len(value)]
        pairs = zip(value, older, strict=False)
        return [restored(*pair, is_secret=is_secret) for pair in pairs]
    return value


def may_have_secrets(stored: str) -> bool:
    """Return whether it pays to search JSON for secrets."""
    return KEY in stored or any(map(is_secret_name, set(_NAME.findall(stored))))


def secret_texts(value: Any, *, is_secret: bool = False) -> Iterator[str]:
    """Yield the texts of all secrets, and the numbers of those that are marked."""
    if is_wrapped(value):
        yield from _leaves(value[KEY])
    elif isinstance(value, dict):
        for key, below in value.items():
            yield from secret_texts(below, is_secret=is_secret or is_secret_name(key))
    elif isinstance(value, list):
        for below in value:
            yield from secret_texts(below, is_secret=is_secret)
    elif is_secret and isinstance(value, str):
        yield value


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield str(value)
    elif isinstance(value, dict | list):
        for below in value.values() if isinstance(value, dict) else value:
            yield from _leaves(below)
