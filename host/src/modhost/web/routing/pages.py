"""Pages: a module's HTML."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypedDict

from typing_extensions import Unpack

from modhost.permissions import Anyone, Permission
from modhost.web.binding.parameters import Handler
from modhost.web.routing.declarations import Declarations, ErrorMap, Kind


@dataclass(frozen=True, slots=True)
class Page:
    """What a page's handler returns: a template of the module, filled in.

    Args:
        template: the name of a file in the module's `templates/`; it extends `modhost/base.html`.
        context: the variables of the template.
        title: the heading of the page.
        status: the HTTP status.
        headers: further headers.

    """

    template: str
    context: Mapping[str, Any] = field(default_factory=dict)
    title: str = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class PageSettings(TypedDict, total=False):
    """What may be said of a page beside its path and handler.

    Attributes:
        errors: the statuses of the domain's exceptions, e.g. `{JobNotFound: 404}`.
        body_limit: the largest body in bytes, 1 MiB unless given.

    """

    errors: ErrorMap
    body_limit: int


class Pages(Declarations):
    """Maps a module's pages, under its `view_prefix`.

    Handlers are injected as those of endpoints are, and return a `Page` or a Starlette `Response`.
    An anonymous visitor is sent to `/login`; other problems are shown as a page.
    """

    kind: ClassVar[Kind] = "page"

    def get(
        self,
        path: str,
        handler: Handler,
        *,
        permission: Permission | Anyone | None = None,
        **settings: Unpack[PageSettings],
    ) -> None:
        """Map a handler that shows a page."""
        self._declare("GET", path, handler, permission=permission, **settings)

    def post(
        self,
        path: str,
        handler: Handler,
        *,
        permission: Permission | Anyone | None = None,
        **settings: Unpack[PageSettings],
    ) -> None:
        """Map a handler that takes a form and ends with a redirect (303), or with a page."""
        self._declare("POST", path, handler, permission=permission, **settings)
