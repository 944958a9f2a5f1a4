"""Options within lists, tables and alternatives: secrets stay hidden, and places are as written."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field, RootModel, SecretStr, field_validator, model_serializer

from configuration.loading import load, only_problem
from modhost import ModuleOptions
from modhost.configuration import Configuration
from modhost.durations import Duration

SECRET = "hunter2"


class Server(BaseModel):
    host: str = ""
    key: SecretStr = Field(SecretStr("key of twelve"), min_length=12)
    ports: list[int] = Field(default_factory=list)

    @field_validator("host")
    @classmethod
    def _not_forbidden(cls, host: str) -> str:
        if host == "forbidden":
            raise ValueError("the host is forbidden")
        return host


class Disk(BaseModel):
    kind: Literal["disk"]
    label: str = Field("", alias="Label")


class S3(Server):
    kind: Literal["s3"]
    bucket: str


class Servers(RootModel[list[Server]]):
    """A list with a name."""


class Options(ModuleOptions):
    one: Server = Server()
    maybe: Server | None = None
    many: list[Server] = Field(default_factory=list)
    named: Servers = Servers([])
    by: dict[str, Annotated[Server, Field()]] = Field(default_factory=dict)
    pair: tuple[int, Server] = (1, Server())
    store: Annotated[Disk | S3, Field(discriminator="kind")] = Disk(kind="disk")
    other: int | Server | list[Server] = 3
    text: SecretStr | str = ""
    when: Duration | bool = False
    waits: list[Duration] = Field(default_factory=lambda: [timedelta(seconds=90)])
    limits: dict[str, int] = Field(default_factory=dict, max_length=1)


def bound(folder: Path, lines: str) -> tuple[Options | None, Configuration]:
    configuration = load(folder, f"[modules.m]\n{lines}\n")
    return configuration.bind("m", Options), configuration


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ('one = {key = "hunter2"}', "[modules.m.one] key"),
        ('maybe = {key = "hunter2"}', "[modules.m.maybe] key"),
        ('many = [{}, {key = "hunter2"}]', "key of item 2 of [modules.m] many"),
        ('named = [{key = "hunter2"}]', "key of item 1 of [modules.m] named"),
        ('by.x = {key = "hunter2"}', "[modules.m.by.x] key"),
        ('pair = [1, {key = "hunter2"}]', "key of item 2 of [modules.m] pair"),
        (
            'store = {kind = "s3", bucket = "b", key = "hunter2"}',
            "[modules.m.store] key",
        ),
        (
            'store = {kind = "s3", bucket = "b", key = "hunter2", s3 = "x"}',
            "[modules.m.store] s3",
        ),
        ('one = "{key: hunter2"', "[modules.m] one"),
        ('many = "hunter2"', "[modules.m] many"),
    ],
)
def test_a_secret_that_is_invalid_is_hidden_wherever_it_is(
    tmp_path: Path, line: str, place: str
) -> None:
    options, configuration = bound(tmp_path, line)
    assert options is None
    assert f"host.toml: {place} is '***'." in only_problem(configuration)


def test_a_table_with_a_mistake_is_shown_without_the_secrets_in_it(tmp_path: Path) -> None:
    _, configuration = bound(tmp_path, 'store = {kind = "tape", key = "hunter2"}')
    assert (
        "[modules.m] store is {'kind': 'tape', 'key': '***'}. Write one of 'disk', 's3' as 'kind'."
    ) in only_problem(configuration)


def test_a_secret_that_is_too_short_is_a_text(tmp_path: Path) -> None:
    _, configuration = bound(tmp_path, 'maybe = {key = "hunter2"}')
    assert only_problem(configuration).endswith("Write a text of 12 characters or more.")
    _, configuration = bound(tmp_path, "limits = {a = 1, b = 2}")
    assert only_problem(configuration).endswith("Write a table of 1 keys or fewer.")


class Echoing(ModuleOptions):
    server: Server = Server()

    @field_validator("server", mode="before")
    @classmethod
    def _refused(cls, given: object) -> object:
        raise ValueError(f"{given} is refused")


def test_a_validator_that_repeats_a_table_repeats_no_secret_of_it(tmp_path: Path) -> None:
    lines = "[modules.m]\nserver = {host = 'h', key = 'hunter2'}\n"
    configuration = load(tmp_path, lines)
    assert configuration.bind("m", Echoing) is None
    assert only_problem(configuration).endswith("{'host': 'h', 'key': '***'} is refused.")


@pytest.mark.parametrize(
    ("line", "problems"),
    [
        ('store = {kind = "s3"}', ["[modules.m.store] bucket is missing. Set it."]),
        ('when = "soon"', ["[modules.m] when is 'soon'. 'soon' is not", "Write true or false."]),
        ('other = {ports = "a"}', ["[modules.m] other", "[modules.m.other] ports is 'a'."]),
        (
            'other = [{ports = ["a"]}]',
            ["[modules.m] other", "item 1 of ports of item 1 of [modules.m] other is 'a'"],
        ),
        ('maybe = {host = "forbidden"}', ["[modules.m.maybe] host is 'forbidden'."]),
        ('store = {kind = "disk", Label = 3}', ["[modules.m.store] Label is 3."]),
    ],
)
def test_the_place_of_a_mistake_has_no_tags_of_alternatives(
    tmp_path: Path, line: str, problems: list[str]
) -> None:
    _, configuration = bound(tmp_path, line)
    found = "\n".join(map(str, configuration.findings))
    for each in problems:
        assert each in found
    for tag in (".s3", ".disk", "list[", "function-", "Server"):
        assert tag not in found


def test_a_variable_that_sets_an_option_of_an_alternative_is_named(tmp_path: Path) -> None:
    lines = '[modules.m]\nstore = {kind = "s3", bucket = "b"}\n'
    configuration = load(tmp_path, lines, MODHOST__MODULES__M__STORE__PORTS="a")
    assert configuration.bind("m", Options) is None
    assert "variable MODHOST__MODULES__M__STORE__PORTS: [modules.m.store] ports is 'a'. " in (
        only_problem(configuration)
    )


def test_what_is_in_effect_shows_no_secret_within_options(tmp_path: Path) -> None:
    lines = """
        text = "hunter2"
        many = [{host = "h", key = "key is hunter2"}]
        by.x = {host = "h", key = "key is hunter2"}
        store = {kind = "disk", Label = "of the disk"}
    """
    options, configuration = bound(tmp_path, lines)
    assert options is not None
    shown = {each.key: each.value for each in configuration.in_effect({"m": Options})}
    assert SECRET not in repr(shown)
    assert shown["[modules.m] text"] == shown["[modules.m.by.x] key"] == "***"
    assert shown["[modules.m] many"] == [{"host": "h", "key": "***", "ports": []}]
    assert shown["[modules.m.by.x] host"] == "h"
    assert shown["[modules.m.store] Label"] == "of the disk"
    assert shown["[modules.m] waits"] == ["90s"]


class Span(BaseModel):
    first: int = 1
    last: int = 2

    @model_serializer
    def as_text(self) -> Any:
        return f"{self.first}-{self.last}"


class Sized(Span):
    @model_serializer
    def as_text(self) -> Any:
        return {"first": self.first, "size": self.last - self.first}


class Spans(ModuleOptions):
    one: Span = Span()
    sized: Sized = Sized()


def test_options_that_are_written_in_a_way_of_their_own_are_reported_so() -> None:
    shown = {each.key: each.value for each in Configuration().in_effect({"a": Spans})}
    assert shown["[modules.a] one"] == "1-2"
    assert shown["[modules.a.sized] size"] == 1
