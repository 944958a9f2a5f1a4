"""`python -m mutation`: change the queue, and see which changes its tests do not notice."""

import os
import subprocess
import sys
import time
from collections import Counter
from functools import partial
from itertools import zip_longest
from pathlib import Path
from typing import Final

import click

from mutation.exchange import exchange
from mutation.measuring import TESTS, measure
from mutation.mutants import Mutant, difference, mutants_of, sampled
from mutation.results import Result, Results, table
from mutation.running import PASSED, UNCHANGED, Collected, Run, Sources, import_what_stays, start
from mutation.selection import Selection

PACKAGE: Final = Path("modules/background_jobs/src/modhost_background_jobs")
AREAS: Final = ("storage", "queue", "worker", "cron")
FOLDER: Final = Path("var/mutation")
SERVER: Final = """
import sys
sys.path.insert(0, "tests")
from leftovers import Watch
from postgres import Postgres
watch = Watch()
with Postgres.start() as server:
    print(server.url, flush=True)
    sys.stdin.read()
watch.end()
"""


class Session:
    """The mutants that are tried now, and where each stands."""

    def __init__(
        self,
        selection: Selection,
        results: Results,
        budget: float,
        slots: int,
        collected: Collected | None,
    ) -> None:
        self._selection = selection
        self._results = results
        self._budget = budget
        self._collected = collected
        self._slots = [Sources(PACKAGE, FOLDER / f"sources{number}") for number in range(slots)]
        self._running: dict[int, tuple[Mutant, Run, Sources, str, int]] = {}

    def run(self, mutants: list[Mutant]) -> None:
        """Try mutants until none is left."""
        for mutant in mutants:
            while not self._slots:
                self._poll()
            self._begin(mutant)
        while self._running:
            self._poll()

    def _begin(self, mutant: Mutant) -> None:
        source = (PACKAGE / mutant.file).read_text()
        changed = mutant.applied_to(source)
        if changed is None:
            self._note(mutant, "none", "")
            return
        shown = difference(source, changed)
        tests, seconds = self._tests(mutant)
        if not tests:
            self._note(mutant, "untested", shown)
            return
        sources = self._slots.pop()
        sources.write(mutant.file, changed)
        if self._collected is None:
            run = start(tests, seconds, sources)
        else:
            change = partial(exchange, PACKAGE, mutant.file, changed, mutant.line)
            run = self._collected.start(tests, seconds, sources, change)
        self._running[run.process] = mutant, run, sources, shown, len(tests)

    def _tests(self, mutant: Mutant) -> tuple[list[str], float]:
        """Return the tests within the budget: first those that have killed others."""
        chosen: list[str] = []
        seconds = 0.0
        # Of both databases the one that takes longer comes last, unless its code is changed.
        last = "[sqlite" if "postgres" in mutant.file else "[postgresql"
        known = () if self._collected is None else self._collected.tests
        tests = sorted(self._selection.of(mutant, known), key=lambda test: last in test)
        before = self._results.found.get(mutant.name)
        if before is not None and before.outcome == "survived":
            tests = tests[before.tests :]  # The others have been tried.
        for test in tests:
            if seconds + self._selection.seconds(test) <= self._budget or not chosen:
                chosen.append(test)
                seconds += self._selection.seconds(test)
        return chosen, seconds

    def _poll(self) -> None:
        """Take what has ended, and end what hangs."""
        process, status = os.waitpid(-1, os.WNOHANG)
        for each, (_, run, *_) in self._running.items():
            if each != process and run.is_late():
                run.kill()
        if process not in self._running:
            time.sleep(0.02)
            return
        mutant, run, sources, shown, tests = self._running.pop(process)
        log = run.log.read_text(errors="replace")
        failed = (line for line in log.splitlines() if line.startswith(("FAILED ", "ERROR ")))
        killer = next(failed, log[-200:] if status else "").partition(" ")[2].partition(" - ")[0]
        code = os.waitstatus_to_exitcode(status)
        outcome = (
            "survived" if code == PASSED else "hung" if run.is_late() or code < 0 else "killed"
        )
        if self._collected is not None and code == UNCHANGED:
            outcome = "later"
        if code in (4, 5, 99) and "Error" not in log:
            msg = f"{mutant.name}: pytest ended with {code}: {log[-2000:]}"
            raise click.ClickException(msg)
        sources.restore(mutant.file)
        self._slots.append(sources)
        self._note(mutant, outcome, shown, tests, run, killer)

    def _note(
        self,
        mutant: Mutant,
        outcome: str,
        shown: str,
        tests: int = 0,
        run: Run | None = None,
        killer: str = "",
    ) -> None:
        seconds = 0.0 if run is None else round(time.monotonic() - run.began, 1)
        self._results.add(Result(mutant.name, mutant.area, outcome, tests, seconds, killer, shown))
        print(f"  {outcome}, {tests} tests, {seconds} s: {mutant.name} {killer}", flush=True)


