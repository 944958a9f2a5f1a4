"""The host's rules, and findings where one is broken. `docs/rules.md` explains each rule."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that the host checks, with a code that configuration and documentation refer to.

    Args:
        code: unique among the rules of the host and of all modules, e.g. `MH405`.
        title: what is wrong when it is broken, without a full stop.
        severity: an `error` must be fixed; a `warning` may be intended, or pass by itself.

    """

    code: str
    title: str
    severity: Severity = "error"


@dataclass(frozen=True, slots=True)
class Finding:
    """A broken rule: what is wrong, with which value, where, and what to do."""

    rule: Rule
    detail: str
    remedy: str
    module: str | None = None
    distribution: str | None = None

    def __str__(self) -> str:
        origin = [f"module {self.module}"] if self.module else []
        origin += [f"distribution {self.distribution}"] if self.distribution else []
        where = f" ({', '.join(origin)})" if origin else ""
        return f"{self.rule.code} {self.rule.title}{where}: {self.detail} {self.remedy}".rstrip()


class StartupError(Exception):
    """The host cannot start; carries everything that is wrong, not only the first.

    Args:
        findings: what is wrong.
        may_pass: whether another start may succeed although nobody has changed anything.

    """

    def __init__(self, findings: Sequence[Finding], *, may_pass: bool = False) -> None:
        self.findings = tuple(findings)
        self.may_pass = may_pass
        super().__init__("\n".join(str(finding) for finding in findings))


MODULE_NOT_IMPORTED: Final = Rule("MH101", "Module cannot be imported")
NOT_A_MODULE: Final = Rule("MH102", "Entry point is not a module")
MODULE_NAME: Final = Rule("MH103", "Module name is missing or malformed")
DUPLICATE_MODULE: Final = Rule("MH104", "Two modules have the same name")
DUPLICATE_PREFIX: Final = Rule("MH105", "Two modules have the same prefix")
MISSING_REQUIREMENT: Final = Rule("MH106", "Required module is missing")
CIRCULAR_REQUIREMENT: Final = Rule("MH107", "Modules require each other in a cycle")
UNMARKED_HOOK: Final = Rule("MH108", "Method has a hook's name but is not marked")
HOOK_MISMATCH: Final = Rule("MH109", "Hook does not match its specification")
HOOK_FAILED: Final = Rule("MH110", "Hook failed")
MALFORMED_PREFIX: Final = Rule("MH112", "Prefix is malformed")
HOSTED_SERVICE_FAILED: Final = Rule("MH111", "Hosted service did not start")
DUPLICATE_COMMAND: Final = Rule("MH115", "Two commands have the same name")
SHARED_STATE: Final = Rule("MH116", "Module changes what all modules share", "warning")
BAD_ATTRIBUTE: Final = Rule("MH117", "Module has an attribute with an unusable value")
UNKNOWN_ATTRIBUTE: Final = Rule("MH118", "Module sets an attribute that nothing reads")
UNUSABLE_SETTING: Final = Rule("MH119", "Setting cannot be changed while the host runs")
UNUSABLE_METRIC: Final = Rule("MH120", "Metric cannot be exposed")
ENTRY_POINT_NAME: Final = Rule("MH121", "Entry point has another name than its module")
MODULE_UNHEALTHY: Final = Rule("MH113", "Module is unhealthy")
MODULE_DEGRADED: Final = Rule("MH114", "Module is degraded", "warning")
BAD_CONFIGURATION_FILE: Final = Rule("MH201", "Configuration cannot be read")
UNKNOWN_KEY: Final = Rule("MH202", "Unknown configuration key")
BAD_VALUE: Final = Rule("MH203", "Invalid configuration value")
UNKNOWN_MODULE: Final = Rule("MH204", "Configured module is not installed")
EXPOSED_WITHOUT_TLS: Final = Rule("MH205", "Host is open to the network without TLS")
EXPOSED_DEVELOPMENT: Final = Rule("MH206", "Development is open to the network")
ANY_HOST_NAME: Final = Rule("MH207", "Host answers to any name")
UNNAMED_PROXY: Final = Rule("MH208", "Proxy is not named", "warning")
MISSING_SERVICE: Final = Rule("MH301", "Service is missing")
DUPLICATE_SERVICE: Final = Rule("MH302", "Service is registered twice")
CIRCULAR_SERVICE: Final = Rule("MH303", "Services depend on each other in a cycle")
CAPTIVE_SERVICE: Final = Rule("MH304", "Singleton depends on a scoped service")
DUPLICATE_CONTRIBUTION: Final = Rule("MH305", "Two contributions have the same key")
UNANNOTATED_PARAMETER: Final = Rule("MH306", "Parameter has no usable annotation")
UNUSABLE_SUBSCRIBER: Final = Rule("MH307", "Subscriber cannot be given its event")
UNPUBLISHED_EVENT: Final = Rule("MH308", "No module publishes the event of a subscriber")
SINGLETON_FAILED: Final = Rule("MH309", "Singleton cannot be made")
NO_PERMISSION: Final = Rule("MH401", "Route names no permission")
UNDECLARED_PERMISSION: Final = Rule("MH402", "Permission is not declared")
DUPLICATE_PERMISSION: Final = Rule("MH403", "Permission is declared twice")
DUPLICATE_ROUTE: Final = Rule("MH404", "Two handlers serve the same route")
UNUSED_PERMISSION: Final = Rule("MH405", "Permission is declared and never used", "warning")
MISSING_FILE: Final = Rule("MH406", "Template or static file is missing")
PENDING_MIGRATIONS: Final = Rule("MH501", "Database is not migrated")
DATABASE_UNREACHABLE: Final = Rule("MH502", "Database cannot be used")
BAD_DATABASE_URL: Final = Rule("MH503", "Invalid database URL")
NOT_YET_MIGRATED: Final = Rule("MH504", "Next start migrates the database", "warning")
MODEL_NOT_MIGRATED: Final = Rule("MH505", "Model has no migration")
MISSING_INDEX: Final = Rule("MH506", "Index is missing")
CLOCK_SKEW: Final = Rule("MH507", "Clock differs from the database's")
HELD_TRANSACTION: Final = Rule("MH508", "Transaction is held open", "warning")
BROKEN_MIGRATIONS: Final = Rule("MH509", "Migrations cannot be used")
REVISION_FAILED: Final = Rule("MH510", "Revision failed")
EQUAL_NAMES: Final = Rule("MH511", "Two tables or indexes have the same name")
UNUSABLE_MODEL: Final = Rule("MH512", "Model cannot be used")
MISSING_RIGHT: Final = Rule("MH513", "Right on a table or schema is missing")
DANGLING_FOREIGN_KEY: Final = Rule("MH514", "Foreign key refers to no table")
MISSING_FOREIGN_KEY: Final = Rule("MH515", "Foreign key is missing", "warning")

ALL: Final = tuple(value for value in list(globals().values()) if isinstance(value, Rule))
