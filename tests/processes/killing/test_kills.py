"""A few workflows on each database, as many as one likes by `make kills`."""

from pathlib import Path

import pytest

from processes.killing.kills import Kills, Plan

pytestmark = pytest.mark.anyio


async def test_jobs_run_once_and_after_those_before_them_while_workers_die(
    tmp_path: Path, database_url: str
) -> None:
    plan = Plan(workflows=5, kill_after=0.3, kills=2, workers=2)
    result = await Kills(tmp_path / "kills", database_url, plan).run()
    assert result.faults == []
    assert sum(result.states.values()) == 250
    assert result.kills > 0
