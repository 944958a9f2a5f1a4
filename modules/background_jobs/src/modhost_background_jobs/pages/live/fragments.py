"""The parts of pages that are live, rendered from their templates."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias

from modhost import HostInfo
from modhost.web import template_environment

Html: TypeAlias = dict[str, str]
"""The fragments of a topic, by their names."""
MODULE: Final = "background_jobs"
TEMPLATES: Final = Path(__file__).parents[2] / "templates"
LIVE: Final = "live_"


class Fragments:
    """Renders the blocks whose names start with `live_`.

    Times are rendered as such, not as counted from now: the browser does that, and a fragment
    changes only when its content has changed.
    """

    def __init__(self, host: HostInfo) -> None:
        self._environment = template_environment(MODULE, TEMPLATES, host.base_path)

    def render(self, template: str, context: Mapping[str, Any], suffix: str = "") -> dict[str, str]:
        """Return the HTML of each live block by its name, with a suffix if it is one of many."""
        loaded = self._environment.get_template(template)
        variables = loaded.new_context({"now": None, **context})
        return {
            name + suffix: "".join(block(variables)).strip()
            for name, block in loaded.blocks.items()
            if name.startswith(LIVE)
        }
