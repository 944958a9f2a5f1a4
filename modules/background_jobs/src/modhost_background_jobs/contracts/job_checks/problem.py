"""What is wrong with a job class."""

from typing import NamedTuple

from modhost.checks import Rule


class Problem(NamedTuple):
    """A rule that a job class breaks, with what is wrong and the remedy."""

    rule: Rule
    detail: str
    remedy: str
