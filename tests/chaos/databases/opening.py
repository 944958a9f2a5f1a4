"""Each database of the trial, for the length of a block."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from chaos.databases.disk import mounted
from chaos.databases.networks import HERE, network
from chaos.databases.pgbouncer import pgbouncer
from chaos.databases.served import Kind, Served
from chaos.databases.server import server
from conftest import migrate_all

DISK_MEBIBYTES: Final = 1024
NAME: Final = "chaos"


@contextmanager
def served(kind: Kind, folder: Path) -> Iterator[Served]:
    """Open a migrated database of a kind, with all that belongs to it."""
    # The users that servers run as have to get there.
    folder.chmod(0o755)
    with ExitStack() as stack:
        disk = stack.enter_context(mounted(folder / "disk", DISK_MEBIBYTES))
        if kind == "sqlite":
            url = f"sqlite:///{disk.folder}/jobs.db"
            migrate_all(url)
            yield Served(kind, url, disk)
            return
        postgres = stack.enter_context(server(disk, NAME))
        migrate_all(postgres.url(NAME))
        opened = Served(kind, postgres.url(NAME), disk, postgres)
        if kind == "pgbouncer":
            opened.pooler = stack.enter_context(pgbouncer(folder / "pgbouncer", postgres))
            opened.url = postgres.url(NAME, port=opened.pooler.port)
        opened.network = stack.enter_context(network())
        yield opened


def url_from(opened: Served) -> str:
    """Return the URL by which a host in the network of a database reaches it."""
    return opened.url.replace("127.0.0.1", HERE)
