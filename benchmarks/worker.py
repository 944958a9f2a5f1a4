"""A worker process: `python -m benchmarks.worker CONTENDER DIALECT URL TALLY`, until SIGTERM.

It loads everything, says `ready`, and begins at the first line on its standard input, so that the
time that Python takes to import is no part of any measurement.
"""

import sys
from pathlib import Path

from benchmarks.contenders.contender import Dialect, Executions
from benchmarks.contenders.entered import named
from benchmarks.tally import Tally


def main() -> None:
    """Be the worker process."""
    name, dialect, url, path = sys.argv[1:]
    contender = named(name, Dialect(dialect))
    executions = Executions(Tally(Path(path)))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    contender.work(url, executions)


if __name__ == "__main__":
    main()
