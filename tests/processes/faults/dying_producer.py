"""A process that stores a report and its job in one transaction, and is killed meanwhile.

python -m processes.faults.dying_producer DATABASE_URL before|after
"""

import os
import signal
import sys
from typing import Any

import anyio
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

from hosts import host_with
from modhost_reports_example.contracts import ReportRequest, ReportsContracts, ReportType
from modhost_reports_example.module import ReportsModule

TYPES = {"before": ReportType.MONTHLY, "after": ReportType.YEARLY}
"""Which report is asked for, by when the process dies."""


async def main(database_url: str, when: str) -> None:
    """Ask for a report, and be killed just before or just after the commit."""
    async with host_with(database_url, ReportsModule()) as jobs, jobs.host.scope() as scope:
        reports = await scope.get(ReportsContracts)
        if when == "before":
            event.listen(Session, "after_flush", _die_at_the_commit)
        else:
            event.listen(Session, "after_commit", _die)
        await reports.request(ReportRequest(type=TYPES[when], source="seattle-weather"))


def _die_at_the_commit(*_: Any) -> None:
    # All statements are sent now; next the driver is asked for the commit.
    event.listen(Engine, "commit", _die)


def _die(_: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    anyio.run(main, sys.argv[1], sys.argv[2])
