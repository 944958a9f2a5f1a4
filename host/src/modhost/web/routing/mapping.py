"""Endpoints and pages: what a module maps to its handlers."""

from collections.abc import Mapping
from typing import ClassVar, TypedDict

from typing_extensions import Unpack

from modhost import Permission
from modhost.permissions import Anyone
from modhost.web.binding.parameters import Handler
from modhost.web.routing.declarations import Declarations, ErrorMap, Kind


class PageSettings(TypedDict, total=False):
    """The settings of a page.

    Attributes:
        permission: what a visitor needs, or `ANYONE`; a page without one is a start-up error.
        errors: the statuses of the domain's exceptions, e.g. `{JobNotFound: 404}`.
        body_limit: the largest body in bytes, 1 MiB unless given.

    """

    permission: Permission | Anyone
    errors: ErrorMap
    body_limit: int


class EndpointSettings(PageSettings, total=False):
    """The settings of an endpoint: those of a page, and these.

    Attributes:
        status: the status of a result, 200 unless given; a result of None is a 204.
        accepts: for a handler that reads the body from its `Request`, what may be sent, by media
            type, e.g. `{"application/json": Order, "text/csv": str}`; it is only described.

    """

    status: int
    accepts: Mapping[str, type]


class Endpoints(Declarations):
    """Maps a module's API endpoints, under its `route_prefix`.

    A handler is an async function. Its parameters are filled in by their declaration:

    - a name of the path, as in `"/{id}"`, converted to its annotation (404 when it is not valid);
    - `Query[Model]` from the query string, `Body[Model]` from the JSON body, `Form[Model]` from a
      form (422 with the fields that are not valid);
    - `Request`, and `Principal` for the caller (401 for an anonymous one);
    - anything else is the contract of a service, resolved from the scope of the request.

    Its result is sent as JSON; a `Reply` adds a status and headers, a Starlette `Response` is sent
    as it is. Its docstring's first line describes it in `/openapi.json`. Every endpoint names the
    `permission` that it requires, or `ANYONE`. Literal paths win over parameters, and each path
    answers with and without a trailing slash.
    """

    kind: ClassVar[Kind] = "endpoint"

    def get(self, path: str, handler: Handler, **settings: Unpack[EndpointSettings]) -> None:
        """Map a handler to GET."""
        self._declare("GET", path, handler, **settings)

    def post(self, path: str, handler: Handler, **settings: Unpack[EndpointSettings]) -> None:
        """Map a handler to POST."""
        self._declare("POST", path, handler, **settings)

    def put(self, path: str, handler: Handler, **settings: Unpack[EndpointSettings]) -> None:
        """Map a handler to PUT."""
        self._declare("PUT", path, handler, **settings)

    def patch(self, path: str, handler: Handler, **settings: Unpack[EndpointSettings]) -> None:
        """Map a handler to PATCH."""
        self._declare("PATCH", path, handler, **settings)

    def delete(self, path: str, handler: Handler, **settings: Unpack[EndpointSettings]) -> None:
        """Map a handler to DELETE."""
        self._declare("DELETE", path, handler, **settings)


class Pages(Declarations):
    """Maps a module's pages, under its `view_prefix`.

    Handlers are injected as those of endpoints are, and return a `Page` or a Starlette `Response`.
    An anonymous visitor is sent to `/login`; other problems are shown as a page.
    """

    kind: ClassVar[Kind] = "page"

    def get(self, path: str, handler: Handler, **settings: Unpack[PageSettings]) -> None:
        """Map a handler that shows a page."""
        self._declare("GET", path, handler, **settings)

    def post(self, path: str, handler: Handler, **settings: Unpack[PageSettings]) -> None:
        """Map a handler that takes a form and ends with a redirect (303), or with a page."""
        self._declare("POST", path, handler, **settings)
