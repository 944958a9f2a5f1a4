"""Commands that try something with many processes: on a database of their own, one or both."""

from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from conftest import migrate_all
from leftovers import Watch
from postgres import Postgres


def command(name: str, description: str | None, *, kill_after: float) -> ArgumentParser:
    """Return the parser of `make <name>`, with the options that all such commands have."""
    parser = ArgumentParser(prog=f"make {name}", description=description)
    parser.add_argument("--database", choices=["sqlite", "postgresql", "both"], default="both")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--kill-after", type=float, default=kill_after, help="seconds between two kills"
    )
    return parser


def run_on(databases: str, run: Callable[[str, str, Path], bool]) -> int:
    """Give `run` the URL of each database, its name and a folder; return 1 unless all is well.

    All processes that it leaves behind are ended.
    """
    watch = Watch()
    try:
        names = ["sqlite", "postgresql"] if databases == "both" else [databases]
        are_well = [_run_on(name, run) for name in names]
        return 0 if all(are_well) else 1
    finally:
        watch.end()


def _run_on(name: str, run: Callable[[str, str, Path], bool]) -> bool:
    with TemporaryDirectory() as folder:
        if name == "sqlite":
            url = f"sqlite:///{folder}/jobs.db"
            migrate_all(url)
            return run(url, name, Path(folder) / "run")
        with Postgres.start() as server, server.lent() as url:
            migrate_all(url)
            return run(url, name, Path(folder) / "run")
