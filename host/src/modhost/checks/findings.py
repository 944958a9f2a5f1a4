"""What a check found, and the error that tells all of it at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that the host keeps, with a code that configuration and documentation refer to.

    Args:
        code: unique among the rules of the host and of all modules, e.g. `MH405`.
        title: what is wrong when it is broken, without a full stop.
        severity: an `error` has to be mended; a `warning` may be meant, or pass by itself.

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
    """The host cannot start; carries everything that is wrong, not only the first."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("\n".join(str(finding) for finding in findings))
