"""Jobs that the database has handed to this worker, and that no claim has told of."""

from collections.abc import Collection

from modhost_background_jobs.model import Lease
from modhost_background_jobs.worker.attempts.attempt import AttemptRegistry
from modhost_background_jobs.worker.claiming.claim_loop import ClaimLoop


class LostClaims:
    """Finds the jobs of claims whose answer was lost, also when such a claim commits much later.

    Such a job is unknown here in two looks, and the claim that was under way at the first of them
    is over at the second: what it has claimed is known by then.
    """

    def __init__(self, claims: ClaimLoop, running: AttemptRegistry) -> None:
        self._claims = claims
        self._running = running
        self._unknown: set[Lease] = set()
        self._claims_begun = 0

    def among(self, leases: Collection[Lease]) -> list[Lease]:
        """Return those of the leases, as they were just read, that belong to nobody here."""
        unknown = {lease for lease in leases if lease not in self._running}
        if self._claims.in_flight and self._claims.begun == self._claims_begun:
            # It may be a claim of that look still; those that were unknown then stay so.
            self._unknown &= unknown
            return []
        orphans = self._unknown & unknown
        self._unknown = unknown - orphans
        self._claims_begun = self._claims.begun
        return sorted(orphans)
