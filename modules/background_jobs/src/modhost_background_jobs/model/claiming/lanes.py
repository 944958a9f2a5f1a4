"""What a worker knows of lanes, and what it asks of each."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple, TypeAlias, TypeVar
from uuid import UUID

from modhost_background_jobs.model.attempt import ClaimedJob
from modhost_background_jobs.model.flow import Lane

Item = TypeVar("Item")
_Rank: TypeAlias = tuple[float, datetime, UUID]


class Share(NamedTuple):
    """What a worker asks of one lane.

    Attributes:
        name: the stored lane, or the type of jobs that have none.
        boost: by how many seconds its jobs go before others that are due at the same time.
        most: how many jobs at most.

    """

    name: str
    boost: float
    most: int


@dataclass(frozen=True, slots=True)
class Shares:
    """What a worker asks of types without a lane, and of lanes."""

    types: Sequence[Share]
    lanes: Sequence[Share]
    caps: Sequence["Cap"] = ()
    has_limits: bool = False

    @property
    def are_checked(self) -> bool:
        """Whether each job is checked before it is claimed."""
        return self.has_limits or bool(self.caps)

    def without(self, jobs: Sequence[ClaimedJob]) -> "Shares":
        """Return what is left to ask for after some jobs were claimed."""
        if not jobs:
            return self
        taken = Counter(job.lane or job.job_type for job in jobs)
        types, lanes = (
            [each._replace(most=max(0, each.most - taken[each.name])) for each in shares]
            for shares in (self.types, self.lanes)
        )
        caps = [
            cap._replace(most=cap.most - sum(taken[name] for name in cap.names))
            for cap in self.caps
        ]
        return replace(self, types=types, lanes=lanes, caps=caps)

    def looking_at(self, jobs: int) -> "Shares":
        """Return the same for so many jobs of each to be checked, since some will be held back."""
        types, lanes = (
            [each._replace(most=jobs) for each in shares if each.most > 0]
            for shares in (self.types, self.lanes)
        )
        return replace(self, types=types, lanes=lanes)

    def bounds(self, room: int) -> list["Cap"]:
        """Return what bounds the jobs that are claimed when more of them are checked."""
        shares = (share for share in (*self.types, *self.lanes) if share.most < room)
        return [*self.caps, *(Cap(frozenset({share.name}), share.most) for share in shares)]

    def in_order(self, found: Iterable[tuple["Found", Item]]) -> list[Item]:
        """Return what was found in the order in which it is to start.

        Of each lane in its own order, and the lanes by due time and priority: a job goes before no
        other of its lane that has an earlier place.
        """
        boosts = {share.name: share.boost for share in self.lanes}
        ranked: list[tuple[_Rank, Item]] = []
        lane: str | None = None
        last: _Rank | None = None
        for place, item in sorted(found, key=lambda each: (each[0].lane or "", *each[0][1:3])):
            own = (
                place.due_at.timestamp() - boosts.get(place.lane or "", 0.0),
                place.due_at,
                place.id,
            )
            is_next = last is not None and lane is not None and place.lane == lane
            lane, last = place.lane, max(last, own) if is_next and last else own
            ranked.append((last, item))
        # Those of one lane that have the same rank stay in their order.
        ranked.sort(key=lambda each: each[0])
        return [item for _, item in ranked]


class Cap(NamedTuple):
    """How many jobs at most a worker asks of several types and lanes together."""

    names: frozenset[str]
    most: int


class Found(NamedTuple):
    """Where a due job stands: at its place in its lane, which need not be its due time."""

    lane: str | None
    place: datetime
    id: UUID
    due_at: datetime


@dataclass(frozen=True, slots=True)
class FlowState:
    """What holds for all workers at a moment.

    Attributes:
        heads: the lanes with jobs that no limit holds back, and the place of the first of each.
        paused_queues: the queues of which no job is to start.
        paused_types: the job types of which none is to start.
        resumes_in: the seconds until a pause ends by itself; None without one.
        opens_in: the seconds until a rate allows a job that it holds back; None without one.
        has_held: whether a limit holds jobs back.

    """

    heads: Mapping[Lane, datetime] = field(default_factory=dict)
    paused_queues: frozenset[str] = frozenset()
    paused_types: frozenset[str] = frozenset()
    resumes_in: float | None = None
    opens_in: float | None = None
    has_held: bool = False

    def is_paused(self, queue: str, job_type: str) -> bool:
        """Return whether no job of the queue or of the type is to start."""
        return queue in self.paused_queues or job_type in self.paused_types


class LaneClaim(NamedTuple):
    """What a claim from lanes found.

    `is_all` is whether nothing else can be claimed now, `is_contended` whether others count keys of
    due jobs at the moment, which they may leave.
    """

    jobs: list[ClaimedJob]
    is_all: bool
    is_contended: bool = False


class Swept(NamedTuple):
    """What a sweep did: `after` is the stored key to continue behind, empty for the first one."""

    after: str
    freed: int
