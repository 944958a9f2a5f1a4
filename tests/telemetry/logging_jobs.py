"""Jobs that use the `logging` of Python."""

import logging
from typing import ClassVar

from pydantic import BaseModel, SecretStr

from modhost import Module, ServiceCollection, hookimpl
from modhost_background_jobs.contracts import (
    Executor,
    JobExecutionContext,
    ModuleJob,
    add_module_job,
)

LOGGER = "shop"


class Login(BaseModel):
    password: SecretStr = SecretStr("hush-hush")


def log_in(context: JobExecutionContext) -> None:
    password = context.get_data(Login).password.get_secret_value()
    logging.getLogger(LOGGER).info("Logging in with %s", password, extra={"api_key": "k1"})


class TaskJob(ModuleJob[Login]):
    async def execute(self, context: JobExecutionContext) -> None:
        log_in(context)


class ThreadJob(ModuleJob[Login]):
    def execute(self, context: JobExecutionContext) -> None:
        log_in(context)


class ProcessJob(ThreadJob):
    executor: ClassVar[Executor] = "process"


class ShopModule(Module):
    name: ClassVar[str] = "shop"
    requires: ClassVar[tuple[str, ...]] = ("background_jobs",)

    @hookimpl
    def configure_services(self, services: ServiceCollection) -> None:
        for each in (TaskJob, ThreadJob, ProcessJob):
            add_module_job(services, each)
