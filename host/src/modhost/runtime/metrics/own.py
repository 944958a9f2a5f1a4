"""The host's own metrics: what it has answered, its database, and the parts that run in it."""

from typing import Final

from modhost.failures import failures
from modhost.metrics import Metric, Samples
from modhost.runtime.host import Host
from modhost.web import RequestCounts

INFO: Final = Metric(
    "modhost_host",
    "gauge",
    "Always 1; the labels say what this process is.",
    ("version", "role", "environment"),
)
DATABASE_UP: Final = Metric(
    "modhost_database_up",
    "gauge",
    "Whether the database has just answered: 1, or 0 when only what the process knows is exposed.",
)
MODULE_UP: Final = Metric(
    "modhost_module_metrics_up",
    "gauge",
    "Whether a module has added all its metrics in time: 1, or 0 when some are missing.",
    ("module",),
)
REQUESTS: Final = Metric(
    "modhost_http_requests_total",
    "counter",
    "Requests answered, by the template of the route; (unknown) for what has no route.",
    ("method", "route", "status"),
    max_series=2000,
)
REQUEST_SECONDS: Final = Metric(
    "modhost_http_request_seconds",
    "histogram",
    "How long requests took until their answers began.",
    ("route",),
    max_series=500,
)
CONNECTIONS: Final = Metric(
    "modhost_database_connections",
    "gauge",
    "Open connections of a pool, by whether they are in_use or idle.",
    ("pool", "state"),
)
MAX_CONNECTIONS: Final = Metric(
    "modhost_database_max_connections",
    "gauge",
    "How many connections a pool may have.",
    ("pool",),
)
SERVICE_UP: Final = Metric(
    "modhost_hosted_service_up",
    "gauge",
    "Whether a hosted service works: 1, or 0 after a crash, until it is restarted.",
    ("service",),
)
SERVICE_RESTARTS: Final = Metric(
    "modhost_hosted_service_restarts_total",
    "counter",
    "Restarts of a hosted service after a crash.",
    ("service",),
)
FAILING: Final = Metric(
    "modhost_failing_operations",
    "gauge",
    "What keeps failing at present and is tried again; the log and /health/ready name each.",
)
HOST_METRICS: Final = (
    INFO,
    DATABASE_UP,
    MODULE_UP,
    REQUESTS,
    REQUEST_SECONDS,
    CONNECTIONS,
    MAX_CONNECTIONS,
    SERVICE_UP,
    SERVICE_RESTARTS,
    FAILING,
)


def add_own(samples: Samples, host: Host, counts: RequestCounts) -> None:
    """Add all but what depends on answers of the database and of modules."""
    info = host.info
    samples.add(INFO, 1, version=info.version, role=info.role, environment=info.environment)
    for (method, route, status), count in counts.requests.items():
        samples.add(REQUESTS, count, method=method, route=route, status=status)
    for route, seconds in counts.seconds.items():
        samples.add(REQUEST_SECONDS, seconds, route=route)
    for use in host.database.pools():
        samples.add(CONNECTIONS, use.in_use, pool=use.pool, state="in_use")
        samples.add(CONNECTIONS, use.idle, pool=use.pool, state="idle")
        samples.add(MAX_CONNECTIONS, use.most, pool=use.pool)
    for service in host.supervisor.report() if host.supervisor else ():
        samples.add(SERVICE_UP, int(service.state != "restarting"), service=service.name)
        samples.add(SERVICE_RESTARTS, service.restarts, service=service.name)
    samples.add(FAILING, len(failures.lasting()))
