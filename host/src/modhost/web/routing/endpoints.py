"""Endpoints: a module's HTTP API."""

from collections.abc import Mapping
from typing import ClassVar, TypedDict

from typing_extensions import Unpack

from modhost.permissions import Anyone, Permission
from modhost.web.binding.parameters import Handler
from modhost.web.routing.declarations import Declarations, ErrorMap, Kind


class EndpointSettings(TypedDict, total=False):
    """What may be said of an endpoint beside its path and handler.

    Attributes:
        status: the status of a result, 200 unless given; a result of None is a 204.
        errors: the statuses of the domain's exceptions, e.g. `{JobNotFound: 404}`.
        body_limit: the largest body in bytes, 1 MiB unless given.
        accepts: for a handler that reads the body from its `Request`, what may be sent, by media
            type, e.g. `{"application/json": Order, "text/csv": str}`; it is only described.

    """

    status: int
    errors: ErrorMap
    body_limit: int
    accepts: Mapping[str, type]


class Endpoints(Declarations):
    """Maps a module's API endpoints, under its `route_prefix`.

    A handler is an async function. Its parameters are filled in by their declaration:

    - a name of the path, as in `"/{id}"`, converted to its annotation (404 when it does not fit);
    - `Query[Model]` from the query string, `Body[Model]` from the JSON body, `Form[Model]` from a
      form (422 with the fields that do not fit);
    - `Request`, and `Principal` for the caller (401 for an anonymous one);
    - anything else is the contract of a service, resolved from the scope of the request.

    Its result is sent as JSON; a `Reply` adds a status and headers, a Starlette `Response` is sent
    as it is. Its docstring's first line describes it in `/openapi.json`. Every endpoint names the
    `permission` that it asks for, or `ANYONE`. Literal paths win over parameters, and each path
    answers with and without a trailing slash.
    """

    kind: ClassVar[Kind] = "endpoint"

    def get(
        self,
        path: str,
        handler: Handler,
        *,
        permission: Permission | Anyone | None = None,
        **settings: Unpack[EndpointSettings],
    ) -> None:
        """Map a handler to GET."""
        self._declare("GET", path, handler, permission=permission, **settings)

    def post(
        self,
        path: str,
        handler: Handler,
        *,
        permission: Permission | Anyone | None = None,
        **settings: Unpack[EndpointSettings],
    ) -> None:
        """Map a handler to POST."""
        self._declare("POST", path, handler, permission=permission, **settings)

    def put(
        self,
        path: str,
        handler: Handler,
        *,
        permission: Permission | Anyone | None = None,
        **settings: Unpack[EndpointSettings],
    ) -> None:
        """Map a handler to PUT."""
        self._declare("PUT", path, handler, permission=permission, **settings)

    def patch(
        self,
        path: str,
        handler: Handler,
        *,
        permission: Permission | Anyone | None = None,
        **settings: Unpack[EndpointSettings],
    ) -> None:
        """Map a handler to PATCH."""
        self._declare("PATCH", path, handler, permission=permission, **settings)

    def delete(
        self,
        path: str,
        handler: Handler,
        *,
        permission: Permission | Anyone | None = None,
        **settings: Unpack[EndpointSettings],
    ) -> None:
        """Map a handler to DELETE."""
        self._declare("DELETE", path, handler, permission=permission, **settings)
