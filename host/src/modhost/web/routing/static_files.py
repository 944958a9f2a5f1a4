"""The static files of modules, as browsers get them."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from modhost.web.middleware.request_ids import note_route

VERSIONED: Final = "/static/v-{version}"
"""Where files are under the version of all of them, so that those that they import have it too."""
_YEAR: Final = "public, max-age=31536000, immutable"


def version_of(folders: Iterable[Path]) -> str:
    """Return what changes with any file in some folders."""
    digest = hashlib.sha256()
    for folder in folders:
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            digest.update(f"{file.relative_to(folder)}\n{file.stat().st_size}\n".encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


class ModuleFiles(StaticFiles):
    """Lets browsers keep the files.

    Under their version they are kept for a year. Without it, or under that of another process
    during an upgrade, browsers ask each time whether they are still the same.

    Args:
        route: where the files are, for the counts of requests.
        folder: what holds them.
        version: that of the files; empty for none.

    """

    def __init__(self, route: str, folder: Path, version: str) -> None:
        super().__init__(directory=folder)
        self._route = route
        self._version = version

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with a file."""
        note_route(scope, self._route)
        await super().__call__(scope, receive, send)

    def file_response(
        self, full_path: Any, stat_result: Any, scope: Scope, status_code: int = 200
    ) -> Response:
        """Return the response, with how long it may be kept."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        version = scope.get("path_params", {}).get("version")
        is_current = bool(self._version) and version == self._version
        response.headers["cache-control"] = _YEAR if is_current else "no-cache"
        return response
