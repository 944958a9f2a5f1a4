"""The pytest plugin of modhost: the fixtures `host`, `client` and `clock`.

It is imported by each run of pytest where modhost is installed, so what it needs is imported by
the fixtures. It is not in the package `modhost`, whose import takes a while.
"""

import inspect
import os
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import httpx2

    from modhost import Clock, Module
    from modhost.testing import BlockingHost, MovableClock, RunningHost
    from modhost.testing.setup import HostSetup
    from modhost.testing.templates import Templates

URL_VARIABLE = "MODHOST_TEST_DATABASE_URL"
HOST_MARKER = (
    "modhost(*, modules=None, config=None, role='web'): the host of a test: its modules instead of "
    "those of `modhost_modules`, and tables of the configuration, merged into `modhost_config`."
)
PERMISSIONS_MARKER = (
    "permissions(*permissions, roles=()): what the token of the fixture `client` may do."
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that names the database."""
    described = (
        "the database of the fixture `host`: `sqlite`, the default, or the URL of a PostgreSQL "
        f"server whose user may create databases; {URL_VARIABLE} overrides it"
    )
    parser.addini("modhost_database", described, default="sqlite")


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Add the hooks for the plugins of modules."""
    from modhost_pytest import hooks

    pluginmanager.add_hookspecs(hooks)


def pytest_configure(config: pytest.Config) -> None:
    """Declare the markers."""
    for marker in (HOST_MARKER, PERMISSIONS_MARKER):
        config.addinivalue_line("markers", marker)


def is_async(request: pytest.FixtureRequest) -> bool:
    """Return whether a test runs on an event loop, and so its fixtures too."""
    function = request.function
    inner = getattr(getattr(function, "hypothesis", None), "inner_test", function)
    return inspect.iscoroutinefunction(inner)


@pytest.fixture
def modhost_modules() -> "Sequence[Module] | None":
    """The modules of the host; None for all that are installed. To be overridden."""
    return None


@pytest.fixture
def modhost_config() -> Mapping[str, Any]:
    """The configuration of the host, as the tables of the file. To be overridden."""
    return {}


@pytest.fixture(scope="session")
def modhost_database(pytestconfig: pytest.Config) -> str:
    """The database: `sqlite`, or the URL of a PostgreSQL server. To be overridden."""
    configured: str = pytestconfig.getini("modhost_database")
    return os.environ.get(URL_VARIABLE) or configured


@pytest.fixture
def clock() -> "MovableClock":
    """The time of day of the host, which stands still until the test moves it."""
    from modhost.testing import MovableClock

    return MovableClock()


@pytest.fixture(scope="session")
def _modhost_templates(modhost_database: str) -> "Iterator[Templates]":
    from modhost.testing.templates import Templates

    with Templates(modhost_database) as templates:
        yield templates


@pytest.fixture
def _modhost_plan(
    request: pytest.FixtureRequest,
    modhost_modules: "Sequence[Module] | None",
    modhost_config: Mapping[str, Any],
    clock: "Clock",
) -> "HostSetup":
    from modhost.testing.setup import HostSetup

    plan = HostSetup(modhost_modules, modhost_config, clock)
    for marker in reversed(list(request.node.iter_markers("modhost"))):
        plan = plan.changed(**marker.kwargs)
    return plan.with_defaults(request.config.hook.pytest_modhost_options(request=request))


@pytest.fixture
def modhost_database_url(
    _modhost_plan: "HostSetup", _modhost_templates: "Templates", tmp_path: Path
) -> Iterator[str]:
    """The URL of the database of the host: migrated, and empty. To be overridden."""
    with _modhost_templates.copy(_modhost_plan.modules, _modhost_plan.config, tmp_path) as url:
        yield url


@pytest.fixture
def _modhost_setup(_modhost_plan: "HostSetup", modhost_database_url: str) -> "HostSetup":
    return _modhost_plan.on(modhost_database_url)


@pytest.fixture
async def _modhost_running(_modhost_setup: "HostSetup") -> "AsyncIterator[RunningHost]":
    async with _modhost_setup.running() as host:
        yield host


@pytest.fixture
def _modhost_blocking(_modhost_setup: "HostSetup") -> "Iterator[BlockingHost]":
    with _modhost_setup.blocking() as host:
        yield host


@pytest.fixture
def host(
    request: pytest.FixtureRequest, _modhost_setup: "HostSetup"
) -> "RunningHost | BlockingHost":
    """A host that runs: a `RunningHost` for an `async def`, a `BlockingHost` for a plain one."""
    has_loop = "anyio_backend" in request.fixturenames
    if is_async(request) and not has_loop and not request.config.pluginmanager.hasplugin("asyncio"):
        reason = "an `async def` needs an event loop: mark it with @pytest.mark.anyio."
        pytest.fail(reason, pytrace=False)
    # What has parameters must be known before the test: only what has none is asked for here.
    name = "_modhost_running" if is_async(request) else "_modhost_blocking"
    found: RunningHost | BlockingHost = request.getfixturevalue(name)
    return found


@pytest.fixture
async def _modhost_async_client(
    request: pytest.FixtureRequest, host: "RunningHost"
) -> "httpx2.AsyncClient":
    permissions, roles = _permitted(request)
    return await host.client(*permissions, roles=roles)


@pytest.fixture
def _modhost_blocking_client(
    request: pytest.FixtureRequest, host: "BlockingHost"
) -> "httpx2.Client":
    permissions, roles = _permitted(request)
    return host.client(*permissions, roles=roles)


@pytest.fixture
def client(
    request: pytest.FixtureRequest,
    host: "RunningHost | BlockingHost",
) -> "httpx2.AsyncClient | httpx2.Client":
    """A client of `host`, with a token of the permissions of the marker `permissions`.

    An `httpx2.AsyncClient` for an `async def`, an `httpx2.Client` for a plain one; without the
    marker it is anonymous.
    """
    name = "_modhost_async_client" if is_async(request) else "_modhost_blocking_client"
    found: httpx2.AsyncClient | httpx2.Client = request.getfixturevalue(name)
    return found


def _permitted(request: pytest.FixtureRequest) -> tuple[Sequence[str], Sequence[str]]:
    marker = request.node.get_closest_marker("permissions")
    return (marker.args, marker.kwargs.get("roles", ())) if marker else ((), ())
