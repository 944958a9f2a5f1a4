"""The way back with real processes: a host that runs, one that was killed, and a copied backup."""

import shutil
from pathlib import Path

import anyio.to_thread
import pytest
from click.testing import Result

from cli.command_line import CommandLine
from modhost_background_jobs.contracts import JobState
from processes.acting import GatedJob
from processes.deployment import Deployment
from processes.stage import Act

pytestmark = pytest.mark.anyio


async def test_a_backup_of_a_busy_host_comes_back_after_it_was_killed(
    tmp_path: Path, migrated_sqlite: Path
) -> None:
    file, backup = tmp_path / "host.db", tmp_path / "backup.db"
    shutil.copy(migrated_sqlite, file)
    deployment = Deployment(tmp_path / "deployment", f"sqlite:///{file}")
    command_line = CommandLine.of(tmp_path, f"sqlite:///{file}")

    async def run(*words: str) -> Result:
        return await anyio.to_thread.run_sync(command_line.run, *words)

    async with deployment.producing():
        await deployment.start().ready()
        first = await deployment.enqueue(GatedJob, Act(name="first"))
        await deployment.marked("started")
        assert (await run("backup", str(backup))).exit_code == 0
        refused = await run("restore", str(backup))
        assert (refused.exit_code, "open" in refused.stderr) == (1, True)
        second = await deployment.enqueue(GatedJob, Act(name="second"))
        await deployment.marked("started", "second")

    # The producer has closed the database, and then its worker was killed.
    shutil.copy(backup, file)
    killed = Deployment(tmp_path / "again", f"sqlite:///{file}")
    started = killed.start()
    try:
        assert await started.exit_code() == 2
        assert "host.db-wal does not belong to" in started.log
        assert "`modhost restore FROM`" in started.log
    finally:
        started.kill()

    assert (await run("restore", str(backup))).exit_code == 0
    restored = Deployment(tmp_path / "restored", f"sqlite:///{file}")
    async with restored.producing():
        # A restored backup continues where it was: what ran then runs again.
        await restored.start(stall_timeout="6s", heartbeat_interval="200ms").ready()
        (mark,) = await restored.marked("started", "first")
        restored.stage.open_gate("first", mark.process)
        assert (await restored.ends(first)).state is JobState.COMPLETED
        with pytest.raises(AssertionError, match="is lost"):
            await restored.detail(second)
