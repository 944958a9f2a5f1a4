"""A ledger, and what the database says, as tests write them; times are in seconds."""

from typing import Any, Final

from chaos.judging.account import SECOND, Account
from chaos.judging.recovery import Recovery, Sample
from chaos.judging.stored import Stored, StoredJob
from chaos.judging.verdict import Evidence, violations

SILENCE_SECONDS: Final = 5.0
MINUTE: Final = 1_800_000_000.0


class Writing:
    """Writes what the judges read."""

    def __init__(self) -> None:
        self.evidence = Evidence(Account(), Stored(), SILENCE_SECONDS)
        self._lines: list[dict[str, Any]] = []
        self._runs = 0

    def note(self, at: float, event: str, pid: int = 1, **facts: Any) -> None:
        self._lines.append({"at": int(at * SECOND), "event": event, "pid": pid, **facts})

    def offer(self, token: str, kind: str = "Plain", expected: str = "done", **facts: Any) -> None:
        self.note(0, "offered", token=token, kind=kind, expected=expected, **facts)

    def job(self, token: str, state: str = "Completed", kind: str = "Plain", **facts: Any) -> None:
        """Store a job that its producer has been given the id of."""
        self.offer(token, kind, **facts)
        self.note(0.1, "stored", token=token, id=f"id-{token}")
        self.store(token, state, kind)

    def store(self, token: str, state: str = "Completed", kind: str = "Plain", **more: Any) -> None:
        id_ = f"id-{token}"
        self.evidence.stored.jobs[id_] = StoredJob(id_, kind, state, token, **more)

    def run(
        self, token: str, began: float, ended: float | None, *keys: str, pid: int = 1, **more: Any
    ) -> None:
        self._runs += 1
        run = f"{self._runs}"
        how = more.pop("how", "done")
        facts = {"kind": "Plain", "wall": MINUTE + began} | more
        self.note(began, "begin", pid, run=run, job=f"id-{token}", token=token, keys=keys, **facts)
        if ended is not None:
            self.note(ended, "end", pid, run=run, how=how)

    def span(self, event: str, began: float, ended: float, **facts: Any) -> None:
        number = f"{len(self._lines)}"
        self.note(began, f"{event} begins", span=number, **facts)
        self.note(ended, f"{event} ends", span=number)

    def away(self, pid: int, began: float, ended: float, how: str = "suspended") -> None:
        self.span("impaired", began, ended, pids=[pid], how=how)

    def verdict(self) -> list[str]:
        for line in sorted(self._lines, key=lambda each: each["at"]):
            self.evidence.account.add(line)
        return list(violations(self.evidence))


def without_a_violation(writing: Writing) -> None:
    """Be what all trials should be: everything happens here that is allowed."""
    writing.job("retried")
    writing.run("retried", 1, 2, how="failed")
    writing.run("retried", 2.1, 3)
    writing.job("killed")
    writing.run("killed", 1, None, "1:key", pid=2)
    writing.note(1.5, "died", process=2)
    writing.run("killed", 8, 9, "1:key", pid=3)
    writing.job("limited")
    writing.run("limited", 2, 8, "1:key")
    writing.job("suspended")
    writing.run("suspended", 1, 12.5, "1:other", pid=4)
    writing.away(4, 1.2, 12)
    writing.run("suspended", 8, 9, "1:other", pid=5)
    writing.job("late")
    writing.away(14, 1.2, 12)
    writing.run("late", 8, 9, pid=15)
    writing.run("late", 12.1, 12.4, pid=16, above=[15, 14])
    writing.job("delayed", due=MINUTE + 5)
    writing.run("delayed", 5.1, 6)
    writing.offer("never", expected="never")
    writing.offer("unknown")
    writing.job("of a queue", queue="quiet")
    writing.span("paused", 2, 9, queue="quiet")
    writing.run("of a queue", 9.5, 10)
    writing.job("first", after=[], when="succeeded")
    writing.run("first", 1, 2)
    writing.job("second", after=["id-first"], when="succeeded")
    writing.run("second", 2.5, 3)
    writing.job("clean-up", "Cancelled", after=["id-first"], when="failed", expected="any")
    writing.job("one", unique="key")
    writing.run("one", 1, 2)
    writing.job("other", unique="key")
    writing.run("other", 3, 4)
    writing.span("scheduled", 20, 20.1, name="tick", since=MINUTE - 90, until=MINUTE + 1)
    for number, due in enumerate((MINUTE - 60, MINUTE)):
        writing.store(f"tick-{number}", due=due, schedule="tick")
        writing.run(f"tick-{number}", 1, 2, due=due)
        writing.evidence.stored.due_times.setdefault("tick", set()).add(due)
    writing.job("stepped", steps=2)
    writing.run("stepped", 1, 2)
    writing.evidence.stored.entries["stepped"] = {0: 1, 1: 1}
    writing.evidence.stored.starts["rate key"] = (2, 1.0, [0.0, 0.5, 1.0, 1.5])
    writing.evidence.recoveries = [
        Recovery("a fault", 10.0, 3.0, 10.0),
        Recovery("a fault", 10.0, None, 5.0, 0.3, 1.0),
    ]
    writing.evidence.samples = [Sample("a worker", 100 * 2**20, 40)] * 20
    writing.evidence.answers = {"200": 10, "503": 2}
    writing.span("fault", 20, 26, name="the disk full")
    writing.note(22, "unavailable", path="/api/jobs")
    writing.note(27, "unavailable", path="/health/ready")
