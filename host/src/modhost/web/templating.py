"""Jinja as the pages use it: escaping, strict, with the shell's templates and words."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from modhost.web import wording
from modhost.web.static_files import static_path

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

    from modhost.web.compiled_templates import COMPILED

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
