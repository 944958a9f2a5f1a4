"""The history of a module: its revisions, as alembic reads them from its package."""

import importlib
import inspect
import traceback
import warnings
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final

from alembic.runtime.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection
from sqlalchemy import inspect as inspect_database

from modhost.checks import Finding, StartupError, rules
from modhost.database.errors import UnknownRevision, reason_of
from modhost.database.schemas import Migrations, Pending

VERSIONS: Final = "alembic_version"
"""The table in which alembic keeps the revision that a module's tables are at."""


class UnusableHistory(Exception):
    """The revisions of a module cannot be applied, whatever the database has."""


def histories_of(modules: Sequence[Migrations]) -> dict[Migrations, ScriptDirectory]:
    """Return the history of each module.

    Raises `StartupError` with a finding for each that cannot be used.
    """
    histories = {}
    findings = []
    for module in modules:
        try:
            histories[module] = _history_of(module)
        except UnusableHistory as error:
            remedy = "Fix the package, or leave the module out by [host.modules] disabled."
            findings.append(
                Finding(
                    rules.BROKEN_MIGRATIONS,
                    str(error),
                    remedy,
                    module.module,
                    module.distribution,
                )
            )
    if findings:
        raise StartupError(findings)
    return histories


def newest_of(modules: Sequence[Migrations]) -> dict[str, str]:
    """Return the newest revision of each module. Raises what `histories_of` raises."""
    histories = histories_of(modules)
    return {each.module: str(found.get_current_head()) for each, found in histories.items()}


def pending_among(
    connection: Connection, histories: dict[Migrations, ScriptDirectory]
) -> list[Pending]:
    """Return the modules whose tables are not at the newest revision. Raises `UnknownRevision`."""
    found = []
    for module, history in histories.items():
        wanted = str(history.get_current_head())
        current = _current(connection, module)
        if current == wanted:
            continue
        if current is not None:
            _refuse_unknown(history, module, current)
        found.append(Pending(module.module, current, wanted))
    return found


@cache
def _history_of(module: Migrations) -> ScriptDirectory:
    folder = _versions_of(module.package)
    history = ScriptDirectory(str(folder.parent), version_locations=[str(folder)])
    try:
        with warnings.catch_warnings():
            # Of revisions that are missing, or there twice.
            warnings.filterwarnings("error", module=r"alembic\.script\.revision")
            revisions = list(history.walk_revisions())
    except (Exception, SystemExit) as error:
        raise UnusableHistory(
            f"reading {place_in(folder, error) or folder} raised {summary_of(error)}"
        ) from error
    if not revisions:
        msg = f"migrations is {module.package!r}, and there is no revision in {folder}: was it "
        msg += "left out of the wheel? `modhost new migration` writes the first."
        raise UnusableHistory(msg)
    heads = sorted(history.get_heads())
    if len(heads) > 1:
        msg = f"the newest revision is one of {', '.join(heads)}: the down_revision of each has to "
        msg += "be the one before it, and of the first None."
        raise UnusableHistory(msg)
    for revision in revisions:
        _refuse_never_run(revision)
    return history


def _refuse_never_run(revision: Script) -> None:
    """Refuse a revision of which nothing would run, and which would count as applied."""
    upgrade = getattr(revision.module, "upgrade", None)
    if inspect.isgeneratorfunction(upgrade) or inspect.isasyncgenfunction(upgrade):
        what = "has a `yield`"
    elif inspect.iscoroutinefunction(upgrade):
        what = "is `async def`"
    else:
        return
    msg = f"upgrade in {Path(revision.path).name} {what}: it would never run. Write it with def, "
    msg += "and without `yield`."
    raise UnusableHistory(msg)


def _versions_of(package: str) -> Path:
    try:
        folders = list(importlib.import_module(package).__path__)
    except (Exception, SystemExit) as error:
        raise UnusableHistory(f"migrations is {package!r}: {summary_of(error)}") from error
    folder = Path(folders[0], "versions") if folders else Path("versions")
    if not folder.is_dir():
        msg = f"migrations is {package!r}, which has no folder `versions`; was it left out of the "
        msg += "wheel?"
        raise UnusableHistory(msg)
    return folder


def place_in(folder: Path, error: BaseException) -> str:
    """Return where in a revision an exception was raised, e.g. `0002_titles.py:14`."""
    frames = traceback.extract_tb(error.__traceback__)
    inside = [each for each in frames if Path(each.filename).parent == folder]
    return f"{Path(inside[-1].filename).name}:{inside[-1].lineno}" if inside else ""


def summary_of(error: BaseException) -> str:
    """Return an exception as a sentence, without the statement that SQLAlchemy adds."""
    return f"{type(error).__name__}: {reason_of(error)}"


def _current(connection: Connection, module: Migrations) -> str | None:
    if not inspect_database(connection).has_table(VERSIONS, schema=module.module):
        return None
    options = {"version_table": VERSIONS, "version_table_schema": module.module}
    return MigrationContext.configure(connection, opts=options).get_current_revision()


def _refuse_unknown(history: ScriptDirectory, module: Migrations, current: str) -> None:
    try:
        history.get_revision(current)
    except CommandError as error:
        msg = (
            f"The tables of {module.module} are at revision {current}, which the installed version "
            f"does not know: a newer version has migrated this database. Install that version."
        )
        raise UnknownRevision(msg) from error
