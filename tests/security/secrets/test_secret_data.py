"""Secrets in the data of jobs are found and masked wherever they are."""

import json
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote, quote_plus

import pytest
from pydantic import BaseModel, Field, RootModel, Secret, SecretBytes, SecretStr

from modhost_background_jobs.contracts import (
    InvalidJobData,
)
from modhost_background_jobs.model.data.job_data import (
    edited,
    for_job,
    for_people,
    secrets_in,
    to_stored,
)
from security.secrets.sentinels import SENTINEL, Credentials

pytestmark = pytest.mark.anyio


@dataclass
class Pair:
    name: str
    secret: SecretStr


class Names(RootModel[list[SecretStr]]):
    pass


class Nested(BaseModel):
    by_name: dict[str, Credentials]
    pairs: list[Pair]
    names: Names
    raw: SecretBytes


def nested() -> Nested:
    secret = SecretStr(SENTINEL)
    return Nested(
        by_name={"a": Credentials()},
        pairs=[Pair("p", secret)],
        names=Names([secret]),
        raw=SecretBytes(SENTINEL.encode()),
    )


async def test_secrets_are_found_wherever_they_are_in_the_data() -> None:
    stored = to_stored(nested())
    assert stored is not None
    assert SENTINEL not in json.dumps(for_people(stored))
    assert for_people(stored)["pairs"] == [{"name": "p", "secret": "***"}]
    back = Nested.model_validate_json(for_job(stored))
    assert back == nested()


@pytest.mark.parametrize(
    "data",
    [{"password": SecretStr(SENTINEL)}, [SecretStr(SENTINEL)], (SecretStr(SENTINEL),)],
)
async def test_secrets_in_plain_data_are_found_too(data: Any) -> None:
    stored = to_stored(data)
    assert stored is not None
    assert SENTINEL in for_job(stored)
    assert SENTINEL not in json.dumps(for_people(stored))


async def test_an_edited_secret_stays_one() -> None:
    stored = to_stored(Credentials())
    changed = edited({"user": "x", "password": "new one", "key": "***", "more": "***"}, stored)
    assert for_people(json.dumps(changed)) == {
        "user": "x",
        "password": "***",
        "key": "***",
        "more": "***",
    }
    assert json.loads(for_job(json.dumps(changed)))["password"] == "new one"
    assert json.loads(for_job(json.dumps(changed)))["key"] == SENTINEL


async def test_a_secret_is_masked_in_every_way_that_programs_write_it() -> None:
    odd = 'it\'s a "back\\slash" ü/?'
    number = Annotated[int, Field(json_schema_extra={"secret": True})]

    class Odd(BaseModel):
        password: SecretStr = SecretStr(odd)
        pin: Secret[int] = Secret(471147)
        code: number = 815815

    reported = [odd, repr(odd), repr(odd.encode()), json.dumps(odd), quote(odd), quote_plus(odd)]
    reported += [repr({"x": odd}), json.dumps(odd, ensure_ascii=False), "471147", "815815"]
    secrets = secrets_in(to_stored(Odd()))
    for text_with_secret in reported:
        masked = text_with_secret
        for secret in secrets:
            masked = masked.replace(secret, "***")
        assert "***" in masked, text_with_secret
        assert "slash" not in masked, text_with_secret


async def test_data_that_cannot_be_stored_is_reported_without_its_values() -> None:
    with pytest.raises(InvalidJobData) as caught:
        to_stored({"password": SecretStr(SENTINEL), "x": object()})
    assert SENTINEL not in str(caught.value)


NAMED = {
    "password": SENTINEL,
    "Api-Key": SENTINEL,
    "credentials": {"user": SENTINEL, "hosts": [SENTINEL], "port": 8080},
    "max_tokens": 4096,
    "token": "",
    "note": "the password is elsewhere",
}


async def test_a_text_under_the_name_of_a_secret_is_one() -> None:
    stored = to_stored(NAMED)
    assert stored is not None
    assert for_people(stored) == {
        "password": "***",
        "Api-Key": "***",
        "credentials": {"user": "***", "hosts": ["***"], "port": 8080},
        "max_tokens": 4096,
        "token": "",
        "note": "the password is elsewhere",
    }
    assert json.loads(for_job(stored)) == NAMED
    assert SENTINEL in secrets_in(stored)
    assert secrets_in(to_stored({"note": "a password", "max_tokens": 4096})) == ()


async def test_such_a_text_stays_where_its_mask_was_left() -> None:
    stored = to_stored(NAMED)
    shown = for_people(stored)
    assert edited(shown, stored) == NAMED
    changed = edited({**shown, "password": "new one", "note": "***"}, stored)
    assert changed == {**NAMED, "password": "new one", "note": "***"}
