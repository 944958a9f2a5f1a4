"""The templates of a module: its own and those of the shell, with filters for times and numbers."""

from functools import partial
from pathlib import Path
from types import CodeType
from typing import Final

from jinja2 import (
    BaseLoader,
    BytecodeCache,
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    PackageLoader,
    PrefixLoader,
    StrictUndefined,
)
from jinja2.bccache import Bucket

from modhost.web.rendering import wording

HOST: Final = "modhost"
"""The name of the host's own pages, templates and static files."""

_FILTERS: Final = (
    wording.ago,
    wording.coded,
    wording.duration,
    wording.grouped,
    wording.marked,
    wording.rough,
    wording.utc,
)


class _CompiledTemplates(BytecodeCache):
    """Keeps compiled templates in memory: the shell's are compiled once for all modules."""

    def __init__(self) -> None:
        self._codes: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._codes.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        if bucket.code is not None:
            self._codes[bucket.key, bucket.checksum] = bucket.code


_COMPILED: Final = _CompiledTemplates()


def static_path(module: str, file: str) -> str:
    """Return the address of a module's static file."""
    return f"/static/{module}/{file}"


def template_environment(module: str, folder: Path | None) -> Environment:
    """Return the templates of a module; those of the host start with `modhost/`.

    Filters: `ago(now)`, `duration`, `utc`, `grouped`, `marked(words)`, `coded`, `rough`. Functions:
    `static(file)` is the address of a static file of the module.
    """
    loaders: list[BaseLoader] = [PrefixLoader({HOST: PackageLoader("modhost.web")})]
    if folder is not None:
        loaders.append(FileSystemLoader(folder))
    environment = Environment(
        loader=ChoiceLoader(loaders),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        bytecode_cache=_COMPILED,
    )
    environment.globals["static"] = partial(static_path, module)
    environment.globals["shell_static"] = partial(static_path, HOST)
    environment.filters |= {each.__name__: each for each in _FILTERS}
    return environment
