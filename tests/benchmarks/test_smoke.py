"""Every measurement of the benchmark, at sizes that say nothing about speed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.figures.document import BEGIN, END
from benchmarks.measurements.all import MEASUREMENTS
from sweeps import EXHAUSTIVE

ROOT = Path(__file__).parents[2]
# The peers, where they are installed, would take longer than all else.
CONTENDERS = "modhost,bare asyncpg,bare sqlite3"
SOME = ("enqueue", "logs")
# In these modhost is not one row among contenders.
OF_ITS_OWN = {
    "backlog",
    "history",
    "retention",
    "logs",
    "own",
    "flow",
    "lanes",
    "pages",
    "shop",
    "drivers",
    "workflows",
}


@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    "only", [SOME, pytest.param(tuple(MEASUREMENTS), marks=EXHAUSTIVE)], ids=["some", "all"]
)
def test_it_measures_and_writes_everything(tmp_path: Path, only: tuple[str, ...]) -> None:
    """In one process, so that what every measurement needs is started once."""
    figures, page = tmp_path / "figures.json", tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nwhat was there\n{END}\nafter\n")
    command = [sys.executable, "-m", "benchmarks", "--size", "smoke", "--rounds", "1"]
    command += ["--contenders", CONTENDERS, "--only", ",".join(only)]
    command += ["--json", str(figures), "--markdown", str(page)]
    run = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONWARNINGS": "default"},
        capture_output=True,
        text=True,
        timeout=380,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    results = json.loads(figures.read_text())["results"]
    assert [*dict.fromkeys(each["measurement"] for each in results)] == list(only)
    for each in results:
        rows = {figure["row"] for figure in each["figures"]}
        assert rows, each
        assert "modhost" in rows or each["measurement"] in OF_ITS_OWN
        for figure in each["figures"]:
            # Nothing is dead, and nothing costs anything, at such sizes.
            allowed = figure["unit"] in ("rows", "% of a core") or figure["metric"] == "statements"
            assert figure["rounds"]
            assert figure["rounds"][0] > 0 or allowed, figure
    written = page.read_text()
    assert written.startswith(f"before\n{BEGIN}\n")
    assert written.endswith(f"{END}\nafter\n")
    assert "what was there" not in written
    assert "### Targets" in written
