"""Hosted services: coroutines that run for as long as the host does, and who looks after them."""

from modhost.background.hosted_service import HostedService
from modhost.background.supervisor import HostedServiceFailed, ServiceState, Supervisor

__all__ = ["HostedService", "HostedServiceFailed", "ServiceState", "Supervisor"]
