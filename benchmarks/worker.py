"""A fork server of worker processes: `python -m benchmarks.worker KIND`.

It imports everything once. For each line on its standard input, with a contender, a database, a
file of counters and options as JSON, it forks a worker process, which works until SIGTERM, and
answers with its id: the time of Python's imports is not measured.
"""

import json
import os
import signal
import sys
from pathlib import Path

from benchmarks.contenders.contender import Contender, Dialect, Executions
from benchmarks.contenders.installed import installed, named
from benchmarks.counting.sqlite_trace import trace_sqlite
from benchmarks.shared_counters import SharedCounters


def main() -> None:
    """Fork workers until the standard input ends."""
    installed([sys.argv[1]])
    # Nobody here waits for them.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while order := sys.stdin.readline():
        name, dialect, url, path, options = json.loads(order)
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            # The standard output is for numbers alone.
            nothing = os.open(os.devnull, os.O_RDWR)
            os.dup2(nothing, 0)
            os.dup2(nothing, 1)
            _work(named(name, Dialect(dialect)), url, Path(path), options)
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()


def _work(contender: Contender, url: str, path: Path, options: list[str]) -> None:
    """Be a worker process, and end it."""
    try:
        counters = SharedCounters(path)
        if "trace" in options:
            trace_sqlite(counters.add_statement)
        if changed := {"impatient", "forgetful"}.intersection(options):
            contender = _changed(contender.dialect, *changed)
        if "all" in options:
            _knows_all_jobs(contender)
        contender.work(url, Executions(counters))
    except BaseException:
        sys.excepthook(*sys.exc_info())
        raise
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


def _changed(dialect: Dialect, how: str) -> Contender:
    """Return a modhost that finds a dead worker at once, or keeps finished jobs for a minute."""
    from benchmarks.contenders.modhost_queue import FORGETFUL, IMPATIENT, ModhostQueue

    options = IMPATIENT if how == "impatient" else FORGETFUL
    return ModhostQueue(dialect, f"modhost ({how})", options)


def _knows_all_jobs(contender: Contender) -> None:
    """Let a modhost run jobs with limits, with steps, and in processes, too."""
    from benchmarks.contenders.modhost_jobs import JOBS
    from benchmarks.contenders.modhost_queue import ModhostQueue

    assert isinstance(contender, ModhostQueue)
    contender.jobs = JOBS


if __name__ == "__main__":
    main()
