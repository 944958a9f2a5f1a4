"""The name by which a worker process is known to the others."""

import importlib.metadata
import os
import re
import secrets
import socket
from typing import Final

from modhost_background_jobs.model import WorkerInfo

VERSION: Final = importlib.metadata.version("modhost-background-jobs")


def identify_worker(max_concurrency: int, job_types: tuple[str, ...]) -> WorkerInfo:
    """Return who this worker is: a name that tells where it runs, and is never used twice."""
    host = re.sub(r"[^\w.-]", "-", socket.gethostname())[:60] or "host"
    process = os.getpid()
    return WorkerInfo(
        name=f"{host}-{process}-{secrets.token_hex(3)}",
        host=host,
        process=process,
        version=VERSION,
        max_concurrency=max_concurrency,
        job_types=job_types,
    )
