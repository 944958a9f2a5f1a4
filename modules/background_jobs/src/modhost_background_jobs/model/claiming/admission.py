"""Which of the due jobs of lanes the limits let a worker claim."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple
from uuid import UUID

from modhost_background_jobs.model.claiming.lanes import Cap
from modhost_background_jobs.model.flow import LimitKey


class Candidate(NamedTuple):
    """A due job whose limits are to be checked; `name` is that of its `Share`."""

    id: UUID
    name: str
    limits: tuple[LimitKey, ...]


class Earlier(NamedTuple):
    """A due job that was not picked, and comes before later ones of its keys.

    A limit holds it back: then its only key here is the one that does. Or another worker has it
    locked, and may start it or not.
    """

    id: UUID
    limits: tuple[LimitKey, ...]
    is_held: bool


class Usage(NamedTuple):
    """What counts for a key: `used` jobs that run, or that started within the period."""

    kind: Literal["concurrency", "rate"]
    most: int
    used: int
    records: int
    """How many grants are recorded, those that no longer count among them."""


@dataclass(slots=True)
class Decision:
    """Which candidates are claimed, and which ones a key holds back."""

    granted: list[Candidate] = field(default_factory=list)
    held: list[tuple[UUID, LimitKey]] = field(default_factory=list)
    keys: set[LimitKey] = field(default_factory=set)
    """Keys to tend afterwards: those of jobs that are held back, and rates that were used."""
    next: dict[LimitKey, list[UUID]] = field(default_factory=dict)
    """Held jobs to let go of, which come before candidates of their keys."""
    stuck: set[LimitKey] = field(default_factory=set)
    """Those of these keys whose held jobs somebody else has locked."""
    is_contended: bool = False
    """Whether jobs were left as they are because others count their keys, or those before them."""


def decide(
    candidates: Iterable[Candidate | Earlier],
    usage: Mapping[LimitKey, Usage],
    locked: frozenset[LimitKey],
    caps: Sequence[Cap],
    most: int,
) -> Decision:
    """Decide in the order of the candidates.

    Args:
        candidates: the due jobs, in the order in which they are to start, and what stands before
            some of them.
        usage: the use of each key that has a limit; a key without one holds nothing back.
        locked: the keys that somebody else counts at the moment: their jobs are left as they are.
        caps: how many jobs to claim of several types and lanes together.
        most: how many jobs to claim in all; those behind the last of them are left as they are.

    """
    decision = Decision()
    left = {cap: cap.most for cap in caps}
    room = {key: each.most - each.used for key, each in usage.items()}
    contended = set(locked)
    waiting: dict[LimitKey, list[UUID]] = {}
    for candidate in candidates:
        if len(decision.granted) >= most:
            break
        if isinstance(candidate, Earlier):
            if candidate.is_held:
                waiting.setdefault(candidate.limits[0], []).append(candidate.id)
            else:
                contended.update(candidate.limits)
            continue
        own = [cap for cap in caps if candidate.name in cap.names]
        if any(left[cap] <= 0 for cap in own):
            continue
        if not contended.isdisjoint(candidate.limits):
            decision.is_contended = True
            contended.update(candidate.limits)
            continue
        full = next((key for key in candidate.limits if room.get(key, 1) <= 0), None)
        passed = next((key for key in candidate.limits if key in waiting), None)
        if (key := full or passed) is not None:
            decision.held.append((candidate.id, key))
            # Another key may have let it go, which has room for somebody else now.
            decision.keys.update(candidate.limits)
            if full is None:
                decision.next[key] = [*waiting[key]]
            continue
        decision.granted.append(candidate)
        for cap in own:
            left[cap] -= 1
        for key in candidate.limits:
            if key in room:
                room[key] -= 1
                if usage[key].kind == "rate":
                    decision.keys.add(key)
    return decision
