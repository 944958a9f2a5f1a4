"""What a module is: a class with a name, some data, and the hooks it implements."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Final, Literal, TypeAlias
from urllib.parse import urlsplit

import anyio
from anyio.abc import TaskStatus
from pydantic import BaseModel, ConfigDict

from modhost.events import Event
from modhost.failures import failures, own_cancellation
from modhost.metrics import Metric
from modhost.settings import ModuleSettings

MAX_RETRY_SECONDS: Final = 5.0


class ModuleOptions(BaseModel):
    """Base of a module's options: unknown keys are errors, values never change after start."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Module:
    """Base of every module; the entry point in the group `modhost.modules` names the subclass.

    Attributes:
        name: identifies the module: config section `[modules.<name>]`, schema or table prefix,
            and entry point.
        version: the module's own version.
        route_prefix: API endpoints live under it, e.g. `/api/reports`.
        view_prefix: pages live under it, e.g. `/reports`.
        requires: names of the modules whose contracts this one uses; they are configured first.
        options: the model that `[modules.<name>]` is bound to.
        settings: the model of what administrators change while the host runs; its values at start
            are those of `[modules.<name>.settings]`.
        unconfigured: options of the module in a host that has no configuration at all, which is for
            one person on one machine; `modhost init` writes them down.
        migrations: the package that holds the module's alembic revisions, e.g.
            `"modhost_reports_example.migrations"`; empty when the module has no tables.
        publishes: the classes of the events that the module publishes.
        metrics: the metrics that the module has values of in `collect_metrics`.

    """

    name: ClassVar[str] = ""
    version: ClassVar[str] = "0.0.0"
    route_prefix: ClassVar[str] = ""
    view_prefix: ClassVar[str] = ""
    requires: ClassVar[tuple[str, ...]] = ()
    options: ClassVar[type[BaseModel]] = ModuleOptions
    settings: ClassVar[type[ModuleSettings] | None] = None
    unconfigured: ClassVar[Mapping[str, Any]] = {}
    migrations: ClassVar[str] = ""
    publishes: ClassVar[tuple[type[Event], ...]] = ()
    metrics: ClassVar[tuple[Metric, ...]] = ()


class HostedService(ABC):
    """A long-running coroutine that the host starts, restarts after a crash, and cancels.

    Attributes:
        name: how logs and health call it.

    """

    name: str = ""

    @abstractmethod
    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Run until cancelled; call `task_status.started()` as soon as the service is up.

        An exception before that fails the start of the host; a later one restarts the service.
        Returning ends it permanently. Clean-up runs on cancellation, shielded and bounded.
        """


class PeriodicService(HostedService):
    """A hosted service that repeats one step; a step that fails is logged, and tried again.

    Attributes:
        interval: the seconds from the end of one step to the next.
        failure: what has failed when a step fails, as the subject of a sentence in the log.

    """

    interval: float
    failure: str

    @abstractmethod
    async def step(self) -> float | None:
        """Do the work once; return the seconds until the next step, None for the interval."""

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Repeat the step until cancelled."""
        task_status.started()
        while True:
            pause = None
            try:
                with own_cancellation():
                    pause = await self.step()
                failures.passed(self.failure)
            except Exception as error:  # noqa: BLE001 - whatever it is, the next step may succeed
                failures.failed(logging.getLogger(type(self).__module__), self.failure, error)
                pause = min(self.interval, MAX_RETRY_SECONDS)
            await anyio.sleep(self.interval if pause is None else pause)


Status: TypeAlias = Literal["healthy", "degraded", "unhealthy"]
Role: TypeAlias = Literal["web", "worker", "command"]


@dataclass(frozen=True, slots=True)
class HealthReport:
    """How a module is: `degraded` still serves, `unhealthy` must get no traffic.

    `detail` and `data` are shown to anybody who asks: they hold no secrets.
    """

    status: Status
    detail: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ProcessReport:
    """A process of the host, on this machine or another.

    Attributes:
        name: what people call it; unique.
        role: what it is for, such as `worker`.
        version: the version of what runs in it.
        machine: the name of its machine, with its number there.
        started_at: when it has started.
        heard_at: when it was last heard of.
        is_alive: whether it is still expected to run.
        load: what it is busy with, in a few words.

    """

    name: str
    role: str
    version: str
    machine: str
    started_at: datetime
    heard_at: datetime
    is_alive: bool
    load: str = ""


@dataclass(frozen=True, slots=True)
class HostInfo:
    """The host's own facts.

    Attributes:
        role: `web` serves pages and the API (`modhost run`), `worker` only health and metrics
            (`modhost worker`), `command` runs one command and ends.
        environment: `development` or `production`.
        version: the version of the `modhost` distribution.
        public_url: `[host] public_url` with its last slash, for links in mails and the like; empty
            where it is not set.
        trace_url: `[host] trace_url`, with `{trace_id}` where the id of a trace goes; empty
            where it is not set.
        app_version: `[host] app_version`, the version of the application; empty where it is not
            set.

    """

    role: Role
    environment: Literal["development", "production"]
    version: str
    public_url: str = ""
    trace_url: str = ""
    app_version: str = ""

    def trace_link(self, trace_id: str | None) -> str | None:
        """Return where a trace is shown; None without one, and where no tool is configured."""
        return (
            self.trace_url.replace("{trace_id}", trace_id) if trace_id and self.trace_url else None
        )

    @property
    def base_path(self) -> str:
        """The path of `public_url` without its last slash, in front of the paths of all links."""
        return urlsplit(self.public_url).path.rstrip("/")
