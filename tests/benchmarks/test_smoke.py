"""Every measurement of the benchmark, at sizes that say nothing about speed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MEASUREMENTS = ("enqueue", "drain", "pickup", "idle", "backlog", "history", "logs", "pages", "held")


@pytest.mark.parametrize("measurement", MEASUREMENTS)
def test_it_measures(measurement: str, tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    contenders = "modhost,bare asyncpg,bare sqlite3"
    command = [sys.executable, "-m", "benchmarks", "--only", measurement, "--size", "smoke"]
    command += ["--rounds", "1", "--contenders", contenders, "--json", str(figures)]
    run = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONWARNINGS": "default"},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    results = json.loads(figures.read_text())["results"]
    assert {each["measurement"] for each in results} == {measurement}
    measured = [figure for each in results for figure in each["figures"]]
    assert "modhost" in {figure["row"] for figure in measured} or measurement in (
        "backlog",
        "history",
        "logs",
        "pages",
    )
    for figure in measured:
        assert figure["rounds"]
        # Nothing is dead, and nothing costs anything, at such sizes.
        allowed = figure["unit"] in ("rows", "% of a core") or figure["metric"] == "transactions"
        assert figure["rounds"][0] > 0 or allowed, figure
