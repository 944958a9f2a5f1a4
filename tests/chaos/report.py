"""What a trial prints."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

from chaos.judging.verdict import Evidence
from chaos.trial import Plan, Result

SHOWN = 20


def report(kind: str, plan: Plan, result: Result) -> Iterator[str]:
    """Return the lines of a report."""
    evidence = result.evidence
    account = evidence.account
    states = Counter(job.state for job in evidence.stored.jobs.values() if job.is_own)
    cut_off = sum(run.ended is None for run in account.runs)
    again = sum(len(runs) > 1 for runs in account.by_job.values())
    yield (
        f"{kind}, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC: seed {plan.seed}, "
        f"{result.seconds:.0f} s, {len(evidence.recoveries)} faults"
    )
    yield from _table(evidence)
    yield f"  jobs {dict(sorted(states.items()))}; attempts {len(account.runs)}, cut off {cut_off}"
    yield f"  jobs with several attempts {again}; enqueues refused {sum(account.refused.values())}"
    due_times = sum(map(len, evidence.stored.due_times.values()))
    steps = sum(map(len, evidence.stored.entries.values()))
    starts = sum(len(times) for _, _, times in evidence.stored.starts.values())
    workflows = len(evidence.stored.outcomes)
    yield (
        f"  due times fired {due_times}; workflows {workflows}; steps {steps}; "
        f"starts under rates {starts}"
    )
    answers = ", ".join(f"{count} x {name}" for name, count in sorted(evidence.answers.items()))
    yield f"  answers to requests {answers}; living workers taken for dead {result.slow}"
    for process in dict.fromkeys(sample.process for sample in evidence.samples):
        own = [sample for sample in evidence.samples if sample.process == process]
        memory = f"{own[0].memory / 2**20:.0f} to {own[-1].memory / 2**20:.0f} MiB"
        yield f"  {process}: {memory}, {own[0].descriptors} to {own[-1].descriptors} descriptors"
    yield f"  violations {len(result.wrong)}"
    yield from (f"  WRONG: {each}" for each in result.wrong[:SHOWN])


def _table(evidence: Evidence) -> Iterator[str]:
    names = sorted({each.name for each in evidence.recoveries})
    width = max(map(len, names), default=5)
    yield f"  {'fault':{width}}  times  judged  back after at most"
    for name in names:
        own = [each for each in evidence.recoveries if each.name == name]
        judged = [each for each in own if each.is_judged]
        seconds = [each.seconds for each in judged if each.seconds is not None]
        back = f"{max(seconds):.1f} s" if seconds and len(seconds) == len(judged) else "never"
        yield f"  {name:{width}}  {len(own):5}  {len(judged):6}  {back if judged else ''}"
