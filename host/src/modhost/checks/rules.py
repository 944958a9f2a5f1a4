"""Every rule of the host. `docs/rules.md` explains each; a test keeps the two together."""

from typing import Final

from modhost.checks.findings import Rule

MODULE_NOT_IMPORTED: Final = Rule("MH101", "Module cannot be imported")
NOT_A_MODULE: Final = Rule("MH102", "Entry point is no module")
MODULE_NAME: Final = Rule("MH103", "Module name is missing or malformed")
DUPLICATE_MODULE: Final = Rule("MH104", "Two modules have one name")
DUPLICATE_PREFIX: Final = Rule("MH105", "Two modules have one prefix")
MISSING_REQUIREMENT: Final = Rule("MH106", "Required module is missing")
CIRCULAR_REQUIREMENT: Final = Rule("MH107", "Modules require each other in a circle")
UNMARKED_HOOK: Final = Rule("MH108", "Method has a hook's name but is not marked")
HOOK_MISMATCH: Final = Rule("MH109", "Hook does not match its specification")
HOOK_FAILED: Final = Rule("MH110", "Hook failed")
MALFORMED_PREFIX: Final = Rule("MH112", "Prefix is malformed")
HOSTED_SERVICE_FAILED: Final = Rule("MH111", "Hosted service did not start")
BAD_CONFIGURATION_FILE: Final = Rule("MH201", "Configuration cannot be read")
UNKNOWN_KEY: Final = Rule("MH202", "Unknown configuration key")
BAD_VALUE: Final = Rule("MH203", "Bad configuration value")
UNKNOWN_MODULE: Final = Rule("MH204", "Configured module is not installed")
EXPOSED_WITHOUT_TLS: Final = Rule("MH205", "Host is open to the network without TLS")
EXPOSED_DEVELOPMENT: Final = Rule("MH206", "Development is open to the network")
MISSING_SERVICE: Final = Rule("MH301", "Service is missing")
DUPLICATE_SERVICE: Final = Rule("MH302", "Service is registered twice")
CIRCULAR_SERVICE: Final = Rule("MH303", "Services depend on each other in a circle")
CAPTIVE_SERVICE: Final = Rule("MH304", "Singleton depends on a scoped service")
DUPLICATE_CONTRIBUTION: Final = Rule("MH305", "Two contributions have one key")
UNANNOTATED_PARAMETER: Final = Rule("MH306", "Parameter has no usable annotation")
NO_PERMISSION: Final = Rule("MH401", "Route names no permission")
UNDECLARED_PERMISSION: Final = Rule("MH402", "Permission is not declared")
DUPLICATE_PERMISSION: Final = Rule("MH403", "Permission is declared twice")
DUPLICATE_ROUTE: Final = Rule("MH404", "Two handlers serve one route")
PENDING_MIGRATIONS: Final = Rule("MH501", "Database is not migrated")
DATABASE_UNREACHABLE: Final = Rule("MH502", "Database cannot be reached")
BAD_DATABASE_URL: Final = Rule("MH503", "Database URL is not usable")

ALL: Final = tuple(value for value in list(globals().values()) if isinstance(value, Rule))
