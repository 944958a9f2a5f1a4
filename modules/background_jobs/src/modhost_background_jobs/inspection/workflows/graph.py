"""The graph of a workflow: its jobs by levels, those of one type together where they are many."""

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.contracts.states import RunWhen
from modhost_background_jobs.queries.workflows.shape import NodeState, Shape

MANY: Final = 6
"""So many jobs of one type at one level are drawn one by one; more are one box."""
MAX_BOXES: Final = 60

_Kind = tuple[int, str, RunWhen]
_Key = tuple[int, str, RunWhen, UUID | None]


@dataclass(frozen=True, slots=True)
class Box:
    """A job, or all jobs of a type at a level that run on one condition.

    `before` are the numbers of the boxes that have jobs which it waits for; `job_id` is None for
    several jobs, of which `counts` has those of each state, and which have no `summary`.
    """

    level: int
    job_type: str
    when: RunWhen
    counts: tuple[tuple[JobState, int], ...]
    before: tuple[int, ...]
    job_id: UUID | None = None
    summary: str = ""

    @property
    def total(self) -> int:
        """How many jobs they are."""
        return sum(count for _, count in self.counts)

    def count(self, state: JobState) -> int:
        """Return how many of them are in a state."""
        return dict(self.counts).get(state, 0)

    @property
    def state(self) -> JobState:
        """The state that matters most."""
        order = (JobState.FAILED, JobState.RUNNING, JobState.PENDING, JobState.COMPLETED)
        return next((each for each in order if self.count(each)), self.counts[0][0])


@dataclass(frozen=True, slots=True)
class Graph:
    """Boxes by their levels.

    Attributes:
        boxes: at most `MAX_BOXES`.
        read: how many jobs they are made of; a workflow may have more.
        left_out: how many boxes are not drawn.
        is_complete: whether all that its jobs wait for is drawn.

    """

    boxes: tuple[Box, ...]
    read: int
    left_out: int
    is_complete: bool


def graph_of(nodes: Sequence[NodeState], shape: Shape) -> Graph:
    """Return the graph of some jobs."""
    levels = _levels([node.id for node in nodes], shape.before)
    keys = _keys(nodes, levels, shape.when)
    members: dict[_Key, list[NodeState]] = defaultdict(list)
    for node in nodes:
        members[keys[node.id]].append(node)
    in_order = sorted(members, key=lambda key: (key[0], str(members[key][0].id)))
    numbers = {key: number for number, key in enumerate(in_order[:MAX_BOXES])}
    boxes = []
    for key in numbers:
        first, is_one = members[key][0], len(members[key]) == 1
        before = {keys[id_] for node in members[key] for id_ in shape.before.get(node.id, ())}
        counts = Counter(node.state for node in members[key])
        boxes.append(
            Box(
                level=key[0],
                job_type=key[1],
                when=shape.when.get(first.id, "succeeded"),
                counts=tuple(sorted(counts.items())),
                before=tuple(sorted(numbers[each] for each in before if each in numbers)),
                job_id=first.id if is_one else None,
                summary=(first.summary or "") if is_one else "",
            )
        )
    left_out = len(in_order) - len(boxes)
    return Graph(tuple(boxes), len(nodes), left_out, shape.is_complete)


def _levels(ids: Sequence[UUID], before: Mapping[UUID, Sequence[UUID]]) -> dict[UUID, int]:
    """Return for each job the length of the longest way to it."""
    after: dict[UUID, list[UUID]] = defaultdict(list)
    for id_, befores in before.items():
        for each in befores:
            after[each].append(id_)
    missing = {id_: len(before.get(id_, ())) for id_ in ids}
    levels = dict.fromkeys(ids, 0)
    ready = deque(id_ for id_, count in missing.items() if not count)
    while ready:
        id_ = ready.popleft()
        for each in after[id_]:
            levels[each] = max(levels[each], levels[id_] + 1)
            missing[each] -= 1
            if not missing[each]:
                ready.append(each)
    return levels


def _keys(
    nodes: Iterable[NodeState], levels: Mapping[UUID, int], when: Mapping[UUID, RunWhen]
) -> dict[UUID, _Key]:
    """Return the box of each job: of its own, or shared by the many of its kind."""
    kinds: dict[UUID, _Kind] = {
        node.id: (levels[node.id], node.job_type, when.get(node.id, "succeeded")) for node in nodes
    }
    sizes = Counter(kinds.values())
    most = MANY if _boxes(sizes, MANY) <= MAX_BOXES else 1
    return {id_: (*kind, id_ if sizes[kind] <= most else None) for id_, kind in kinds.items()}


def _boxes(sizes: Mapping[_Kind, int], many: int) -> int:
    return sum(size if size <= many else 1 for size in sizes.values())
