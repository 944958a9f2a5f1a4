"""Metrics: what a process counts and measures of itself, for Prometheus and its like."""

from modhost.metrics.declaration import Metric
from modhost.metrics.histogram import Histogram
from modhost.metrics.samples import OTHER, Samples

__all__ = ["OTHER", "Histogram", "Metric", "Samples"]
