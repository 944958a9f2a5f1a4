"""Data of many kinds, as models of modules have them."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any
from uuid import UUID

from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    Json,
    PrivateAttr,
    RootModel,
    SecretStr,
    SerializeAsAny,
    computed_field,
    field_validator,
)


class Aliased(BaseModel):
    both: int = Field(alias="theBoth")
    written: int = Field(1, serialization_alias="writtenSo")
    read: int = Field(validation_alias="readSo")
    choice: int = Field(validation_alias=AliasChoices("a", "b"))
    secret: SecretStr = Field(SecretStr("none"), serialization_alias="secretSo")

    model_config = ConfigDict(validate_by_name=True)


class WithJson(BaseModel):
    numbers: Json[list[int]]
    note: str = ""


class Strict(BaseModel):
    price: int
    amount: int

    model_config = ConfigDict(extra="forbid")

    @computed_field  # type: ignore[prop-decorator]
    @property
    def total(self) -> int:
        return self.price * self.amount


class Item(BaseModel):
    name: str = ""
    _cache: int = PrivateAttr(default=0)


class Book(Item):
    author: str = ""


class Cat(Item):
    pass


class Dog(Item):
    pass


class Cart(BaseModel):
    item: Item = Item()
    any_item: SerializeAsAny[Item] = Item()
    pet: Cat | Dog | None = None
    anything: Any = None
    texts: set[str] = set()
    note: str = ""


class Extra(BaseModel):
    model_config = ConfigDict(extra="allow")


class Number(BaseModel):
    value: float | None = None


class Spelt(BaseModel):
    value: float = 0.0

    model_config = ConfigDict(ser_json_inf_nan="strings")


class Hashing(BaseModel):
    text: str

    @field_validator("text")
    @classmethod
    def _hashed(cls, value: str) -> str:
        return f"<{value}>"


class Odd(BaseModel):
    secret: Any = Field(None, alias="$secret")


class Colour(Enum):
    RED = "red"


class Many(RootModel[dict[int, list[UUID]]]):
    pass


@dataclass
class Point:
    x: int
    when: datetime
    colour: Colour = Colour.RED
    more: list[int] = field(default_factory=list)
