"""A secret whose appearance in any output is a fault, and data that have it."""

from typing import Annotated

from pydantic import BaseModel, Field, SecretStr

SENTINEL = "hunter2-4711-sentinel"


class Credentials(BaseModel):
    user: str = "vera"
    password: SecretStr = SecretStr(SENTINEL)
    key: Annotated[str, Field(json_schema_extra={"secret": True})] = SENTINEL
