"""A target, and how what was measured compares with it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Verdict:
    """A target, what was measured, and whether it is met; None when it was not measured."""

    what: str
    target: str
    measured: str = "not measured"
    met: bool | None = None

    @property
    def word(self) -> str:
        """The last column of the table."""
        if self.met is None:
            return ""
        return "yes" if self.met else "**no**"


def at_least(
    what: str, target: str, own: float | None, other: float | None, least: float
) -> Verdict:
    """Judge a ratio; one over the other has to be a multiple, and with 1 it has to be more."""
    if own is None or other is None or other == 0:
        return Verdict(what, target)
    ratio = own / other
    return Verdict(what, target, f"{ratio:.2f}x", ratio > 1 if least == 1 else ratio >= least)


def under(what: str, most: float, unit: str, own: float | None, *, digits: int = 1) -> Verdict:
    """Judge a figure that has to stay under a bound."""
    target = f"under {most:g} {unit}"
    if own is None:
        return Verdict(what, target)
    return Verdict(what, target, f"{own:.{digits}f} {unit}", own < most)
