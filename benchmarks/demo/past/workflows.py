"""Orders as workflows: what follows a payment, and what does not when it fails."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from benchmarks.demo import jobs
from benchmarks.demo.past.failures import CAUSES
from benchmarks.demo.past.plan import Planned
from benchmarks.demo.shop import Story
from modhost_background_jobs.contracts import JobState, WorkflowState
from modhost_background_jobs.model.workflow import Verdict, doomed_reason

COUNT: Final = 40
FAILS_EVERY: Final = 9
_STEPS: Final = (
    jobs.ChargeCard,
    jobs.ReserveStock,
    jobs.GenerateInvoice,
    jobs.SendOrderConfirmation,
)
_DECLINED: Final = CAUSES[1]


class Workflows:
    """The rows of all workflows, what their jobs wait for, and the jobs themselves."""

    def __init__(self, story: Story) -> None:
        self.rows: list[Mapping[str, Any]] = []
        self.conditions: list[Mapping[str, Any]] = []
        self.dependencies: list[Mapping[str, Any]] = []
        self.jobs: list[Planned] = []
        for number in range(COUNT):
            self._add(story, fails=number % FAILS_EVERY == 4)

    def _add(self, story: Story, *, fails: bool) -> None:
        created = story.moment()
        workflow, data = story.id_at(created), story.data(jobs.ChargeCard)
        ids = [story.id_at(created) for _ in _STEPS]
        for number, job in enumerate(_STEPS):
            is_first = number == 0
            is_cancelled = fails and not is_first
            ended = JobState.FAILED if is_first else JobState.CANCELLED
            self.jobs.append(
                Planned(
                    created,
                    job,
                    ended if fails else JobState.COMPLETED,
                    data,
                    cause=_DECLINED if fails and is_first else None,
                    reason=doomed_reason("succeeded", ids[0], has_failed=True)
                    if is_cancelled
                    else None,
                    workflow=workflow,
                    id_=ids[number],
                    after=timedelta(seconds=0 if fails else 8 * number),
                )
            )
            if not is_first:
                verdict = Verdict.CANCEL if is_cancelled else Verdict.RUN
                self._wait(ids[number], ids[number - 1], verdict)
        self.rows.append(
            {
                "id": workflow,
                "name": f"Order {getattr(data, 'order', 0)}",
                "created_at": created,
                "total": len(_STEPS),
                "unfinished": 0,
                "failed": int(fails),
                "cancelled": len(_STEPS) - 1 if fails else 0,
                "outcome": (WorkflowState.FAILED if fails else WorkflowState.COMPLETED).value,
                "completed_at": created + timedelta(seconds=8 * len(_STEPS)),
            }
        )

    def _wait(self, job: Any, before: Any, verdict: Verdict) -> None:
        self.conditions.append(
            {"job_id": job, "run_when": "succeeded", "unfinished": 0, "verdict": verdict.value}
        )
        self.dependencies.append({"job_id": job, "position": 0, "after_id": before})
