"""Lanes over the queue of each database."""

import pytest

from background_jobs.flow.lanes import Lanes
from modhost.database import Database
from modhost_background_jobs.queue.job_queue import DatabaseJobQueue
from modhost_background_jobs.storage import JobStore


@pytest.fixture
def lanes(database: Database, queue: DatabaseJobQueue, store: JobStore) -> Lanes:
    return Lanes(database, queue, store)
