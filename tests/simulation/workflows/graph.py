"""What was asked for in a storm of workflows, as the model judges it."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from uuid import UUID

from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model.workflow import Node
from simulation.rows import Row


class Judgment(Enum):
    """What the ends of the jobs before a job decide."""

    OPEN = auto()
    HOLDS = auto()
    IMPOSSIBLE = auto()


@dataclass
class Graph:
    """The jobs that wait for others, and what people asked for."""

    nodes: dict[UUID, Node] = field(default_factory=dict)
    followers: dict[UUID, list[UUID]] = field(default_factory=lambda: defaultdict(list))
    asked: set[UUID] = field(default_factory=set)
    """The jobs and workflows that people have asked to cancel, whatever became of it."""

    def add(self, job: UUID, node: Node) -> None:
        self.nodes[job] = node
        for before in node.after:
            self.followers[before].append(job)

    def is_asked(self, job: UUID) -> bool:
        """Return whether somebody has asked to cancel a job, or its workflow."""
        return bool(self.asked & {job, self.nodes[job].workflow_id})

    def judge(self, job: UUID, rows: Mapping[UUID, Row]) -> Judgment:
        """Judge a job by the states of those before it, as the contract describes it."""
        node = self.nodes[job]
        states = [rows[each].state for each in node.after]
        has_bad = any(each in (JobState.FAILED, JobState.CANCELLED) for each in states)
        all_finished = all(each.is_final for each in states)
        if node.when == "succeeded":
            if has_bad:
                return Judgment.IMPOSSIBLE
            return Judgment.HOLDS if all_finished else Judgment.OPEN
        if node.when == "failed":
            if has_bad:
                return Judgment.HOLDS
            return Judgment.IMPOSSIBLE if all_finished else Judgment.OPEN
        return Judgment.HOLDS if all_finished else Judgment.OPEN
