"""A short run of transactional steps under kills, whose size is that of `make steps` otherwise."""

from pathlib import Path

import pytest

from processes.stepping.stepping import Plan, Stepping
from sweeps import ONE_DATABASE

pytestmark = pytest.mark.anyio


@ONE_DATABASE
async def test_each_transactional_step_writes_exactly_once(
    tmp_path: Path, database_url: str
) -> None:
    plan = Plan(steps=150, kill_after=0.5, pause=0.15, kills=3, suspends=0.4, workers=2)
    result = await Stepping(tmp_path / "steps", database_url, plan).run()
    assert result.faults == []
    assert result.entries == 150
    assert result.kills + result.suspended > 0
    assert result.attempts > 15


async def test_a_step_that_is_noted_apart_is_found(tmp_path: Path, sqlite_url: str) -> None:
    plan = Plan(steps=200, kill_after=0.5, kills=4, suspends=0, in_processes=0, broken=True)
    result = await Stepping(tmp_path / "steps", sqlite_url, plan).run()
    assert any("more than once" in fault for fault in result.faults)
