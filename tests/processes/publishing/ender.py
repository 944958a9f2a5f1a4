"""A worker that is killed just before or just after the commit of the end of a job.

python -m processes.publishing.ender DATABASE_URL before|after
"""

import os
import signal
import sys
from typing import Any

import anyio
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

from background_jobs.events.ending import Hearing, ends_of


async def main(database_url: str, when: str) -> None:
    async with ends_of(database_url, Hearing(), "Consumer") as ends:
        event.listen(Engine, "before_cursor_execute", lambda *given: _end(given[2], when))
        await ends.enqueue(tags=[when])
        await anyio.sleep_forever()


def _end(statement: str, when: str) -> None:
    """Die at the commit of the transaction that moves a job to the finished ones."""
    if "finished_jobs" in statement and "INSERT INTO" in statement:
        if when == "before":
            event.listen(Engine, "commit", _die)
        else:
            event.listen(Session, "after_commit", _die)


def _die(_: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    anyio.run(main, sys.argv[1], sys.argv[2])
