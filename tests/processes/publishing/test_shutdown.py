"""A process that is asked to stop waits for subscribers, and reports those that hang."""

import signal
from pathlib import Path

import pytest

from processes.deployment import Deployment
from processes.publishing.shutdown_module import StoppingModule


@pytest.mark.anyio
@pytest.mark.parametrize("command", ["run", "worker"])
async def test_a_signal_leaves_subscribers_the_grace(
    tmp_path: Path, sqlite_url: str, command: str
) -> None:
    deployment = Deployment(tmp_path / "deployment", sqlite_url, StoppingModule)
    try:
        process = await deployment.start(command, host__shutdown_grace="6s").ready()
        await deployment.marked("started")
        process.signal(signal.SIGTERM)
        deployment.stage.open_gate("stop", process.pid)
        assert await process.exit_code(20) == 0, process.log
    finally:
        deployment.kill_all()
    assert [each.name for each in deployment.marks("finished")] == ["slow"]
    assert [each.name for each in deployment.marks("cancelled")] == ["hanging"]
    assert "hang of stopping (Opened()) has not ended within the grace; it is ca" in process.log
    assert "take_time" not in process.log
