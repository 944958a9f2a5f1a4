"""The templates of modules, with the functions and filters that they use."""

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import CodeType
from typing import Final

import jinja2

from modhost.web.rendering import wording

HOST: Final = "modhost"
"""The name of the host's own pages, templates and static files."""

# A link to a path of the host; `//` begins another host.
_LINK: Final = re.compile(r"""(\s(?:href|src|srcset|action|formaction|poster)=["'])/(?!/)""")


class _CompiledTemplates(jinja2.BytecodeCache):
    """Keeps compiled templates in memory: the shell's are compiled once for all modules."""

    def __init__(self) -> None:
        self._codes: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: jinja2.bccache.Bucket) -> None:
        bucket.code = self._codes.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: jinja2.bccache.Bucket) -> None:
        if bucket.code is not None:
            self._codes[bucket.key, bucket.checksum] = bucket.code


_COMPILED: Final = _CompiledTemplates()


class _BelowBase(jinja2.BaseLoader):
    """Puts the base path in front of the links that templates spell out.

    Only the text of templates is changed, before it is compiled: `href="/reports"`. Values are not;
    `url(path)` is for those.
    """

    def __init__(self, templates: jinja2.BaseLoader, base_path: str) -> None:
        self._templates = templates
        self._below = rf"\1{base_path}/"

    def get_source(
        self, environment: jinja2.Environment, template: str
    ) -> tuple[str, str | None, Callable[[], bool] | None]:
        source, file, is_current = self._templates.get_source(environment, template)
        return _LINK.sub(self._below, source), file, is_current


def template_environment(
    module: str, folder: Path | None, base_path: str = "", assets: str = "/static"
) -> jinja2.Environment:
    """Return the templates of a module; those of the host start with `modhost/`.

    Filters: `ago(now)`, `browser`, `duration`, `stamp(now)`, `utc`, `grouped`, `marked(words)`,
    `coded`, `rough`, `capitalized`, `module_title`, `written`. Functions: `static(file)` is the
    address of a static file of the module, `url(path)` that of a path of the host, which only links
    from variables need.
    """

    def url(path: str) -> str:
        return f"{base_path}{path}" if path.startswith("/") else path

    def static(module: str, file: str) -> str:
        return url(f"{assets}/{module}/{file}")

    shell = jinja2.PrefixLoader({HOST: jinja2.PackageLoader("modhost.web")})
    own = [] if folder is None else [jinja2.FileSystemLoader(folder)]
    loader = jinja2.ChoiceLoader([shell, *own])
    environment = jinja2.Environment(
        loader=_BelowBase(loader, base_path) if base_path else loader,
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        bytecode_cache=_COMPILED,
    )
    environment.globals["static"] = partial(static, module)
    environment.globals["shell_static"] = partial(static, HOST)
    environment.globals["url"] = url
    environment.filters |= wording.FILTERS
    return environment
