"""Databases that are migrated once, and copied for each test in a few milliseconds."""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self
from uuid import uuid4

from anyio.from_thread import BlockingPortal, start_blocking_portal

from modhost import Module
from modhost.configuration import Configuration
from modhost.runtime.assembly import build_host
from modhost.testing.servers import DatabaseServer

SQLITE: Final = "sqlite"


class Templates:
    """The templates of a run of tests, one for each set of modules, on one kind of database.

    Args:
        url: `sqlite` for files, or the URL of a PostgreSQL server whose user may create databases.
        folder: where the files are.

    """

    def __init__(self, url: str, folder: Path) -> None:
        self._url = url
        self._folder = folder
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
        template = self._template(modules, config)
        if self._server is not None:
            with self._server.database(template) as url:
                yield url
        else:
            yield sqlite_url(shutil.copy(template, folder / "modhost.db"))

    def _template(self, modules: Sequence[Module] | None, config: Mapping[str, Any]) -> str:
        key = _key_of(modules, config)
        if key not in self._made:
            self._made[key] = self._make(lambda url: self._migrate(url, modules, config))
        return self._made[key]

    def _make(self, migrate: Callable[[str], None]) -> str:
        """Return the file, or the name of the database, that was migrated."""
        if self._server is not None:
            return self._stack.enter_context(self._server.template(migrate))
        file = self._folder / f"{uuid4().hex}.db"
        migrate(sqlite_url(file))
        return str(file)

    def _migrate(
        self, url: str, modules: Sequence[Module] | None, config: Mapping[str, Any]
    ) -> None:
        # Tests that bring their own databases do without alembic.
        from modhost.database.migrations import migrate

        own = {**config.get("host", {}), "database_url": url}
        host = build_host(Configuration({**config, "host": own}), "command", modules=modules)

        async def run() -> None:
            async with host.database.open():
                await migrate(host.database, host.migrations)

        self._portal.call(run)


def sqlite_url(file: Path | str) -> str:
    """Return the URL of a SQLite database."""
    return f"sqlite:///{file}"


def _key_of(modules: Sequence[Module] | None, config: Mapping[str, Any]) -> object:
    """Return what two tests have in common whose hosts have the same tables."""
    given = None if modules is None else tuple((type(each), each.migrations) for each in modules)
    configured = frozenset(config.get("modules", {}))
    return given, configured, repr(config.get("host", {}).get("modules"))
