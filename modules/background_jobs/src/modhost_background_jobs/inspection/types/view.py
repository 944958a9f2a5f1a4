"""Job types as people see them: all of them at a glance, and one in full."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal, TypeAlias

from modhost_background_jobs.contracts import RegisteredJob
from modhost_background_jobs.contracts.flow import declared_limits, limit_name
from modhost_background_jobs.inspection.limits import LimitReader, LimitView
from modhost_background_jobs.inspection.queues import Queues, QueueStatus, QueueView, UnknownJobType
from modhost_background_jobs.inspection.types.failures import FailureGroup, grouped
from modhost_background_jobs.inspection.types.figures import (
    ComparedSpan,
    SpanFigures,
    TypeFigures,
    TypeHistory,
    TypeSpan,
    VersionFigures,
)
from modhost_background_jobs.queries.search.failures import (
    MAX_FAILURES,
    FailureCount,
    RecentFailures,
)
from modhost_background_jobs.storage import QueueClock
from modhost_background_jobs.storage.statistics import AppVersions, SeenVersion

Sorting: TypeAlias = Literal["behind", "name", "oldest", "running", "failed", "wait", "run"]


@dataclass(frozen=True, slots=True)
class TypeLine:
    """A type among the others: what waits and runs now, its limits, and a span of its figures."""

    view: QueueView
    limits: list[LimitView]
    figures: SpanFigures | None

    @property
    def failed(self) -> int:
        """How many of its jobs failed within the span."""
        return self.figures.now.failed if self.figures else 0


class JobTypeDetail(QueueStatus):
    """A job type in full.

    `versions` are of the last 7 days. `failures` are groups of the `failures_grouped` failed jobs
    that were enqueued last, at most 1,000.
    """

    spans: list[SpanFigures]
    versions: list[VersionFigures]
    failures: list[FailureGroup]
    failures_grouped: int


@dataclass(frozen=True, slots=True)
class InspectedType:
    """A type with all that is known of it; `failures_read` of its failed jobs were grouped."""

    view: QueueView
    limits: list[LimitView]
    history: TypeHistory
    deployed: list[SeenVersion]
    failures: list[FailureGroup]
    failures_read: int
    failed_last_day: FailureCount

    @property
    def detail(self) -> JobTypeDetail:
        """Return it as the API answers."""
        return JobTypeDetail(
            **self.view.status.model_dump(),
            spans=self.history.spans,
            versions=self.history.versions,
            failures=self.failures,
            failures_grouped=self.failures_read,
        )

    @property
    def is_capped(self) -> bool:
        """Whether there may be more failures than were grouped."""
        return self.failures_read >= MAX_FAILURES


class TypeInspection:
    """Reads job types; every number is bounded, however many jobs there are and were."""

    def __init__(
        self,
        queues: Queues,
        limits: LimitReader,
        figures: TypeFigures,
        failures: RecentFailures,
        versions: AppVersions,
        registered: tuple[RegisteredJob, ...],
        clock: QueueClock,
    ) -> None:
        self._clock = clock
        self._queues = queues
        self._limits = limits
        self._figures = figures
        self._failures = failures
        self._versions = versions
        self._limits_of = {
            each.job_type: {
                limit_name(each.job_type, limit) for limit in declared_limits(each.job_class)
            }
            for each in registered
        }

    async def all(self, span: ComparedSpan, sort: Sorting, words: str) -> list[TypeLine]:
        """Return the types whose names have some words.

        Args:
            span: of which their figures are.
            sort: by what: first those that are most behind, failed most, and so on.
            words: what the names have, in any case; empty for all.

        """
        _, views = await self._queues.all()
        figures = await self._figures.all(span)
        limits = await self._limits.all()
        known = {each.status.name for each in views}
        views += [QueueView.idle(name) for name in figures if name not in known]
        lines = [
            TypeLine(view, self._own(view.status.name, limits), figures.get(view.status.name))
            for view in views
            if words.lower() in view.status.name.lower()
        ]
        return sorted(lines, key=lambda line: (*_ORDERS[sort](line), line.view.status.name))

    async def one(self, job_type: str, span: TypeSpan) -> InspectedType:
        """Return a type. Raises `UnknownJobType`."""
        _, views = await self._queues.all()
        history = await self._figures.of_type(job_type, span)
        view = next((each for each in views if each.status.name == job_type), None)
        if view is None:
            has_finished = history.versions or await self._failures.have_finished(job_type)
            if not has_finished:
                raise UnknownJobType(job_type, [each.status.name for each in views])
            view = QueueView.idle(job_type)
        failed = await self._failures.of_type(job_type)
        return InspectedType(
            view,
            self._own(job_type, await self._limits.all()),
            history,
            await self._versions.since(history.buckets[0].start),
            grouped(failed),
            len(failed),
            await self._failures.last_day(self._clock.now(), job_type),
        )

    def _own(self, job_type: str, limits: Sequence[LimitView]) -> list[LimitView]:
        """Return the limits of a type; unnamed ones alone of a class that is not known here."""
        named = self._limits_of.get(job_type, set())
        unnamed = (f"{job_type}.concurrency", f"{job_type}.rate")
        return [
            each
            for each in limits
            if each.status.name in named or each.status.name.startswith(unnamed)
        ]


def _p95(line: TypeLine, name: str) -> float:
    value = getattr(line.figures.now, name) if line.figures else None
    return -1.0 if value is None else float(value)


_NEVER: Final = datetime.max.replace(tzinfo=UTC)
_ORDERS: Final[dict[Sorting, Callable[[TypeLine], tuple[Any, ...]]]] = {
    "behind": lambda line: (-line.view.status.due, -line.view.status.pending, -line.failed),
    "name": lambda line: (),
    "oldest": lambda line: (
        line.view.status.oldest_due_at is None,
        line.view.status.oldest_due_at or _NEVER,
    ),
    "running": lambda line: (-line.view.status.running,),
    "failed": lambda line: (-line.failed,),
    "wait": lambda line: (-_p95(line, "wait_p95"),),
    "run": lambda line: (-_p95(line, "run_p95"),),
}
