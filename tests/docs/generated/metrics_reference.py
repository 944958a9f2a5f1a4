"""Generate the reference of the metrics in docs/metrics.md from their declarations."""

from collections.abc import Sequence
from typing import Final

from modhost.metrics import Metric
from modhost.runtime.metrics.own import HOST_METRICS
from modhost_background_jobs.metrics.declared import METRICS
from modhost_reports_example.module import ReportsModule

DECLARED: Final[dict[str, Sequence[Metric]]] = {
    "modhost": HOST_METRICS,
    "background_jobs": METRICS,
    "reports_example": ReportsModule.metrics,
}


def reference(owner: str) -> str:
    """Return the table of the metrics that a module, or the host, declares."""
    rows = ["| name | kind | labels | most | what it is |", "|---|---|---|---|---|"]
    for each in DECLARED[owner]:
        labels = ", ".join(f"`{label}`" for label in each.labels)
        most = f"{each.max_series:,}" if each.labels else "1"
        rows.append(f"| `{each.name}` | {each.kind} | {labels} | {most} | {each.help} |")
    return "\n".join(rows)
