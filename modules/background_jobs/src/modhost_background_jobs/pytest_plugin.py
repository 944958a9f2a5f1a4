"""The pytest plugin of background jobs: the fixture `jobs`.

It is imported by each run of pytest where the module is installed, so what it needs is imported by
the fixture.
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pytest

from modhost_pytest import is_async

if TYPE_CHECKING:
    from modhost.testing import BlockingHost, RunningHost
    from modhost_background_jobs.testing import BlockingJobs, Jobs, Mode

MARKER = (
    "jobs(mode): how the jobs of a test run: 'held', until it drains the queue, which is the "
    "default, 'inline', where they are enqueued, or by a real 'worker'."
)
MODES = ("held", "inline", "worker")


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker."""
    config.addinivalue_line("markers", MARKER)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Let the marker be enough where a test has a host and asks nothing about jobs."""
    if isinstance(item, pytest.Function) and item.get_closest_marker("jobs") is not None:
        names = item.fixturenames
        if "host" in names and "jobs" not in names:
            names.append("jobs")


@pytest.hookimpl(optionalhook=True)
def pytest_modhost_options(request: pytest.FixtureRequest) -> Mapping[str, Mapping[str, Any]]:
    """Run a worker where a test asks for one, and let nobody mistrust a clock that was moved."""
    is_worker = _mode_of(request) == "worker"
    options = {
        "worker_mode": "Consumer" if is_worker else "Producer",
        "max_clock_skew": "36500d",
        "poll_interval": "100ms",
        "shutdown_grace": "2s",
    }
    return {"background_jobs": options}


@pytest.fixture
async def _modhost_async_jobs(
    request: pytest.FixtureRequest, host: "RunningHost"
) -> "AsyncIterator[Jobs]":
    from modhost_background_jobs.testing import Jobs

    async with Jobs.of(host, _mode_of(request)) as jobs:
        yield jobs


@pytest.fixture
def _modhost_blocking_jobs(
    request: pytest.FixtureRequest, host: "BlockingHost"
) -> "Iterator[BlockingJobs]":
    from modhost_background_jobs.testing import BlockingJobs

    with BlockingJobs.of(host, _mode_of(request)) as jobs:
        yield jobs


@pytest.fixture
def jobs(
    request: pytest.FixtureRequest, host: "RunningHost | BlockingHost"
) -> "Jobs | BlockingJobs":
    """The jobs of `host`, to assert and to run: `Jobs` for an `async def`, else `BlockingJobs`."""
    name = "_modhost_async_jobs" if is_async(request) else "_modhost_blocking_jobs"
    found: Jobs | BlockingJobs = request.getfixturevalue(name)
    return found


def _mode_of(request: pytest.FixtureRequest) -> "Mode":
    marker = request.node.get_closest_marker("jobs")
    mode: Mode = marker.args[0] if marker is not None and marker.args else "held"
    if mode not in MODES:
        raise pytest.UsageError(f"jobs({mode!r}) names no mode: give one of {', '.join(MODES)}.")
    return mode