@click.command()
@click.option("--areas", default=",".join(AREAS), show_default=True)
@click.option("--sample", type=click.IntRange(min=1), help="How many of each area; else all.")
@click.option("--seed", default=1, show_default=True, help="Of the sample.")
@click.option("--budget", default=30.0, show_default=True, help="Seconds of tests for a mutant.")
@click.option("--processes", type=click.IntRange(min=1), default=1, show_default=True)
@click.option("--survivors", is_flag=True, help="Try those again that survived.")
@click.option("--only", default="", help="Only mutants whose name contains this.")
@click.option("--report", is_flag=True, help="Run nothing; show the survivors and the score.")
def main(
    areas: str,
    sample: int | None,
    seed: int,
    budget: float,
    processes: int,
    *,
    survivors: bool,
    only: str,
    report: bool,
) -> None:
    """Put small faults into the queue, and see which of them its tests do not notice."""
    results = Results(FOLDER / "results.jsonl")
    sizes: Counter[str] = Counter()
    samples: list[list[Mutant]] = []
    for area in areas.split(","):
        mutants = mutants_of(PACKAGE, [area])
        sizes[area] = len(mutants)
        samples.append(sampled(mutants, sample, seed))
    # In turn: whenever the run ends, what has been tried of an area is a sample of it.
    chosen = [each for several in zip_longest(*samples) for each in several if each is not None]
    known = {each.name for each in chosen}
    if survivors:
        again = {each.mutant for each in results.survivors()}
        chosen = [each for each in chosen if each.name in again]
    else:
        chosen = [
            each
            for each in chosen
            if each.name not in results.found or results.found[each.name].outcome == "later"
        ]
    chosen = [each for each in chosen if only in each.name]
    if not report:
        if not (FOLDER / "tests").exists():
            measure(PACKAGE.name, FOLDER / "tests", processes)
        selection = Selection(PACKAGE, FOLDER / "tests")
        with subprocess.Popen(
            [sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as server:
            assert server.stdout is not None
            os.environ["MODHOST_TEST_POSTGRES_URL"] = server.stdout.readline().strip()
            import_what_stays()
            if os.fork() == 0:
                collected = Collected(TESTS)
                session = Session(selection, results, budget, processes, collected)
                collected.run(lambda: session.run(chosen))
                os._exit(0)
            os.wait()
            results = Results(FOLDER / "results.jsonl")
            again = {each.mutant for each in results.found.values() if each.outcome == "later"}
            later = [each for each in chosen if each.name in again]
            Session(selection, results, budget, processes, None).run(later)
    else:
        for each in results.survivors():
            if each.mutant in known:
                print(f"\n{each.mutant} ({each.outcome}, {each.tests} tests)\n{each.difference}")
    print(*table([each for name, each in results.found.items() if name in known], sizes), sep="\n")


if __name__ == "__main__":
    main()
