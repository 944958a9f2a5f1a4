"""What a ledger says: offers, runs, and what was done to whom."""

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

SECOND: Final = 1_000_000_000


@dataclass
class Offer:
    """A job that a producer wanted to enqueue.

    Attributes:
        token: what the producer calls it; a job that others enqueue has none.
        kind: its class.
        expected: `done`; `maybe cancelled`; `never`, when its transaction is rolled back.
        facts: what else the producer knows: `due`, `after`, `when`, `key`.
        ids: of the jobs that the queue has acknowledged for it.

    """

    token: str
    kind: str
    expected: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    ids: set[str] = field(default_factory=set)


@dataclass
class Run:
    """An attempt; `ended` is None where its process died in it, or nobody knows."""

    job: str
    token: str
    kind: str
    pid: int
    began: int
    ended: int | None = None
    how: str = ""
    keys: tuple[str, ...] = ()
    due: float | None = None
    wall: float = 0.0
    attempt: int = 1
    above: Sequence[int] = ()
    """The processes of its worker, where it ran in one of its own, which shares their fate."""

    @property
    def is_apart(self) -> bool:
        """Whether it ran in a process of its own, which dies with its worker unnoticed."""
        return bool(self.above)

    def is_in(self, processes: Collection[int]) -> bool:
        """Return whether one of its processes is among these."""
        return any(each in processes for each in (self.pid, *self.above))


@dataclass
class Span:
    """A time in which something was done: `facts` has what, and to which process if to one."""

    event: str
    facts: Mapping[str, Any]
    began: int
    ended: int | None = None

    def is_of(self, run: Run) -> bool:
        """Return whether it was done to the process of an attempt, or to its worker."""
        return run.is_in(self.pids)

    @property
    def pids(self) -> Sequence[int]:
        """The processes to which it was done."""
        pids: Sequence[int] = self.facts.get("pids", ())
        return pids


@dataclass
class Account:
    """All of a ledger, read so far."""

    offers: dict[str, Offer] = field(default_factory=dict)
    runs: list[Run] = field(default_factory=list)
    by_job: dict[str, list[Run]] = field(default_factory=lambda: defaultdict(list))
    spans: dict[str, Span] = field(default_factory=dict)
    died: dict[int, int] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    unavailable: list[tuple[int, str]] = field(default_factory=list)
    """When requests were answered with 503, and of which path."""
    _spans: dict[str, list[Span]] = field(default_factory=lambda: defaultdict(list))
    _open: dict[str, Run] = field(default_factory=dict)
    _offsets: dict[Path, int] = field(default_factory=dict)

    def read(self, folder: Path) -> "Account":
        """Read what has been added to a ledger."""
        lines: list[dict[str, Any]] = []
        for path in folder.glob("*.jsonl"):
            offset = self._offsets.get(path, 0)
            with path.open("rb") as file:
                file.seek(offset)
                added = file.read()
            # A process that is killed may leave its last line unfinished.
            whole, _, _ = added.rpartition(b"\n")
            self._offsets[path] = offset + len(whole) + bool(whole)
            lines += map(json.loads, whole.splitlines())
        for line in sorted(lines, key=lambda each: each["at"]):
            self.add(line)
        return self

    def add(self, line: dict[str, Any]) -> None:
        """Add one line."""
        at, event, pid = line.pop("at"), line.pop("event"), line.pop("pid")
        if event == "offered":
            offer = Offer(line.pop("token"), line.pop("kind"), line.pop("expected"), line)
            self.offers[offer.token] = offer
        elif event == "stored":
            self.offers[line["token"]].ids.add(line["id"])
        elif event == "begin":
            name, keys = line.pop("run"), tuple(line.pop("keys"))
            run = Run(pid=pid, began=at, keys=keys, **line)
            self._open[name] = run
            self.runs.append(run)
            self.by_job[run.job].append(run)
        elif event == "end":
            run = self._open.pop(line["run"])
            run.ended, run.how = at, line["how"]
        elif event == "died":
            self.died[line["process"]] = at
        elif event == "refused":
            self.refused[line["error"]] += 1
        elif event == "unavailable":
            self.unavailable.append((at, line["path"]))
        elif event.endswith(" begins"):
            self.note_span(line.pop("span"), Span(event.removesuffix(" begins"), line, at))
        elif event.endswith(" ends"):
            self.spans[line["span"]].ended = at

    def named(self, event: str) -> list[Span]:
        """Return the times of one event, in order."""
        return sorted(self._spans[event], key=lambda each: each.began)

    def note_span(self, name: str, span: Span) -> None:
        """Add a time in which something was done."""
        self.spans[name] = span
        self._spans[span.event].append(span)

    def ended_at(self, run: Run) -> int | None:
        """Return when a run ended at last: a killed process ends what it ran."""
        return self.died.get(run.pid) if run.ended is None else run.ended
