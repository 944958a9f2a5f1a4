"""What modules may set for the endpoints and pages that they map."""

from collections.abc import Mapping
from typing import Any, TypeAlias, TypedDict

from modhost import Permission
from modhost.permissions import Anyone
from modhost.web.binding.parameters import Handler

ErrorMap: TypeAlias = Mapping[type[Exception], int] | Mapping[Any, int]


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


class ViewSettings(PageSettings, total=False):
    """The settings of a page that is shown, and these.

    Attributes:
        is_search: whether the page has the form of its own query: it is shown without the values
            that are not valid, and with what is wrong with them.

    """

    is_search: bool


class FormSettings(PageSettings, total=False):
    """The settings of what takes a form, and these.

    Attributes:
        shown_by: the handler of the page that has the form; the one of the same path unless given.

    """

    shown_by: Handler
