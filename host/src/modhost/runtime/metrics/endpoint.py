"""The endpoint `/metrics`."""

from typing import Final

from starlette.responses import Response

from modhost import ANYONE, HostInfo
from modhost.configuration import HostOptions, is_loopback
from modhost.runtime.host import Host
from modhost.runtime.metrics.collection import Collection
from modhost.runtime.metrics.exposition import CONTENT_TYPE
from modhost.runtime.metrics.scrapers import PATH, VIEW_METRICS
from modhost.web import Endpoints, HttpProblem, RequestCounts

_NOT_YET: Final = "The host has not started."


class MetricsEndpoint:
    """The handler; it is given the host once that is built."""

    def __init__(self) -> None:
        self.counts = RequestCounts()
        self.host: Host | None = None
        self._collection = Collection(self.counts)

    def map(self, endpoints: Endpoints, info: HostInfo, options: HostOptions) -> None:
        """Declare the handler.

        A worker that only this machine can reach answers everybody on it, as with its health.
        """
        is_open = info.role == "worker" and is_loopback(options.bind_host)
        endpoints.get(PATH, self.metrics, permission=ANYONE if is_open else VIEW_METRICS)

    async def metrics(self) -> Response:
        """Report what this process counts and measures, in the text format of Prometheus."""
        if self.host is None:
            raise HttpProblem(503, _NOT_YET)
        return Response(await self._collection.text(self.host), media_type=CONTENT_TYPE)
