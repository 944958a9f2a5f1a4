"""Templates as they were compiled, once for all modules: each has the shell's besides its own."""

from functools import partial
from pathlib import Path
from types import CodeType
from typing import TYPE_CHECKING, Final

from jinja2 import BytecodeCache
from jinja2.bccache import Bucket

from modhost.web.rendering import wording
from modhost.web.rendering.static_files import static_path


class CompiledTemplates(BytecodeCache):
    """Keeps what was compiled in memory, by file and content."""

    def __init__(self) -> None:
        self._codes: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give the bucket what was compiled of the same file before."""
        bucket.code = self._codes.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what the bucket has."""
        if bucket.code is not None:
            self._codes[bucket.key, bucket.checksum] = bucket.code


COMPILED: Final = CompiledTemplates()


if TYPE_CHECKING:
    from jinja2 import BaseLoader, Environment

HOST: Final = "modhost"


def template_environment(module: str, folder: Path | None) -> "Environment":
    """Return the templates of a module; those of the host start with `modhost/`.

    Filters: `ago(now)`, `duration`, `utc`, `grouped`, `marked(words)`, `coded`, `rough`. Functions:
    `static(file)` is the address of a static file of the module.
    """
    # Workers and the processes of jobs have no pages, and start sooner without.
    from jinja2 import (
        ChoiceLoader,
        Environment,
        FileSystemLoader,
        PackageLoader,
        PrefixLoader,
        StrictUndefined,
    )

    loaders: list[BaseLoader] = [PrefixLoader({HOST: PackageLoader("modhost.web")})]
    if folder is not None:
        loaders.append(FileSystemLoader(folder))
    environment = Environment(
        loader=ChoiceLoader(loaders),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        bytecode_cache=COMPILED,
    )
    environment.globals["static"] = partial(static_path, module)
    environment.globals["shell_static"] = partial(static_path, HOST)
    words = (wording.ago, wording.duration, wording.utc, wording.grouped, wording.marked)
    for each in (*words, wording.coded, wording.rough):
        environment.filters[each.__name__] = each
    return environment
