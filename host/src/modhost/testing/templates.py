"""Databases that are migrated once, and copied for each test in a few milliseconds."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from anyio.from_thread import BlockingPortal, start_blocking_portal

from modhost import Module
from modhost.configuration import Configuration
from modhost.runtime.assembly import build_host
from modhost.testing.servers import DatabaseServer

SQLITE: Final = "sqlite"
MAX_FILES: Final = 20
_FILES: Final[dict[object, bytes]] = {}
"""What a migrated SQLite database is, for the latest sets of modules of this process."""


class Templates:
    """The templates of a run of tests, one for each set of modules, on one kind of database.

    Args:
        url: `sqlite` for files, or the URL of a PostgreSQL server whose user may create databases.

    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._made: dict[object, str] = {}
        self._stack = ExitStack()
        self._server: DatabaseServer | None = None
        self._portal: BlockingPortal

    def __enter__(self) -> Self:
        self._portal = self._stack.enter_context(start_blocking_portal())
        if self._url != SQLITE:
            self._server = self._stack.enter_context(
                DatabaseServer.connected(self._url, self._portal)
            )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()

    @contextmanager
    def copy(
        self, modules: Sequence[Module] | None, config: Mapping[str, Any], folder: Path
    ) -> Iterator[str]:
        """Offer the URL of a new database with the tables of the modules, and nothing in them.

        Args:
            modules: instead of all that are installed.
            config: the tables of the configuration file, which may leave modules out.
            folder: where a file goes.

        Raises:
            StartupError: as the command line would report it.

        """
        if self._server is None:
            yield self._portal.call(new_file, folder, modules, config)
            return
        key = _key_of(modules, config)
        if key not in self._made:
            migrated = self._server.template(
                lambda url: self._portal.call(_migrate, url, modules, config)
            )
            self._made[key] = self._stack.enter_context(migrated)
        with self._server.database(self._made[key]) as url:
            yield url


async def new_file(
    folder: Path, modules: Sequence[Module] | None, config: Mapping[str, Any]
) -> str:
    """Return the URL of a new SQLite database in a folder; `Templates.copy` describes the rest."""
    file = folder / "modhost.db"
    key = _key_of(modules, config)
    url = f"sqlite:///{file}"
    if key in _FILES:
        file.write_bytes(_FILES[key])
    else:
        await _migrate(url, modules, config)
        if len(_FILES) >= MAX_FILES:
            del _FILES[next(iter(_FILES))]
        _FILES[key] = file.read_bytes()
    return url


async def _migrate(url: str, modules: Sequence[Module] | None, config: Mapping[str, Any]) -> None:
    # Tests that bring their own databases do without alembic.
    from modhost.database.migrations import migrate

    own = {**config.get("host", {}), "database_url": url}
    host = build_host(Configuration({**config, "host": own}), "command", modules=modules)
    async with host.database.open():
        await migrate(host.database, host.migrations)


def _key_of(modules: Sequence[Module] | None, config: Mapping[str, Any]) -> object:
    """Return what two tests have in common whose hosts have the same tables."""
    given = None if modules is None else tuple((type(each), each.migrations) for each in modules)
    configured = frozenset(config.get("modules", {}))
    return given, configured, repr(config.get("host", {}).get("modules"))
