"""Jobs that return something; a process of jobs makes the module anew, without arguments."""

import os
from typing import Any, ClassVar

from pydantic import BaseModel, Field, SecretStr

from modhost import Module, ServiceCollection, hookimpl
from modhost_background_jobs.contracts import (
    Executor,
    JobExecutionContext,
    ModuleJob,
    add_module_job,
)


class Image(BaseModel):
    path: str
    password: SecretStr = SecretStr("")


class Size(BaseModel):
    width: int
    height: int = 1


class Square(Size):
    """More than is declared."""

    note: str = "left out"


class Key(BaseModel):
    name: str
    value: SecretStr
    pin: int = Field(0, json_schema_extra={"secret": True})


class Resize(ModuleJob[Image, Size]):
    async def execute(self, context: JobExecutionContext[Image]) -> Size:
        return Square(width=len(context.data.path))


class ResizeInThread(ModuleJob[Image, Size]):
    def execute(self, context: JobExecutionContext[Image]) -> Size:
        return Size(width=len(context.data.path), height=2)


class ResizeInProcess(ModuleJob[Image, dict[str, int]]):
    executor: ClassVar[Executor] = "process"

    async def execute(self, context: JobExecutionContext[Image]) -> dict[str, int]:
        return {"width": len(context.data.path), "process": os.getpid()}


class MakeKey(ModuleJob[Image, Key]):
    async def execute(self, context: JobExecutionContext[Image]) -> Key:
        return Key(name="key", value=context.data.password, pin=1234)


class MayFind(ModuleJob[Image, Size | None]):
    async def execute(self, context: JobExecutionContext[Image]) -> Size | None:
        return None


class Text(ModuleJob[int, str]):
    async def execute(self, context: JobExecutionContext[int]) -> str:
        return "x" * context.data


class TextInProcess(Text):
    executor: ClassVar[Executor] = "process"


class Wrong(ModuleJob[Image, Size]):
    """Returns what its data say, whatever it declares."""

    async def execute(self, context: JobExecutionContext) -> Any:
        secret = context.data.password.get_secret_value()
        returned = {"object": object(), "dict": {"width": 5}, "text": secret, "none": None}
        return returned[context.data.path]


class Plain(ModuleJob):
    """Declares nothing, and returns what its data say."""

    async def execute(self, context: JobExecutionContext) -> Any:
        odd = {"object": object(), "surrogate": "\ud800", "nan": float("nan"), "bytes": b"\xff"}
        return (
            odd.get(context.data, context.data) if isinstance(context.data, str) else context.data
        )


JOBS: tuple[type[ModuleJob], ...] = (
    *(Resize, ResizeInThread, ResizeInProcess, MakeKey, MayFind),
    *(Text, TextInProcess, Wrong, Plain),
)


class TypedModule(Module):
    name: ClassVar[str] = "typed"
    requires: ClassVar[tuple[str, ...]] = ("background_jobs",)

    @hookimpl
    def configure_services(self, services: ServiceCollection) -> None:
        for job in JOBS:
            add_module_job(services, job)
