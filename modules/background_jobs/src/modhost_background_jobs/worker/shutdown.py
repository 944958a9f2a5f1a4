"""The end of a worker: jobs end within the grace, stop when they are asked to, or are given up."""

import logging
from datetime import timedelta
from typing import Final

import anyio

from modhost.clock import Clock
from modhost_background_jobs.model import Released
from modhost_background_jobs.worker.attempts.attempt import (
    Attempt,
    AttemptRegistry,
    StopReason,
)
from modhost_background_jobs.worker.finishing.finisher import Finisher

logger = logging.getLogger(__name__)

OBEY_SECONDS: Final = 2.0
SHUTDOWN_TIMEOUT: Final = 5.0
IGNORED: Final = "handed back: it ignored the request to stop when its worker shut down."
CRASHED: Final = "handed back: the job processor of its worker crashed."


async def drain(
    attempts: AttemptRegistry, grace: timedelta, finisher: Finisher, clock: Clock
) -> None:
    """Let running jobs end, ask those that remain to stop, hand back what does not."""
    if len(attempts):
        logger.info("Stopping: %d jobs have %g s to end.", len(attempts), grace.total_seconds())
    with anyio.move_on_after(grace.total_seconds()):
        await attempts.at_most(0)
    for attempt in attempts:
        attempt.stop(StopReason.SHUTDOWN)
    with anyio.move_on_after(OBEY_SECONDS):
        await attempts.at_most(0)
    error = CRASHED if attempts.is_abandoned else IGNORED
    with anyio.move_on_after(SHUTDOWN_TIMEOUT):
        if not attempts.is_abandoned:
            await _give_up(attempts)
        await _hand_back(attempts, error, finisher, clock)


async def _give_up(attempts: AttemptRegistry) -> None:
    """Stop waiting for attempts that do not stop."""
    for attempt in filter(_is_ours, attempts):
        logger.error(
            "The job %s (%s) ignores the request to stop; its %s is abandoned.",
            attempt.claimed.lease.job_id,
            attempt.claimed.job_type,
            attempt.place,
        )
        attempt.give_up()
    with anyio.move_on_after(OBEY_SECONDS):
        await attempts.at_most(0)


async def _hand_back(
    attempts: AttemptRegistry, error: str, finisher: Finisher, clock: Clock
) -> None:
    """Let other workers have the jobs; one whose end could not be stored is not run again now."""
    now = clock.now()
    left = [
        Released(each.claimed.lease, now, error, spent=False) for each in filter(_is_ours, attempts)
    ]
    if not left:
        return
    try:
        await finisher.hand_back(left)
    except Exception as error:  # noqa: BLE001 - they are rescued from a worker that is gone
        logger.warning("%d jobs could not be handed back (%s).", len(left), error)


def _is_ours(attempt: Attempt) -> bool:
    return not attempt.over and attempt.reason is not StopReason.LOST_LEASE
