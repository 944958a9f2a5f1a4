"""The host's rules, and what start-up and `modhost doctor` report of a broken one."""

from modhost.checks import rules
from modhost.checks.rules import Finding, Rule, Severity, StartupError

__all__ = ["Finding", "Rule", "Severity", "StartupError", "rules"]
